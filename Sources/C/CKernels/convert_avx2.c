#include "convert_internal.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#define RW_AVX2 __attribute__((target("avx2")))
#define RW_INLINE static inline __attribute__((always_inline, target("avx2")))

RW_INLINE __m256i load16(const void *p) { return _mm256_loadu_si256((const __m256i *)p); }
/// 16 samples as 16-bit values.
RW_INLINE __m256i samples(const uint8_t *row, int32_t x, int wide) {
  return wide ? load16(row + 2 * (ptrdiff_t)x) : _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)(row + x)));
}

RW_INLINE void blend_span(int16_t *out, const uint8_t *n, const uint8_t *f, int nw, int fw, int bits, int32_t count, int wide) {
  __m256i near_weight = _mm256_set1_epi16((short)nw), far_weight = _mm256_set1_epi16((short)fw), mid = _mm256_set1_epi16((short)(4 << (bits - 1)));
  int32_t x = 0;
  for (; x + 16 <= count; x += 16) {
    __m256i a = _mm256_mullo_epi16(samples(n, x, wide), near_weight), b = _mm256_mullo_epi16(samples(f, x, wide), far_weight);
    _mm256_storeu_si256((__m256i *)(void *)(out + x), _mm256_sub_epi16(_mm256_add_epi16(a, b), mid));
  }
  for (; x < count; x++) out[x] = (int16_t)(rw_sample(n, x, bits) * nw + rw_sample(f, x, bits) * fw - (4 << (bits - 1)));
}

RW_AVX2 static void blend(int16_t *out, const uint8_t *n, const uint8_t *f, int nw, int fw, int bits, int32_t count) {
  if (bits > 8)
    blend_span(out, n, f, nw, fw, bits, count, 1);
  else
    blend_span(out, n, f, nw, fw, bits, count, 0);
}

/// 32 chroma values (two registers, in column order) at luma columns x ... x + 31.
RW_INLINE void interpolate(const int16_t *c, int32_t x, const rw_yuv_image *in, __m128i shift, __m256i out[2]) {
  if (!in->chroma_shift_x) {
    __m128i s = _mm_add_epi64(shift, _mm_set_epi64x(0, 2));
    out[0] = _mm256_sll_epi16(load16(c + x), s);
    out[1] = _mm256_sll_epi16(load16(c + x + 16), s);
    return;
  }
  const int16_t *p = c + (x >> 1);
  __m256i here = load16(p), after = load16(p + 1), even, odd;
  if (in->chroma_left) {
    even = _mm256_slli_epi16(here, 2);
    odd = _mm256_slli_epi16(_mm256_add_epi16(here, after), 1);
  } else {
    __m256i three = _mm256_add_epi16(_mm256_slli_epi16(here, 1), here);
    even = _mm256_add_epi16(three, load16(p - 1));
    odd = _mm256_add_epi16(three, after);
  }
  even = _mm256_sll_epi16(even, shift);
  odd = _mm256_sll_epi16(odd, shift);
  __m256i low = _mm256_unpacklo_epi16(even, odd), high = _mm256_unpackhi_epi16(even, odd);
  out[0] = _mm256_permute2x128_si256(low, high, 0x20);
  out[1] = _mm256_permute2x128_si256(low, high, 0x31);
}

typedef struct constants {
  __m256i offset, gain, c[3][2];
  __m128i luma_shift, chroma_shift;
} constants;

RW_INLINE constants prepare(const rw_yuv_matrix *m, int bits, int chroma_shift) {
  constants k;
  k.offset = _mm256_set1_epi16((short)m->luma_offset);
  k.gain = _mm256_set1_epi16(m->luma_gain);
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 2; j++) k.c[i][j] = _mm256_set1_epi16(m->chroma[i][j]);
  k.luma_shift = _mm_cvtsi32_si128(15 - bits);
  k.chroma_shift = _mm_cvtsi32_si128(chroma_shift);
  return k;
}

RW_INLINE __m256i scaled_luma(__m256i y, const constants *k) {
  return _mm256_mulhrs_epi16(_mm256_sll_epi16(_mm256_sub_epi16(y, k->offset), k->luma_shift), k->gain);
}

RW_INLINE __m256i rounded(__m256i q6) { return _mm256_srai_epi16(_mm256_adds_epi16(q6, _mm256_set1_epi16(32)), 6); }
RW_INLINE __m256i pack(__m256i a, __m256i b) { return _mm256_permute4x64_epi64(_mm256_packus_epi16(a, b), 0xD8); }

