#ifndef REELWRIGHT_CONVERT_INTERNAL_H
#define REELWRIGHT_CONVERT_INTERNAL_H

#include "kernels_convert.h"

// Rows are worked on in chunks, so that the interpolated chroma stays in the first-level cache.
#define RW_CHUNK 1024
#define RW_PAD 32

/// One chunk of one row: luma samples and chroma already interpolated vertically, less the mid value, times 4.
/// u and v may be read RW_PAD elements past `width` and one before 0.
typedef struct rw_chunk {
  const uint8_t *y;
  const int16_t *u, *v;
  int32_t width;
} rw_chunk;

typedef struct rw_convert_table {
  // near × near_weight + far × far_weight − 4 × mid; the weights add up to 4
  void (*blend)(int16_t *out, const uint8_t *near_row, const uint8_t *far_row, int near_weight, int far_weight, int bits, int32_t count);
  void (*rgb)(const rw_chunk *c, const rw_yuv_image *in, const rw_yuv_matrix *m, uint8_t *out, int channels);
  void (*luma)(const rw_chunk *c, const rw_yuv_image *in, const rw_yuv_matrix *m, uint8_t *out);
  void (*luma_range)(const uint8_t *y, int32_t count, int bits, const rw_yuv_matrix *m, uint8_t *out);
  void (*chroma)(const uint8_t *u, const uint8_t *v, int32_t count, int bits, const rw_yuv_matrix *m, uint8_t *out_u, uint8_t *out_v);
  void (*accumulate8)(uint16_t *sum, const uint8_t *row, int weight, int32_t count);
  void (*accumulate16)(uint32_t *sum, const uint16_t *row, int weight, int32_t count);
  uint64_t (*sad)(const uint8_t *a, const uint8_t *b, int32_t count);
} rw_convert_table;

extern const rw_convert_table rw_convert_scalar;
#if defined(__x86_64__)
extern const rw_convert_table rw_convert_avx2;
#endif

static inline int16_t rw_saturate(int32_t x) { return x > 32767 ? 32767 : x < -32768 ? -32768 : (int16_t)x; }
/// The rounding product of vpmulhrsw.
static inline int16_t rw_round_product(int16_t a, int16_t b) { return (int16_t)(((int32_t)a * b + 0x4000) >> 15); }
static inline uint8_t rw_from_q6(int16_t x) {
  int32_t r = rw_saturate(x + 32) >> 6;
  return r < 0 ? 0 : r > 255 ? 255 : (uint8_t)r;
}
static inline int32_t rw_sample(const uint8_t *row, int32_t x, int bits) {
  return bits > 8 ? ((const uint16_t *)(const void *)row)[x] : row[x];
}

#endif
