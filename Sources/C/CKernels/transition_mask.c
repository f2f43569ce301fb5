// Row kernels that make masks: from a field of arrival times, and the chroma mask from two luma rows.

#include "transition_rows.h"

void rw_mask_half_scalar(uint8_t *dst, const uint8_t *row0, const uint8_t *row1, size_t width) {
  for (size_t i = 0; i < width / 2; i++) dst[i] = (uint8_t)((row0[2 * i] + row0[2 * i + 1] + row1[2 * i] + row1[2 * i + 1] + 2) >> 2);
  if (width & 1) dst[width / 2] = (uint8_t)((2 * row0[width - 1] + 2 * row1[width - 1] + 2) >> 2);
}

int rw_mask_from_field_scalar(uint8_t *dst, const int16_t *field, size_t n, const rw_front *front) {
  const rw_front_gain g = rw_front_prepare(front);
  unsigned all = 255, any = 0;
  for (size_t i = 0; i < n; i++) {
    int d = rw_clamp(rw_min(g.position - field[i], 32767), 0, g.softness);
    int m = rw_min(32767, (int)(((unsigned)d << g.shift) * (unsigned)g.gain >> 16));
    if (g.smooth) {
      int square = rw_scale(m, m);
      m = rw_min(32767, square + 2 * (square - rw_scale(square, m)));
    }
    m = rw_scale(m, 255);
    dst[i] = (uint8_t)m;
    all &= (unsigned)m;
    any |= (unsigned)m;
  }
  return any == 0 ? RW_MASK_NONE : all == 255 ? RW_MASK_ALL : RW_MASK_MIXED;
}

#if defined(__x86_64__)

RW_AVX2 void rw_mask_half_avx2(uint8_t *dst, const uint8_t *row0, const uint8_t *row1, size_t width) {
  const __m256i ones = _mm256_set1_epi8(1), two = _mm256_set1_epi16(2);
  size_t i = 0;
  for (; 2 * i + 32 <= width; i += 16) {
    __m256i s = _mm256_add_epi16(_mm256_maddubs_epi16(_mm256_loadu_si256((const __m256i *)(row0 + 2 * i)), ones),
                                 _mm256_maddubs_epi16(_mm256_loadu_si256((const __m256i *)(row1 + 2 * i)), ones));
    s = _mm256_srli_epi16(_mm256_add_epi16(s, two), 2);
    _mm_storeu_si128((__m128i *)(dst + i), _mm_packus_epi16(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1)));
  }
  rw_mask_half_scalar(dst + i, row0 + 2 * i, row1 + 2 * i, width - 2 * i);
}

RW_AVX2 static inline __m256i field_mask(__m256i field, __m256i position, __m256i softness, __m128i shift, __m256i gain, int smooth) {
  __m256i d = _mm256_subs_epi16(position, field);
  d = _mm256_min_epi16(_mm256_max_epi16(d, _mm256_setzero_si256()), softness);
  __m256i m = _mm256_mulhi_epu16(_mm256_sll_epi16(d, shift), gain);
  m = _mm256_min_epu16(m, _mm256_set1_epi16(32767));
  if (smooth) {
    __m256i square = _mm256_mulhrs_epi16(m, m);
    __m256i rest = _mm256_sub_epi16(square, _mm256_mulhrs_epi16(square, m));
    m = _mm256_adds_epi16(square, _mm256_add_epi16(rest, rest));
  }
  return _mm256_mulhrs_epi16(m, _mm256_set1_epi16(255));
}

RW_AVX2 int rw_mask_from_field_avx2(uint8_t *dst, const int16_t *field, size_t n, const rw_front *front) {
  const rw_front_gain g = rw_front_prepare(front);
  const __m256i position = _mm256_set1_epi16((short)g.position), softness = _mm256_set1_epi16((short)g.softness);
  const __m256i gain = _mm256_set1_epi16((short)g.gain);
  const __m128i shift = _mm_cvtsi32_si128(g.shift);
  __m256i all = _mm256_set1_epi8(-1), any = _mm256_setzero_si256();
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    __m256i lo = field_mask(_mm256_loadu_si256((const __m256i *)(field + i)), position, softness, shift, gain, g.smooth);
    __m256i hi = field_mask(_mm256_loadu_si256((const __m256i *)(field + i + 16)), position, softness, shift, gain, g.smooth);
    __m256i m = _mm256_permute4x64_epi64(_mm256_packus_epi16(lo, hi), 0xd8);
    _mm256_storeu_si256((__m256i *)(dst + i), m);
    all = _mm256_and_si256(all, m);
    any = _mm256_or_si256(any, m);
  }
  int none = _mm256_testz_si256(any, any), full = _mm256_testc_si256(all, _mm256_set1_epi8(-1));
  if (i < n) {
    int tail = rw_mask_from_field_scalar(dst + i, field + i, n - i, front);
    if (i == 0) return tail;
    none = none && tail == RW_MASK_NONE;
    full = full && tail == RW_MASK_ALL;
  }
  return none ? RW_MASK_NONE : full ? RW_MASK_ALL : RW_MASK_MIXED;
}

#endif
