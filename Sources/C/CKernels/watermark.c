#include "kernels_watermark.h"

#include <math.h>
#include <string.h>

// The loops below are written once, inlined into one function per instruction set, and vectorised by the compiler
// there; only what the compiler does badly (statistics and embedding) has intrinsics.

#define INLINE static inline __attribute__((always_inline))

INLINE int16_t activity_of(uint32_t scaled_variance) {
  if (scaled_variance == 0) return 0;
  float f = (float)scaled_variance;
  uint32_t bits;
  memcpy(&bits, &f, sizeof bits);
  return (int16_t)((bits >> 18) - (127u << 5));
}

INLINE int block_origin(int block, int length) { return block * 8 + 8 <= length ? block * 8 : length - 8; }

INLINE void block_u8(const uint8_t *p, ptrdiff_t stride, int16_t *activity, uint8_t *mean) {
  uint32_t sum = 0, squares = 0;
  for (int y = 0; y < 8; y++, p += stride)
    for (int x = 0; x < 8; x++) {
      uint32_t v = p[x];
      sum += v;
      squares += v * v;
    }
  *mean = (uint8_t)((sum + 32) >> 6);
  *activity = activity_of(64 * squares - sum * sum);
}

INLINE void block_u16(const uint16_t *p, ptrdiff_t stride, int depth, int16_t *activity, uint8_t *mean) {
  uint32_t limit = (1u << depth) - 1;
  uint64_t sum = 0, squares = 0;
  for (int y = 0; y < 8; y++, p += stride)
    for (int x = 0; x < 8; x++) {
      uint32_t v = p[x] < limit ? p[x] : limit;
      sum += v;
      squares += (uint64_t)v * v;
    }
  uint64_t m = (sum + 32) >> 6 >> (depth - 8);
  *mean = (uint8_t)(m < 255 ? m : 255);
  *activity = activity_of((uint32_t)((64 * squares - sum * sum) >> (2 * (depth - 8))));
}

INLINE void stats_u8_rows(const uint8_t *luma, ptrdiff_t stride, int width, int height, int16_t *activity, uint8_t *mean) {
  int columns = (width + 7) / 8, rows = (height + 7) / 8;
  for (int b = 0; b < rows; b++) {
    const uint8_t *row = luma + block_origin(b, height) * stride;
    for (int a = 0; a < columns; a++) block_u8(row + block_origin(a, width), stride, activity++, mean++);
  }
}

static void stats_u8_c(const uint8_t *luma, ptrdiff_t stride, int width, int height, int16_t *activity, uint8_t *mean) {
  stats_u8_rows(luma, stride, width, height, activity, mean);
}

INLINE void stats_u16_rows(const uint16_t *luma, ptrdiff_t stride, int width, int height, int depth, int16_t *activity, uint8_t *mean) {
  int columns = (width + 7) / 8, rows = (height + 7) / 8;
  for (int b = 0; b < rows; b++) {
    const uint16_t *row = luma + block_origin(b, height) * stride;
    for (int a = 0; a < columns; a++) block_u16(row + block_origin(a, width), stride, depth, activity++, mean++);
  }
}

static void stats_u16_c(const uint16_t *luma, ptrdiff_t stride, int width, int height, int depth, int16_t *activity, uint8_t *mean) {
  stats_u16_rows(luma, stride, width, height, depth, activity, mean);
}

