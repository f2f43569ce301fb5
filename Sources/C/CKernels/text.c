#include "kernels_text.h"

static inline unsigned divide255(unsigned x) { return (x + 128 + ((x + 128) >> 8)) >> 8; }

static inline void over(uint8_t *pixel, unsigned r, unsigned g, unsigned b, unsigned a) {
  unsigned rest = 255 - a;
  pixel[0] = (uint8_t)(r + divide255(pixel[0] * rest));
  pixel[1] = (uint8_t)(g + divide255(pixel[1] * rest));
  pixel[2] = (uint8_t)(b + divide255(pixel[2] * rest));
  pixel[3] = (uint8_t)(a + divide255(pixel[3] * rest));
}

void rw_text_draw(uint8_t *rgba, ptrdiff_t stride, const uint8_t *coverage, ptrdiff_t coverageStride, int width, int height, uint32_t color) {
  unsigned r = color >> 24, g = color >> 16 & 255, b = color >> 8 & 255, alpha = color & 255;
  for (int y = 0; y < height; y++) {
    uint8_t *row = rgba + y * stride;
    const uint8_t *mask = coverage + y * coverageStride;
    for (int x = 0; x < width; x++) {
      if (mask[x] == 0) continue;
      unsigned a = divide255(mask[x] * alpha);
      over(row + 4 * x, divide255(r * a), divide255(g * a), divide255(b * a), a);
    }
  }
}

void rw_text_draw_picture(uint8_t *rgba, ptrdiff_t stride, int width, int height, const uint8_t *bgra, ptrdiff_t bgraStride, int sourceWidth,
                          int sourceHeight) {
  for (int y = 0; y < height; y++) {
    int top = (int)((int64_t)y * sourceHeight / height), bottom = (int)((int64_t)(y + 1) * sourceHeight / height);
    if (bottom <= top) bottom = top + 1;
    for (int x = 0; x < width; x++) {
      int left = (int)((int64_t)x * sourceWidth / width), right = (int)((int64_t)(x + 1) * sourceWidth / width);
      if (right <= left) right = left + 1;
      unsigned sum[4] = {0, 0, 0, 0}, count = (unsigned)((bottom - top) * (right - left));
      for (int v = top; v < bottom; v++) {
        const uint8_t *source = bgra + v * bgraStride + 4 * left;
        for (int u = left; u < right; u++, source += 4) {
          for (int c = 0; c < 4; c++) sum[c] += source[c];
        }
      }
      for (int c = 0; c < 4; c++) sum[c] = (sum[c] + count / 2) / count;
      over(rgba + y * stride + 4 * x, sum[2], sum[1], sum[0], sum[3]);
    }
  }
}

void rw_text_straighten(uint8_t *rgba, size_t pixels) {
  for (size_t i = 0; i < pixels; i++, rgba += 4) {
    unsigned a = rgba[3];
    if (a == 255 || a == 0) continue;
    for (int c = 0; c < 3; c++) {
      unsigned value = (rgba[c] * 255u + a / 2) / a;
      rgba[c] = (uint8_t)(value > 255 ? 255 : value);
    }
  }
}
