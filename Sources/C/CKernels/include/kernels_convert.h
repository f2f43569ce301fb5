#ifndef REELWRIGHT_KERNELS_CONVERT_H
#define REELWRIGHT_KERNELS_CONVERT_H

#include <stddef.h>
#include <stdint.h>

// Colour conversion, area scaling and orientation of whole images. Every function takes the instruction set to
// run with: a value for which rw_convert_supported() is true. All variants give the same bytes.

enum {
  RW_CONVERT_SCALAR = 0,
  RW_CONVERT_AVX2 = 1,
  RW_CONVERT_ISA_COUNT = 2,
};

/// Whether this processor runs the variant.
int rw_convert_supported(int isa);
/// The fastest variant that this processor runs.
int rw_convert_best(void);

/// A planar Y'CbCr picture. Samples above 8 bits take two bytes, least significant bits used, native order.
typedef struct rw_yuv_image {
  const uint8_t *planes[3];  ///< a NULL chroma plane means neutral chroma
  ptrdiff_t strides[3];      ///< bytes; may be negative
  int32_t width, height;     ///< luma samples
  uint8_t bits;              ///< 8...12
  uint8_t chroma_shift_x;    ///< 1: half the columns
  uint8_t chroma_shift_y;    ///< 1: half the rows
  uint8_t chroma_left;       ///< 1: chroma columns stand on even luma columns; 0: between two
  uint8_t chroma_top;        ///< 1: chroma rows stand on even luma rows; 0: between two
} rw_yuv_image;

/// out[i] = luma_gain × (Y − luma_offset) + chroma[i][0] × (Cb − mid) + chroma[i][1] × (Cr − mid), as 8-bit values.
/// luma_gain carries a factor 2^14 for a gain in units of (8-bit step / source step × 2^(bits − 8)), chroma 2^13.
typedef struct rw_yuv_matrix {
  int32_t luma_offset;
  int16_t luma_gain;
  int16_t chroma[3][2];
} rw_yuv_matrix;

/// Rows [first, last) of the picture as interleaved RGB (channels 3) or RGBA with opaque alpha (channels 4). `out` is the
/// address of row 0. Chroma is interpolated linearly at its siting.
void rw_yuv_to_rgb(int isa, const rw_yuv_image *in, const rw_yuv_matrix *m, int32_t first, int32_t last, uint8_t *out,
                   ptrdiff_t out_stride, int channels);

/// The picture in another matrix and range as 8-bit planes of the same subsampling. Row 0 of `m->chroma` adds
/// interpolated chroma to luma; rows 1 and 2 make the chroma planes (mid 128).
void rw_yuv_to_yuv8(int isa, const rw_yuv_image *in, const rw_yuv_matrix *m, uint8_t *const out[3], const ptrdiff_t out_strides[3]);

/// Averages the area of the source that falls on each output sample (a box filter with fractional edges): the right
/// reduction for factors of two and more. out_width <= width and out_height <= height. `bytes` is the sample size, 1 or 2.
/// Returns 0, or -1 when memory is short.
int rw_area_scale(int isa, const uint8_t *in, ptrdiff_t in_stride, int32_t width, int32_t height, int bytes, uint8_t *out,
                  ptrdiff_t out_stride, int32_t out_width, int32_t out_height);

/// Mirrors left to right when `mirrored`, then turns clockwise by quarter_turns × 90°. `bytes` is the pixel size, 1...4.
void rw_orient(const uint8_t *in, ptrdiff_t in_stride, int32_t width, int32_t height, int bytes, uint8_t *out,
               ptrdiff_t out_stride, int quarter_turns, int mirrored);

/// Sum of absolute differences of two 8-bit planes.
uint64_t rw_sad(int isa, const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride, int32_t width, int32_t height);

#endif