// Three passes: horizontal minimum, strength from the 3x3 minimum, separable box whose edges repeat.
INLINE uint64_t mask_body(const int16_t *activity, const uint8_t *mean, int columns, int rows, const rw_watermark_tables *tables,
                          int16_t *scratch, uint16_t *strength) {
  size_t count = (size_t)columns * (size_t)rows;
  int16_t *across = scratch;
  uint16_t *raw = (uint16_t *)scratch + count, *summed = (uint16_t *)scratch + 2 * count;
  for (int y = 0; y < rows; y++) {
    const int16_t *in = activity + (size_t)y * columns;
    int16_t *out = across + (size_t)y * columns;
    for (int x = 1; x < columns - 1; x++) {
      int16_t m = in[x - 1] < in[x] ? in[x - 1] : in[x];
      out[x] = m < in[x + 1] ? m : in[x + 1];
    }
    int last = columns - 1, second = columns > 1 ? 1 : 0;
    out[0] = in[0] < in[second] ? in[0] : in[second];
    out[last] = in[last] < in[last - second] ? in[last] : in[last - second];
  }
  for (int y = 0; y < rows; y++) {
    const int16_t *mid = across + (size_t)y * columns;
    const int16_t *up = y > 0 ? mid - columns : mid, *down = y < rows - 1 ? mid + columns : mid;
    const int16_t *own = activity + (size_t)y * columns;
    const uint8_t *means = mean + (size_t)y * columns;
    uint16_t *out = raw + (size_t)y * columns;
    for (int x = 0; x < columns; x++) {
      int16_t m = up[x] < down[x] ? up[x] : down[x];
      m = m < mid[x] ? m : mid[x];
      uint32_t s = tables->strength[own[x] + m];
      out[x] = (uint16_t)((s * tables->luma[means[x]]) >> 8);
    }
  }
  // Sums of three need 17 bits: a third is taken in each direction, as a multiplication by 21845 / 65536.
  for (int y = 0; y < rows; y++) {
    const uint16_t *in = raw + (size_t)y * columns;
    uint16_t *out = summed + (size_t)y * columns;
    for (int x = 1; x < columns - 1; x++)
      out[x] = (uint16_t)((((uint32_t)in[x - 1] + in[x] + in[x + 1]) * 21846u) >> 16);
    int last = columns - 1, second = columns > 1 ? 1 : 0;
    out[0] = (uint16_t)((((uint32_t)in[0] * 2 + in[second]) * 21846u) >> 16);
    out[last] = (uint16_t)((((uint32_t)in[last] * 2 + in[last - second]) * 21846u) >> 16);
  }
  uint64_t total = 0;
  for (int y = 0; y < rows; y++) {
    const uint16_t *mid = summed + (size_t)y * columns;
    const uint16_t *up = y > 0 ? mid - columns : mid, *down = y < rows - 1 ? mid + columns : mid;
    uint16_t *out = strength + (size_t)y * columns;
    uint64_t squares = 0;
    for (int x = 0; x < columns; x++) {
      uint32_t s = (((uint32_t)up[x] + mid[x] + down[x]) * 21846u) >> 16;
      out[x] = (uint16_t)s;
      squares += (uint64_t)(s * s);
    }
    total += squares;
  }
  return total;
}

static uint64_t mask_c(const int16_t *activity, const uint8_t *mean, int columns, int rows, const rw_watermark_tables *tables,
                       int16_t *scratch, uint16_t *strength) {
  return mask_body(activity, mean, columns, rows, tables, scratch, strength);
}

INLINE int16_t scale_round(int16_t a, int16_t b) { return (int16_t)(((int32_t)a * b + 0x4000) >> 15); }

// One row of amplitudes at block centres, expanded to pixels: pixel x lies (2x - 7) / 16 blocks after centre 0.
INLINE void expand_row(const int16_t *amplitude, int columns, int width, int16_t *out) {
  static const int16_t fraction[8] = {2048, 6144, 10240, 14336, 18432, 22528, 26624, 30720};
  for (int x = 0; x < 4; x++) out[x] = amplitude[0];
  for (int c = 0; c < columns; c++) {
    int16_t a = amplitude[c], b = amplitude[c + 1 < columns ? c + 1 : c];
    int16_t step = (int16_t)(b - a), *o = out + 4 + 8 * c;
    for (int i = 0; i < 8; i++) o[i] = (int16_t)(a + scale_round(step, fraction[i]));
  }
}

typedef void (*row_u8)(uint8_t *d, const uint8_t *s, int width, const int16_t *above, const int16_t *below, int16_t fraction,
                       const int8_t *pattern);
typedef void (*row_u16)(uint16_t *d, const uint16_t *s, int width, int limit, const int16_t *above, const int16_t *below,
                        int16_t fraction, const int8_t *pattern);
typedef void (*expand)(const int16_t *amplitude, int columns, int width, int16_t *out);

INLINE void embed_row_u8(uint8_t *d, const uint8_t *s, int from, int width, const int16_t *above, const int16_t *below,
                         int16_t fraction, const int8_t *pattern) {
  for (int x = from; x < width; x++) {
    int16_t e = (int16_t)(above[x] + scale_round((int16_t)(below[x] - above[x]), fraction));
    int v = s[x] + scale_round(pattern[x], e);
    d[x] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
  }
}

