#ifndef REELWRIGHT_KERNELS_TEXT_H
#define REELWRIGHT_KERNELS_TEXT_H

#include <stddef.h>
#include <stdint.h>

/// Draws a coverage map in one colour (0xRRGGBBAA, straight alpha) over premultiplied RGBA. Strides in bytes.
void rw_text_draw(uint8_t *rgba, ptrdiff_t stride, const uint8_t *coverage, ptrdiff_t coverageStride, int width, int height, uint32_t color);

/// Draws premultiplied BGRA, reduced from sourceWidth x sourceHeight by area averaging (or enlarged by repetition), over premultiplied RGBA.
void rw_text_draw_picture(uint8_t *rgba, ptrdiff_t stride, int width, int height, const uint8_t *bgra, ptrdiff_t bgraStride, int sourceWidth,
                          int sourceHeight);

/// Divides by alpha: premultiplied to straight, in place.
void rw_text_straighten(uint8_t *rgba, size_t pixels);

#endif