/// 32 output bytes of one component.
RW_INLINE __m256i component(const __m256i y[2], const __m256i u[2], const __m256i v[2], const __m256i c[2]) {
  __m256i r[2];
  for (int i = 0; i < 2; i++)
    r[i] = rounded(_mm256_adds_epi16(_mm256_adds_epi16(y[i], _mm256_mulhrs_epi16(u[i], c[0])), _mm256_mulhrs_epi16(v[i], c[1])));
  return pack(r[0], r[1]);
}

/// Three registers of 32 bytes as 96 interleaved bytes.
RW_INLINE void store_rgb(uint8_t *out, __m256i r, __m256i g, __m256i b) {
#define N -1
  const __m256i r0 = _mm256_setr_epi8(0, N, N, 1, N, N, 2, N, N, 3, N, N, 4, N, N, 5, 0, N, N, 1, N, N, 2, N, N, 3, N, N, 4, N, N, 5);
  const __m256i g0 = _mm256_setr_epi8(N, 0, N, N, 1, N, N, 2, N, N, 3, N, N, 4, N, N, N, 0, N, N, 1, N, N, 2, N, N, 3, N, N, 4, N, N);
  const __m256i b0 = _mm256_setr_epi8(N, N, 0, N, N, 1, N, N, 2, N, N, 3, N, N, 4, N, N, N, 0, N, N, 1, N, N, 2, N, N, 3, N, N, 4, N);
  const __m256i r1 = _mm256_setr_epi8(N, N, 6, N, N, 7, N, N, 8, N, N, 9, N, N, 10, N, N, N, 6, N, N, 7, N, N, 8, N, N, 9, N, N, 10, N);
  const __m256i g1 = _mm256_setr_epi8(5, N, N, 6, N, N, 7, N, N, 8, N, N, 9, N, N, 10, 5, N, N, 6, N, N, 7, N, N, 8, N, N, 9, N, N, 10);
  const __m256i b1 = _mm256_setr_epi8(N, 5, N, N, 6, N, N, 7, N, N, 8, N, N, 9, N, N, N, 5, N, N, 6, N, N, 7, N, N, 8, N, N, 9, N, N);
  const __m256i r2 = _mm256_setr_epi8(N, 11, N, N, 12, N, N, 13, N, N, 14, N, N, 15, N, N, N, 11, N, N, 12, N, N, 13, N, N, 14, N, N, 15, N, N);
  const __m256i g2 = _mm256_setr_epi8(N, N, 11, N, N, 12, N, N, 13, N, N, 14, N, N, 15, N, N, N, 11, N, N, 12, N, N, 13, N, N, 14, N, N, 15, N);
  const __m256i b2 = _mm256_setr_epi8(10, N, N, 11, N, N, 12, N, N, 13, N, N, 14, N, N, 15, 10, N, N, 11, N, N, 12, N, N, 13, N, N, 14, N, N, 15);
#undef N
#define MIX(i) _mm256_or_si256(_mm256_or_si256(_mm256_shuffle_epi8(r, r##i), _mm256_shuffle_epi8(g, g##i)), _mm256_shuffle_epi8(b, b##i))
  __m256i a = MIX(0), m = MIX(1), z = MIX(2);
#undef MIX
  _mm256_storeu_si256((__m256i *)(void *)out, _mm256_permute2x128_si256(a, m, 0x20));
  _mm256_storeu_si256((__m256i *)(void *)(out + 32), _mm256_blend_epi32(z, a, 0xF0));
  _mm256_storeu_si256((__m256i *)(void *)(out + 64), _mm256_permute2x128_si256(m, z, 0x31));
}

RW_INLINE void store_rgba(uint8_t *out, __m256i r, __m256i g, __m256i b) {
  __m256i a = _mm256_set1_epi8(-1);
  __m256i rg0 = _mm256_unpacklo_epi8(r, g), rg1 = _mm256_unpackhi_epi8(r, g), ba0 = _mm256_unpacklo_epi8(b, a), ba1 = _mm256_unpackhi_epi8(b, a);
  __m256i p0 = _mm256_unpacklo_epi16(rg0, ba0), p1 = _mm256_unpackhi_epi16(rg0, ba0);
  __m256i p2 = _mm256_unpacklo_epi16(rg1, ba1), p3 = _mm256_unpackhi_epi16(rg1, ba1);
  _mm256_storeu_si256((__m256i *)(void *)out, _mm256_permute2x128_si256(p0, p1, 0x20));
  _mm256_storeu_si256((__m256i *)(void *)(out + 32), _mm256_permute2x128_si256(p2, p3, 0x20));
  _mm256_storeu_si256((__m256i *)(void *)(out + 64), _mm256_permute2x128_si256(p0, p1, 0x31));
  _mm256_storeu_si256((__m256i *)(void *)(out + 96), _mm256_permute2x128_si256(p2, p3, 0x31));
}