INLINE void embed_row_u16(uint16_t *d, const uint16_t *s, int from, int width, int limit, const int16_t *above, const int16_t *below,
                          int16_t fraction, const int8_t *pattern) {
  for (int x = from; x < width; x++) {
    int16_t e = (int16_t)(above[x] + scale_round((int16_t)(below[x] - above[x]), fraction));
    int16_t v = (int16_t)((int16_t)s[x] + scale_round(pattern[x], e));
    d[x] = (uint16_t)(v < 0 ? 0 : v > limit ? limit : v);
  }
}

static void row_u8_c(uint8_t *d, const uint8_t *s, int width, const int16_t *above, const int16_t *below, int16_t fraction,
                     const int8_t *pattern) {
  embed_row_u8(d, s, 0, width, above, below, fraction, pattern);
}

static void row_u16_c(uint16_t *d, const uint16_t *s, int width, int limit, const int16_t *above, const int16_t *below,
                      int16_t fraction, const int8_t *pattern) {
  embed_row_u16(d, s, 0, width, limit, above, below, fraction, pattern);
}

static void expand_c(const int16_t *amplitude, int columns, int width, int16_t *out) { expand_row(amplitude, columns, width, out); }

// Keeps the expanded rows of the two block rows whose centres enclose row y.
typedef struct {
  int16_t *rows[2];
  int held[2];
  int columns, block_rows, width;
  const int16_t *amplitude;
  expand expand;
} row_cache;

static const int16_t *cached_row(row_cache *c, int block) {
  block = block < 0 ? 0 : block >= c->block_rows ? c->block_rows - 1 : block;
  int slot = block & 1;
  if (c->held[slot] != block) {
    c->expand(c->amplitude + (ptrdiff_t)block * c->columns, c->columns, c->width, c->rows[slot]);
    c->held[slot] = block;
  }
  return c->rows[slot];
}

static row_cache new_cache(int width, int height, const int16_t *amplitude, int16_t *scratch, expand expand) {
  return (row_cache){.rows = {scratch, scratch + width + 64}, .held = {-1, -1}, .columns = (width + 7) / 8,
                     .block_rows = (height + 7) / 8, .width = width, .amplitude = amplitude, .expand = expand};
}

INLINE void embed_u8_rows(uint8_t *destination, ptrdiff_t destination_stride, const uint8_t *source, ptrdiff_t source_stride, int width,
                          int height, const int16_t *amplitude, const int8_t *pattern, ptrdiff_t pattern_stride, int pattern_rows,
                          int16_t *scratch, expand expand, row_u8 row) {
  row_cache cache = new_cache(width, height, amplitude, scratch, expand);
  for (int y = 0; y < height; y++) {
    int block = (y + 4) / 8 - 1, phase = (y + 4) & 7;
    const int16_t *above = cached_row(&cache, block), *below = cached_row(&cache, block + 1);
    row(destination + y * destination_stride, source + y * source_stride, width, above, below, (int16_t)((2 * phase + 1) * 2048),
        pattern + (ptrdiff_t)(y % pattern_rows) * pattern_stride);
  }
}

INLINE void embed_u16_rows(uint16_t *destination, ptrdiff_t destination_stride, const uint16_t *source, ptrdiff_t source_stride,
                           int width, int height, int depth, const int16_t *amplitude, const int8_t *pattern,
                           ptrdiff_t pattern_stride, int pattern_rows, int16_t *scratch, expand expand, row_u16 row) {
  row_cache cache = new_cache(width, height, amplitude, scratch, expand);
  for (int y = 0; y < height; y++) {
    int block = (y + 4) / 8 - 1, phase = (y + 4) & 7;
    const int16_t *above = cached_row(&cache, block), *below = cached_row(&cache, block + 1);
    row(destination + y * destination_stride, source + y * source_stride, width, (1 << depth) - 1, above, below,
        (int16_t)((2 * phase + 1) * 2048), pattern + (ptrdiff_t)(y % pattern_rows) * pattern_stride);
  }
}

