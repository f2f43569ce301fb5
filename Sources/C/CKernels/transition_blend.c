// Row kernels of crossfade, three-way mix and mask blend.

#include "transition_rows.h"

void rw_crossfade8_scalar(uint8_t *dst, const uint8_t *a, const uint8_t *b, size_t n, int weight) {
  for (size_t i = 0; i < n; i++) dst[i] = (uint8_t)(a[i] + rw_scale(b[i] - a[i], weight));
}

void rw_crossfade16_scalar(uint16_t *dst, const uint16_t *a, const uint16_t *b, size_t n, int weight) {
  for (size_t i = 0; i < n; i++) dst[i] = (uint16_t)(a[i] + rw_scale(b[i] - a[i], weight));
}

void rw_mix8_scalar(uint8_t *dst, const uint8_t *a, const uint8_t *b, size_t n, int weightA, int weightB, int32_t constant) {
  for (size_t i = 0; i < n; i++) dst[i] = (uint8_t)rw_clamp((a[i] * weightA + b[i] * weightB + constant + 0x4000) >> 15, 0, 255);
}

void rw_mix16_scalar(uint16_t *dst, const uint16_t *a, const uint16_t *b, size_t n, int weightA, int weightB, int32_t constant, int max) {
  for (size_t i = 0; i < n; i++) dst[i] = (uint16_t)rw_clamp((a[i] * weightA + b[i] * weightB + constant + 0x4000) >> 15, 0, max);
}

void rw_blend8_scalar(uint8_t *dst, const uint8_t *a, const uint8_t *b, const uint8_t *mask, size_t n) {
  for (size_t i = 0; i < n; i++) dst[i] = (uint8_t)(a[i] + rw_scale(b[i] - a[i], rw_mask_weight(mask[i])));
}

void rw_blend16_scalar(uint16_t *dst, const uint16_t *a, const uint16_t *b, const uint8_t *mask, size_t n) {
  for (size_t i = 0; i < n; i++) dst[i] = (uint16_t)(a[i] + rw_scale(b[i] - a[i], rw_mask_weight(mask[i])));
}

#if defined(__x86_64__)

RW_AVX2 void rw_crossfade8_avx2(uint8_t *dst, const uint8_t *a, const uint8_t *b, size_t n, int weight) {
  const __m256i w = _mm256_set1_epi16((short)weight), zero = _mm256_setzero_si256();
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    __m256i va = _mm256_loadu_si256((const __m256i *)(a + i)), vb = _mm256_loadu_si256((const __m256i *)(b + i));
    __m256i al = _mm256_unpacklo_epi8(va, zero), ah = _mm256_unpackhi_epi8(va, zero);
    __m256i dl = _mm256_sub_epi16(_mm256_unpacklo_epi8(vb, zero), al), dh = _mm256_sub_epi16(_mm256_unpackhi_epi8(vb, zero), ah);
    al = _mm256_add_epi16(al, _mm256_mulhrs_epi16(dl, w));
    ah = _mm256_add_epi16(ah, _mm256_mulhrs_epi16(dh, w));
    _mm256_storeu_si256((__m256i *)(dst + i), _mm256_packus_epi16(al, ah));
  }
  rw_crossfade8_scalar(dst + i, a + i, b + i, n - i, weight);
}

RW_AVX2 void rw_crossfade16_avx2(uint16_t *dst, const uint16_t *a, const uint16_t *b, size_t n, int weight) {
  const __m256i w = _mm256_set1_epi16((short)weight);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    __m256i va = _mm256_loadu_si256((const __m256i *)(a + i)), vb = _mm256_loadu_si256((const __m256i *)(b + i));
    _mm256_storeu_si256((__m256i *)(dst + i), _mm256_add_epi16(va, _mm256_mulhrs_epi16(_mm256_sub_epi16(vb, va), w)));
  }
  rw_crossfade16_scalar(dst + i, a + i, b + i, n - i, weight);
}

RW_AVX2 static inline __m256i mix(__m256i a, __m256i b, __m256i weights, __m256i constant) {
  __m256i lo = _mm256_srai_epi32(_mm256_add_epi32(_mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), weights), constant), 15);
  __m256i hi = _mm256_srai_epi32(_mm256_add_epi32(_mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), weights), constant), 15);
  return _mm256_packs_epi32(lo, hi);
}