RW_INLINE void rgb_block(const uint8_t *luma, const rw_chunk *c, int32_t x, const rw_yuv_image *in, const constants *k, int wide, uint8_t *out,
                         int channels) {
  __m256i y[2] = {scaled_luma(samples(luma, 0, wide), k), scaled_luma(samples(luma, 16, wide), k)}, u[2], v[2];
  interpolate(c->u, x, in, k->chroma_shift, u);
  interpolate(c->v, x, in, k->chroma_shift, v);
  __m256i r = component(y, u, v, k->c[0]), g = component(y, u, v, k->c[1]), b = component(y, u, v, k->c[2]);
  if (channels == 3)
    store_rgb(out, r, g, b);
  else
    store_rgba(out, r, g, b);
}

RW_INLINE void rgb_span(const rw_chunk *c, const rw_yuv_image *in, const rw_yuv_matrix *m, uint8_t *out, int channels, int wide) {
  constants k = prepare(m, in->bits, 12 - in->bits);
  int32_t x = 0;
  for (; x + 32 <= c->width; x += 32) rgb_block(c->y + (x << wide), c, x, in, &k, wide, out + (ptrdiff_t)x * channels, channels);
  if (x < c->width) {
    // The last columns go through a block of their own, so that nothing is read or written past the row.
    uint8_t luma[64] = {0}, pixels[128];
    memcpy(luma, c->y + (x << wide), (size_t)(c->width - x) << wide);
    rgb_block(luma, c, x, in, &k, wide, pixels, channels);
    memcpy(out + (ptrdiff_t)x * channels, pixels, (size_t)(c->width - x) * (size_t)channels);
  }
}

RW_AVX2 static void rgb(const rw_chunk *c, const rw_yuv_image *in, const rw_yuv_matrix *m, uint8_t *out, int channels) {
  if (in->bits > 8)
    rgb_span(c, in, m, out, channels, 1);
  else
    rgb_span(c, in, m, out, channels, 0);
}

RW_INLINE void luma_block(const uint8_t *luma, const rw_chunk *c, int32_t x, const rw_yuv_image *in, const constants *k, int wide, uint8_t *out) {
  __m256i y[2] = {scaled_luma(samples(luma, 0, wide), k), scaled_luma(samples(luma, 16, wide), k)}, u[2], v[2];
  interpolate(c->u, x, in, k->chroma_shift, u);
  interpolate(c->v, x, in, k->chroma_shift, v);
  _mm256_storeu_si256((__m256i *)(void *)out, component(y, u, v, k->c[0]));
}

RW_INLINE void luma_span(const rw_chunk *c, const rw_yuv_image *in, const rw_yuv_matrix *m, uint8_t *out, int wide) {
  constants k = prepare(m, in->bits, 12 - in->bits);
  int32_t x = 0;
  for (; x + 32 <= c->width; x += 32) luma_block(c->y + (x << wide), c, x, in, &k, wide, out + x);
  if (x < c->width) {
    uint8_t luma[64] = {0}, bytes[32];
    memcpy(luma, c->y + (x << wide), (size_t)(c->width - x) << wide);
    luma_block(luma, c, x, in, &k, wide, bytes);
    memcpy(out + x, bytes, (size_t)(c->width - x));
  }
}

RW_AVX2 static void luma(const rw_chunk *c, const rw_yuv_image *in, const rw_yuv_matrix *m, uint8_t *out) {
  if (in->bits > 8)
    luma_span(c, in, m, out, 1);
  else
    luma_span(c, in, m, out, 0);
}

RW_INLINE void range_span(const uint8_t *y, int32_t count, const constants *k, uint8_t *out, int wide) {
  int32_t x = 0;
  for (; x + 32 <= count; x += 32)
    _mm256_storeu_si256((__m256i *)(void *)(out + x),
                        pack(rounded(scaled_luma(samples(y, x, wide), k)), rounded(scaled_luma(samples(y, x + 16, wide), k))));
  if (x < count) {
    uint8_t in[64] = {0}, bytes[32];
    memcpy(in, y + ((ptrdiff_t)x << wide), (size_t)(count - x) << wide);
    _mm256_storeu_si256((__m256i *)(void *)bytes, pack(rounded(scaled_luma(samples(in, 0, wide), k)), rounded(scaled_luma(samples(in, 16, wide), k))));
    memcpy(out + x, bytes, (size_t)(count - x));
  }
}