#define EMBED_FUNCTIONS(isa)                                                                                                    \
  static void embed_u8_##isa(uint8_t *destination, ptrdiff_t destination_stride, const uint8_t *source, ptrdiff_t source_stride, \
                             int width, int height, const int16_t *amplitude, const int8_t *pattern, ptrdiff_t pattern_stride,   \
                             int pattern_rows, int16_t *scratch) {                                                               \
    embed_u8_rows(destination, destination_stride, source, source_stride, width, height, amplitude, pattern, pattern_stride,     \
                  pattern_rows, scratch, expand_##isa, row_u8_##isa);                                                            \
  }                                                                                                                              \
  static void embed_u16_##isa(uint16_t *destination, ptrdiff_t destination_stride, const uint16_t *source,                       \
                              ptrdiff_t source_stride, int width, int height, int depth, const int16_t *amplitude,               \
                              const int8_t *pattern, ptrdiff_t pattern_stride, int pattern_rows, int16_t *scratch) {             \
    embed_u16_rows(destination, destination_stride, source, source_stride, width, height, depth, amplitude, pattern,             \
                   pattern_stride, pattern_rows, scratch, expand_##isa, row_u16_##isa);                                          \
  }

EMBED_FUNCTIONS(c)

static const rw_watermark_kernels portable = {"portable", stats_u8_c, stats_u16_c, mask_c, embed_u8_c, embed_u16_c};

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2")))

// Four blocks at a time: sums by SAD against zero, squares by multiply-add of widened bytes.
AVX2 static void stats_u8_avx2(const uint8_t *luma, ptrdiff_t stride, int width, int height, int16_t *activity, uint8_t *mean) {
  int columns = (width + 7) / 8, rows = (height + 7) / 8;
  const __m256i zero = _mm256_setzero_si256();
  for (int b = 0; b < rows; b++, activity += columns, mean += columns) {
    const uint8_t *row = luma + block_origin(b, height) * stride;
    int a = 0;
    for (; a * 8 + 32 <= width; a += 4) {
      const uint8_t *p = row + a * 8;
      __m256i sum = zero, low = zero, high = zero;
      for (int y = 0; y < 8; y++, p += stride) {
        __m256i v = _mm256_loadu_si256((const __m256i *)p);
        sum = _mm256_add_epi64(sum, _mm256_sad_epu8(v, zero));
        __m256i l = _mm256_unpacklo_epi8(v, zero), h = _mm256_unpackhi_epi8(v, zero);
        low = _mm256_add_epi32(low, _mm256_madd_epi16(l, l));
        high = _mm256_add_epi32(high, _mm256_madd_epi16(h, h));
      }
      // low: blocks 0 and 2, high: blocks 1 and 3, four partial sums each.
      __m256i pairs = _mm256_hadd_epi32(low, high);
      pairs = _mm256_hadd_epi32(pairs, pairs);  // lane 0: b0 b1 b0 b1, lane 1: b2 b3 b2 b3
      __m256i squares = _mm256_unpacklo_epi32(pairs, zero);
      __m256i scaled = _mm256_sub_epi32(_mm256_slli_epi64(squares, 6), _mm256_mul_epu32(sum, sum));
      uint64_t s[4], q[4];
      _mm256_storeu_si256((__m256i *)s, sum);
      _mm256_storeu_si256((__m256i *)q, scaled);
      for (int i = 0; i < 4; i++) {
        mean[a + i] = (uint8_t)((s[i] + 32) >> 6);
        activity[a + i] = activity_of((uint32_t)q[i]);
      }
    }
    for (; a < columns; a++) block_u8(row + block_origin(a, width), stride, activity + a, mean + a);
  }
}

AVX2 static void stats_u16_avx2(const uint16_t *luma, ptrdiff_t stride, int width, int height, int depth, int16_t *activity,
                                uint8_t *mean) {
  stats_u16_rows(luma, stride, width, height, depth, activity, mean);
}

AVX2 static uint64_t mask_avx2(const int16_t *activity, const uint8_t *mean, int columns, int rows, const rw_watermark_tables *tables,
                               int16_t *scratch, uint16_t *strength) {
  return mask_body(activity, mean, columns, rows, tables, scratch, strength);
}

AVX2 static void expand_avx2(const int16_t *amplitude, int columns, int width, int16_t *out) {
  const __m128i fraction = _mm_setr_epi16(2048, 6144, 10240, 14336, 18432, 22528, 26624, 30720);
  for (int x = 0; x < 4; x++) out[x] = amplitude[0];
  for (int c = 0; c < columns; c++) {
    int16_t a = amplitude[c], b = amplitude[c + 1 < columns ? c + 1 : c];
    __m128i v = _mm_add_epi16(_mm_set1_epi16(a), _mm_mulhrs_epi16(_mm_set1_epi16((int16_t)(b - a)), fraction));
    _mm_storeu_si128((__m128i *)(out + 4 + 8 * c), v);
  }
}

#define DELTA_256(x)                                                                                                     \
  ({                                                                                                                     \
    __m256i top = _mm256_loadu_si256((const __m256i *)(above + (x)));                                                    \
    __m256i bottom = _mm256_loadu_si256((const __m256i *)(below + (x)));                                                 \
    __m256i e = _mm256_add_epi16(top, _mm256_mulhrs_epi16(_mm256_sub_epi16(bottom, top), weight));                       \
    _mm256_mulhrs_epi16(_mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(pattern + (x)))), e);                     \
  })

