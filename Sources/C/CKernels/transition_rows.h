#ifndef REELWRIGHT_TRANSITION_ROWS_H
#define REELWRIGHT_TRANSITION_ROWS_H

#include "kernels_transition.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define RW_AVX2 __attribute__((target("avx2,fma")))
#endif

static inline int rw_min(int a, int b) { return a < b ? a : b; }
static inline int rw_max(int a, int b) { return a > b ? a : b; }
static inline int rw_clamp(int v, int low, int high) { return v < low ? low : v > high ? high : v; }

/// (v * weight) rounded, weight in 1/32768: what pmulhrsw computes.
static inline int rw_scale(int v, int weight) { return (v * weight + 0x4000) >> 15; }

/// 15-bit weight of an 8-bit mask value: 0 -> 0, 255 -> 32767.
static inline int rw_mask_weight(int m) { return (m << 7) | (m >> 1); }

/// Integer form of a front: mask15 = min(32767, (clamp(position - field, 0, softness) << shift) * gain >> 16).
typedef struct {
  int position, softness, shift, gain, smooth;
} rw_front_gain;

static inline rw_front_gain rw_front_prepare(const rw_front *front) {
  rw_front_gain g = {.position = front->position, .softness = rw_clamp(front->softness, 1, 32767), .smooth = front->smooth};
  while ((g.softness << (g.shift + 1)) <= 65535) g.shift++;
  g.gain = rw_min(65535, (int)((32767LL * 65536 + (g.softness << g.shift) - 1) / (g.softness << g.shift)));
  return g;
}

// One declaration a variant; tables in transition_table.c.
#define RW_ROW_KERNELS(suffix)                                                                                                       \
  void rw_crossfade8_##suffix(uint8_t *, const uint8_t *, const uint8_t *, size_t, int);                                             \
  void rw_crossfade16_##suffix(uint16_t *, const uint16_t *, const uint16_t *, size_t, int);                                         \
  void rw_mix8_##suffix(uint8_t *, const uint8_t *, const uint8_t *, size_t, int, int, int32_t);                                     \
  void rw_mix16_##suffix(uint16_t *, const uint16_t *, const uint16_t *, size_t, int, int, int32_t, int);                            \
  void rw_blend8_##suffix(uint8_t *, const uint8_t *, const uint8_t *, const uint8_t *, size_t);                                     \
  void rw_blend16_##suffix(uint16_t *, const uint16_t *, const uint16_t *, const uint8_t *, size_t);                                 \
  void rw_mask_half_##suffix(uint8_t *, const uint8_t *, const uint8_t *, size_t);                                                   \
  int rw_mask_from_field_##suffix(uint8_t *, const int16_t *, size_t, const rw_front *);                                             \
  void rw_overlay8_##suffix(uint8_t *, const uint16_t *, const int16_t *, size_t, int);                                              \
  void rw_overlay16_##suffix(uint16_t *, const uint16_t *, const int16_t *, size_t, int, int);                                       \
  void rw_filter_row8_##suffix(int16_t *, const uint8_t *, size_t, const int32_t *, const int16_t *, int);                           \
  void rw_filter_row16_##suffix(int16_t *, const uint16_t *, size_t, const int32_t *, const int16_t *, int, int);                    \
  void rw_filter_column8_##suffix(uint8_t *, const int16_t *const *, size_t, const int16_t *, int);                                  \
  void rw_filter_column16_##suffix(uint16_t *, const int16_t *const *, size_t, const int16_t *, int, int);

RW_ROW_KERNELS(scalar)
#if defined(__x86_64__)
RW_ROW_KERNELS(avx2)
#endif

#endif