RW_AVX2 static void luma_range(const uint8_t *y, int32_t count, int bits, const rw_yuv_matrix *m, uint8_t *out) {
  constants k = prepare(m, bits, 0);
  if (bits > 8)
    range_span(y, count, &k, out, 1);
  else
    range_span(y, count, &k, out, 0);
}

RW_INLINE void chroma_block(const uint8_t *u, const uint8_t *v, __m256i mid, const constants *k, int wide, uint8_t *out_u, uint8_t *out_v) {
  __m256i neutral = _mm256_set1_epi16(128 << 6), y[2] = {neutral, neutral}, a[2], b[2];
  for (int i = 0; i < 2; i++) {
    a[i] = _mm256_sll_epi16(_mm256_sub_epi16(samples(u, 16 * i, wide), mid), k->chroma_shift);
    b[i] = _mm256_sll_epi16(_mm256_sub_epi16(samples(v, 16 * i, wide), mid), k->chroma_shift);
  }
  _mm256_storeu_si256((__m256i *)(void *)out_u, component(y, a, b, k->c[1]));
  _mm256_storeu_si256((__m256i *)(void *)out_v, component(y, a, b, k->c[2]));
}

RW_INLINE void chroma_span(const uint8_t *u, const uint8_t *v, int32_t count, int bits, const rw_yuv_matrix *m, uint8_t *out_u, uint8_t *out_v,
                           int wide) {
  constants k = prepare(m, bits, 16 - bits);
  __m256i mid = _mm256_set1_epi16((short)(1 << (bits - 1)));
  int32_t x = 0;
  for (; x + 32 <= count; x += 32) chroma_block(u + ((ptrdiff_t)x << wide), v + ((ptrdiff_t)x << wide), mid, &k, wide, out_u + x, out_v + x);
  if (x < count) {
    uint8_t in_u[64] = {0}, in_v[64] = {0}, bytes_u[32], bytes_v[32];
    memcpy(in_u, u + ((ptrdiff_t)x << wide), (size_t)(count - x) << wide);
    memcpy(in_v, v + ((ptrdiff_t)x << wide), (size_t)(count - x) << wide);
    chroma_block(in_u, in_v, mid, &k, wide, bytes_u, bytes_v);
    memcpy(out_u + x, bytes_u, (size_t)(count - x));
    memcpy(out_v + x, bytes_v, (size_t)(count - x));
  }
}

RW_AVX2 static void chroma(const uint8_t *u, const uint8_t *v, int32_t count, int bits, const rw_yuv_matrix *m, uint8_t *out_u, uint8_t *out_v) {
  if (bits > 8)
    chroma_span(u, v, count, bits, m, out_u, out_v, 1);
  else
    chroma_span(u, v, count, bits, m, out_u, out_v, 0);
}

RW_AVX2 static void accumulate8(uint16_t *sum, const uint8_t *row, int weight, int32_t count) {
  __m256i w = _mm256_set1_epi16((short)weight);
  int32_t x = 0;
  for (; x + 16 <= count; x += 16)
    _mm256_storeu_si256((__m256i *)(void *)(sum + x), _mm256_add_epi16(load16(sum + x), _mm256_mullo_epi16(samples(row, x, 0), w)));
  for (; x < count; x++) sum[x] = (uint16_t)(sum[x] + row[x] * weight);
}

RW_AVX2 static void accumulate16(uint32_t *sum, const uint16_t *row, int weight, int32_t count) {
  __m256i w = _mm256_set1_epi32(weight);
  int32_t x = 0;
  for (; x + 8 <= count; x += 8) {
    __m256i s = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)(row + x)));
    _mm256_storeu_si256((__m256i *)(void *)(sum + x), _mm256_add_epi32(load16(sum + x), _mm256_mullo_epi32(s, w)));
  }
  for (; x < count; x++) sum[x] += (uint32_t)row[x] * (uint32_t)weight;
}

RW_AVX2 static uint64_t sad(const uint8_t *a, const uint8_t *b, int32_t count) {
  __m256i sum = _mm256_setzero_si256();
  int32_t x = 0;
  for (; x + 32 <= count; x += 32) sum = _mm256_add_epi64(sum, _mm256_sad_epu8(load16(a + x), load16(b + x)));
  uint64_t lanes[4], total;
  _mm256_storeu_si256((__m256i *)(void *)lanes, sum);
  total = lanes[0] + lanes[1] + lanes[2] + lanes[3];
  for (; x < count; x++) total += (uint64_t)(a[x] > b[x] ? a[x] - b[x] : b[x] - a[x]);
  return total;
}

const rw_convert_table rw_convert_avx2 = {blend, rgb, luma, luma_range, chroma, accumulate8, accumulate16, sad};

#endif