AVX2 static void row_u8_avx2(uint8_t *d, const uint8_t *s, int width, const int16_t *above, const int16_t *below, int16_t fraction,
                             const int8_t *pattern) {
  const __m256i weight = _mm256_set1_epi16(fraction);
  int x = 0;
  for (; x + 32 <= width; x += 32) {
    __m256i a = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(s + x)));
    __m256i b = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(s + x + 16)));
    a = _mm256_add_epi16(a, DELTA_256(x));
    b = _mm256_add_epi16(b, DELTA_256(x + 16));
    _mm256_storeu_si256((__m256i *)(d + x), _mm256_permute4x64_epi64(_mm256_packus_epi16(a, b), 0xd8));
  }
  if (x + 16 <= width) {
    __m256i a = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(s + x)));
    a = _mm256_add_epi16(a, DELTA_256(x));
    a = _mm256_permute4x64_epi64(_mm256_packus_epi16(a, a), 0xd8);
    _mm_storeu_si128((__m128i *)(d + x), _mm256_castsi256_si128(a));
    x += 16;
  }
  embed_row_u8(d, s, x, width, above, below, fraction, pattern);
}

AVX2 static void row_u16_avx2(uint16_t *d, const uint16_t *s, int width, int limit, const int16_t *above, const int16_t *below,
                              int16_t fraction, const int8_t *pattern) {
  const __m256i weight = _mm256_set1_epi16(fraction), top = _mm256_set1_epi16((int16_t)limit), zero = _mm256_setzero_si256();
  int x = 0;
  for (; x + 16 <= width; x += 16) {
    __m256i a = _mm256_add_epi16(_mm256_loadu_si256((const __m256i *)(s + x)), DELTA_256(x));
    a = _mm256_min_epi16(_mm256_max_epi16(a, zero), top);
    _mm256_storeu_si256((__m256i *)(d + x), a);
  }
  embed_row_u16(d, s, x, width, limit, above, below, fraction, pattern);
}

EMBED_FUNCTIONS(avx2)

static const rw_watermark_kernels avx2 = {"avx2", stats_u8_avx2, stats_u16_avx2, mask_avx2, embed_u8_avx2, embed_u16_avx2};

AVX512 static uint64_t mask_avx512(const int16_t *activity, const uint8_t *mean, int columns, int rows,
                                   const rw_watermark_tables *tables, int16_t *scratch, uint16_t *strength) {
  return mask_body(activity, mean, columns, rows, tables, scratch, strength);
}

AVX512 static void stats_u16_avx512(const uint16_t *luma, ptrdiff_t stride, int width, int height, int depth, int16_t *activity,
                                    uint8_t *mean) {
  stats_u16_rows(luma, stride, width, height, depth, activity, mean);
}

#define expand_avx512 expand_avx2

#define DELTA_512(x, valid)                                                                                              \
  ({                                                                                                                     \
    __m512i top = _mm512_maskz_loadu_epi16(valid, above + (x));                                                          \
    __m512i bottom = _mm512_maskz_loadu_epi16(valid, below + (x));                                                       \
    __m512i e = _mm512_add_epi16(top, _mm512_mulhrs_epi16(_mm512_sub_epi16(bottom, top), weight));                       \
    _mm512_mulhrs_epi16(_mm512_cvtepi8_epi16(_mm256_maskz_loadu_epi8(valid, pattern + (x))), e);                         \
  })