RW_AVX2 void rw_mix8_avx2(uint8_t *dst, const uint8_t *a, const uint8_t *b, size_t n, int weightA, int weightB, int32_t constant) {
  const __m256i w = _mm256_set1_epi32((int)((uint32_t)weightB << 16 | (uint16_t)weightA));
  const __m256i c = _mm256_set1_epi32(constant + 0x4000), zero = _mm256_setzero_si256();
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    __m256i va = _mm256_loadu_si256((const __m256i *)(a + i)), vb = _mm256_loadu_si256((const __m256i *)(b + i));
    __m256i lo = mix(_mm256_unpacklo_epi8(va, zero), _mm256_unpacklo_epi8(vb, zero), w, c);
    __m256i hi = mix(_mm256_unpackhi_epi8(va, zero), _mm256_unpackhi_epi8(vb, zero), w, c);
    _mm256_storeu_si256((__m256i *)(dst + i), _mm256_packus_epi16(lo, hi));
  }
  rw_mix8_scalar(dst + i, a + i, b + i, n - i, weightA, weightB, constant);
}

RW_AVX2 void rw_mix16_avx2(uint16_t *dst, const uint16_t *a, const uint16_t *b, size_t n, int weightA, int weightB, int32_t constant, int max) {
  const __m256i w = _mm256_set1_epi32((int)((uint32_t)weightB << 16 | (uint16_t)weightA));
  const __m256i c = _mm256_set1_epi32(constant + 0x4000), zero = _mm256_setzero_si256(), top = _mm256_set1_epi16((short)max);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    __m256i v = mix(_mm256_loadu_si256((const __m256i *)(a + i)), _mm256_loadu_si256((const __m256i *)(b + i)), w, c);
    _mm256_storeu_si256((__m256i *)(dst + i), _mm256_max_epi16(_mm256_min_epi16(v, top), zero));
  }
  rw_mix16_scalar(dst + i, a + i, b + i, n - i, weightA, weightB, constant, max);
}

RW_AVX2 static inline __m256i mask_weight(__m256i m) {
  return _mm256_or_si256(_mm256_slli_epi16(m, 7), _mm256_srli_epi16(m, 1));
}

RW_AVX2 void rw_blend8_avx2(uint8_t *dst, const uint8_t *a, const uint8_t *b, const uint8_t *mask, size_t n) {
  const __m256i zero = _mm256_setzero_si256();
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    __m256i va = _mm256_loadu_si256((const __m256i *)(a + i)), vb = _mm256_loadu_si256((const __m256i *)(b + i));
    __m256i m = _mm256_loadu_si256((const __m256i *)(mask + i));
    __m256i al = _mm256_unpacklo_epi8(va, zero), ah = _mm256_unpackhi_epi8(va, zero);
    __m256i dl = _mm256_sub_epi16(_mm256_unpacklo_epi8(vb, zero), al), dh = _mm256_sub_epi16(_mm256_unpackhi_epi8(vb, zero), ah);
    al = _mm256_add_epi16(al, _mm256_mulhrs_epi16(dl, mask_weight(_mm256_unpacklo_epi8(m, zero))));
    ah = _mm256_add_epi16(ah, _mm256_mulhrs_epi16(dh, mask_weight(_mm256_unpackhi_epi8(m, zero))));
    _mm256_storeu_si256((__m256i *)(dst + i), _mm256_packus_epi16(al, ah));
  }
  rw_blend8_scalar(dst + i, a + i, b + i, mask + i, n - i);
}

RW_AVX2 void rw_blend16_avx2(uint16_t *dst, const uint16_t *a, const uint16_t *b, const uint8_t *mask, size_t n) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    __m256i va = _mm256_loadu_si256((const __m256i *)(a + i)), vb = _mm256_loadu_si256((const __m256i *)(b + i));
    __m256i w = mask_weight(_mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(mask + i))));
    _mm256_storeu_si256((__m256i *)(dst + i), _mm256_add_epi16(va, _mm256_mulhrs_epi16(_mm256_sub_epi16(vb, va), w)));
  }
  rw_blend16_scalar(dst + i, a + i, b + i, mask + i, n - i);
}

#endif