AVX512 static void row_u8_avx512(uint8_t *d, const uint8_t *s, int width, const int16_t *above, const int16_t *below, int16_t fraction,
                                 const int8_t *pattern) {
  const __m512i weight = _mm512_set1_epi16(fraction), zero = _mm512_setzero_si512();
  for (int x = 0; x < width; x += 32) {
    __mmask32 valid = width - x >= 32 ? 0xffffffffu : (1u << (width - x)) - 1;
    __m512i a = _mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(valid, s + x));
    a = _mm512_max_epi16(_mm512_add_epi16(a, DELTA_512(x, valid)), zero);
    _mm256_mask_storeu_epi8(d + x, valid, _mm512_cvtusepi16_epi8(a));
  }
}

AVX512 static void row_u16_avx512(uint16_t *d, const uint16_t *s, int width, int limit, const int16_t *above, const int16_t *below,
                                  int16_t fraction, const int8_t *pattern) {
  const __m512i weight = _mm512_set1_epi16(fraction), top16 = _mm512_set1_epi16((int16_t)limit), zero = _mm512_setzero_si512();
  for (int x = 0; x < width; x += 32) {
    __mmask32 valid = width - x >= 32 ? 0xffffffffu : (1u << (width - x)) - 1;
    __m512i a = _mm512_add_epi16(_mm512_maskz_loadu_epi16(valid, s + x), DELTA_512(x, valid));
    _mm512_mask_storeu_epi16(d + x, valid, _mm512_min_epi16(_mm512_max_epi16(a, zero), top16));
  }
}

EMBED_FUNCTIONS(avx512)

static const rw_watermark_kernels avx512 = {"avx512", stats_u8_avx2, stats_u16_avx512, mask_avx512, embed_u8_avx512, embed_u16_avx512};

int rw_watermark_variant_count(void) {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2")) return 1;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl") ||
      !__builtin_cpu_supports("avx512dq"))
    return 2;
  return 3;
}

const rw_watermark_kernels *rw_watermark_variant(int index) { return index >= 2 ? &avx512 : index == 1 ? &avx2 : &portable; }

#else

int rw_watermark_variant_count(void) { return 1; }
const rw_watermark_kernels *rw_watermark_variant(int index) {
  (void)index;
  return &portable;
}

#endif

void rw_watermark_fill_tables(rw_watermark_tables *tables, float least, float gain, float exponent, float most) {
  for (int i = 0; i < RW_WATERMARK_STRENGTH_ENTRIES; i++) {
    // The sum of two activities is 64 log2(4096^2 var var'), so that log2 of sqrt(sd sd') is i / 128 - 6.
    float activity = exp2f((float)i / 128.f - 6.f);
    float s = least + gain * powf(activity, exponent);
    tables->strength[i] = (uint16_t)((s < most ? s : most) * 4096.f + .5f);
  }
  for (int m = 0; m < 256; m++) {
    float dark = (float)m / 40.f, bright = (275.f - (float)m) / 60.f;
    dark = dark < .35f ? .35f : dark > 1 ? 1 : dark;
    bright = bright < .5f ? .5f : bright > 1 ? 1 : bright;
    tables->luma[m] = (uint16_t)(dark * bright * 256.f + .5f);
  }
}

void rw_watermark_amplitudes(const uint16_t *strength, int count, float scale, int16_t *amplitude) {
  for (int i = 0; i < count; i++) {
    float a = (float)strength[i] * scale + .5f;
    amplitude[i] = (int16_t)(a < 32767.f ? a : 32767.f);
  }
}

float rw_pattern_quantise(const float *plane, int width, int rows, float clip, int8_t *samples, int stride) {
  size_t count = (size_t)width * (size_t)rows;
  double squares = 0, clipped = 0;
  for (size_t i = 0; i < count; i++) squares += (double)plane[i] * (double)plane[i];
  float scale = squares > 0 ? (float)(1 / sqrt(squares / (double)count)) : 0;
  for (size_t i = 0; i < count; i++) {
    float v = plane[i] * scale;
    v = v < -clip ? -clip : v > clip ? clip : v;
    clipped += (double)v * (double)v;
  }
  float again = clipped > 0 ? (float)(1 / sqrt(clipped / (double)count)) : 0;
  float step = clip * again / 127.f;
  for (int y = 0; y < rows; y++)
    for (int x = 0; x < width; x++) {
      float v = plane[(size_t)y * width + x] * scale;
      v = v < -clip ? -clip : v > clip ? clip : v;
      samples[(size_t)y * stride + x] = (int8_t)lrintf(v * 127.f / clip);
    }
  return step;
}
