// Separable resampling of a window of a picture: polyphase filters with a phase of their own for every sample.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "transition_rows.h"

/// Fraction bits of filter coefficients.
enum { COEF_BITS = 14 };

void rw_filter_row8_scalar(int16_t *dst, const uint8_t *src, size_t n, const int32_t *first, const int16_t *coef, int taps) {
  for (size_t i = 0; i < n; i++) {
    int sum = 1 << 6;
    for (int j = 0; j < taps; j++) sum += src[first[i] + j] * coef[(ptrdiff_t)i * taps + j];
    dst[i] = (int16_t)rw_clamp(sum >> 7, -32768, 32767);
  }
}

void rw_filter_row16_scalar(int16_t *dst, const uint16_t *src, size_t n, const int32_t *first, const int16_t *coef, int taps, int depth) {
  const int shift = depth - 1;
  for (size_t i = 0; i < n; i++) {
    int sum = 1 << (shift - 1);
    for (int j = 0; j < taps; j++) sum += src[first[i] + j] * coef[(ptrdiff_t)i * taps + j];
    dst[i] = (int16_t)rw_clamp(sum >> shift, -32768, 32767);
  }
}

// Rows hold samples with 15 bits: 8-bit samples shifted by 7. The sum carries COEF_BITS more.

void rw_filter_column8_scalar(uint8_t *dst, const int16_t *const *rows, size_t n, const int16_t *coef, int taps) {
  for (size_t i = 0; i < n; i++) {
    int sum = 1 << 20;
    for (int j = 0; j < taps; j++) sum += rows[j][i] * coef[j];
    dst[i] = (uint8_t)rw_clamp(sum >> 21, 0, 255);
  }
}

void rw_filter_column16_scalar(uint16_t *dst, const int16_t *const *rows, size_t n, const int16_t *coef, int taps, int depth) {
  const int shift = COEF_BITS + 15 - depth, max = (1 << depth) - 1;
  for (size_t i = 0; i < n; i++) {
    int sum = 1 << (shift - 1);
    for (int j = 0; j < taps; j++) sum += rows[j][i] * coef[j];
    dst[i] = (uint16_t)rw_clamp(sum >> shift, 0, max);
  }
}

#if defined(__x86_64__)

/// Four coefficients as one 64-bit lane; rows of coefficients are not aligned.
static inline long long four(const int16_t *coef) {
  long long value;
  memcpy(&value, coef, sizeof value);
  return value;
}

RW_AVX2 void rw_filter_row8_avx2(int16_t *dst, const uint8_t *src, size_t n, const int32_t *first, const int16_t *coef, int taps) {
  const __m256i zero = _mm256_setzero_si256(), round = _mm256_set1_epi32(1 << 6);
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m256i at = _mm256_loadu_si256((const __m256i *)(first + i));
    const int16_t *c = coef + i * (size_t)taps;
    __m256i sum = round;
    for (int j = 0; j < taps; j += 4) {
      __m256i s = _mm256_i32gather_epi32((const int *)(src + j), at, 1);
      __m256i low, high;
      if (taps == 4) {
        __m256i c0 = _mm256_loadu_si256((const __m256i *)c), c1 = _mm256_loadu_si256((const __m256i *)(c + 16));
        // Samples 0 1 | 4 5 and 2 3 | 6 7, as unpack delivers them.
        low = _mm256_permute2x128_si256(c0, c1, 0x20);
        high = _mm256_permute2x128_si256(c0, c1, 0x31);
      } else {
        const int16_t *w = c + j;
        low = _mm256_setr_epi64x(four(w), four(w + taps), four(w + 4 * taps), four(w + 5 * taps));
        high = _mm256_setr_epi64x(four(w + 2 * taps), four(w + 3 * taps), four(w + 6 * taps), four(w + 7 * taps));
      }
      low = _mm256_madd_epi16(_mm256_unpacklo_epi8(s, zero), low);
      high = _mm256_madd_epi16(_mm256_unpackhi_epi8(s, zero), high);
      // hadd works within halves: two partial sums a sample become samples 0 1 2 3 | 4 5 6 7.
      sum = _mm256_add_epi32(sum, _mm256_hadd_epi32(low, high));
    }
    sum = _mm256_srai_epi32(sum, 7);
    _mm_storeu_si128((__m128i *)(dst + i), _mm_packs_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1)));
  }
  rw_filter_row8_scalar(dst + i, src, n - i, first + i, coef + i * (size_t)taps, taps);
}

RW_AVX2 void rw_filter_row16_avx2(int16_t *dst, const uint16_t *src, size_t n, const int32_t *first, const int16_t *coef, int taps, int depth) {
  const int shift = depth - 1;
  const __m128i round = _mm_set1_epi32(1 << (shift - 1)), count = _mm_cvtsi32_si128(shift);
  size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    __m128i sum = round;
    for (int j = 0; j < taps; j += 4) {
      const int16_t *c = coef + i * (size_t)taps + j;
      long long s[4], w[4];
      for (int t = 0; t < 4; t++) {
        memcpy(&s[t], src + first[i + (size_t)t] + j, 8);
        memcpy(&w[t], c + t * taps, 8);
      }
      __m128i low = _mm_madd_epi16(_mm_set_epi64x(s[1], s[0]), _mm_set_epi64x(w[1], w[0]));
      __m128i high = _mm_madd_epi16(_mm_set_epi64x(s[3], s[2]), _mm_set_epi64x(w[3], w[2]));
      sum = _mm_add_epi32(sum, _mm_hadd_epi32(low, high));
    }
    sum = _mm_sra_epi32(sum, count);
    _mm_storel_epi64((__m128i *)(dst + i), _mm_packs_epi32(sum, sum));
  }
  rw_filter_row16_scalar(dst + i, src, n - i, first + i, coef + i * (size_t)taps, taps, depth);
}

/// Sixteen samples of the column filter as int16, in order.
RW_AVX2 static inline __m256i column(const int16_t *const *rows, size_t i, const int16_t *coef, int taps, __m256i round, __m128i shift) {
  __m256i lo = round, hi = round;
  for (int j = 0; j < taps; j += 2) {
    const __m256i c = _mm256_set1_epi32((int)((uint32_t)(uint16_t)coef[j] | (uint32_t)(uint16_t)coef[j + 1] << 16));
    __m256i a = _mm256_loadu_si256((const __m256i *)(rows[j] + i)), b = _mm256_loadu_si256((const __m256i *)(rows[j + 1] + i));
    lo = _mm256_add_epi32(lo, _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), c));
    hi = _mm256_add_epi32(hi, _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), c));
  }
  return _mm256_packs_epi32(_mm256_sra_epi32(lo, shift), _mm256_sra_epi32(hi, shift));
}

RW_AVX2 void rw_filter_column8_avx2(uint8_t *dst, const int16_t *const *rows, size_t n, const int16_t *coef, int taps) {
  const __m256i round = _mm256_set1_epi32(1 << 20);
  const __m128i shift = _mm_cvtsi32_si128(21);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    __m256i v = column(rows, i, coef, taps, round, shift);
    _mm_storeu_si128((__m128i *)(dst + i), _mm_packus_epi16(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1)));
  }
  for (; i < n; i++) {
    int sum = 1 << 20;
    for (int j = 0; j < taps; j++) sum += rows[j][i] * coef[j];
    dst[i] = (uint8_t)rw_clamp(sum >> 21, 0, 255);
  }
}

RW_AVX2 void rw_filter_column16_avx2(uint16_t *dst, const int16_t *const *rows, size_t n, const int16_t *coef, int taps, int depth) {
  const int bits = COEF_BITS + 15 - depth, max = (1 << depth) - 1;
  const __m256i round = _mm256_set1_epi32(1 << (bits - 1)), top = _mm256_set1_epi16((short)max);
  const __m128i shift = _mm_cvtsi32_si128(bits);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    __m256i v = column(rows, i, coef, taps, round, shift);
    _mm256_storeu_si256((__m256i *)(dst + i), _mm256_max_epi16(_mm256_min_epi16(v, top), _mm256_setzero_si256()));
  }
  for (; i < n; i++) {
    int sum = 1 << (bits - 1);
    for (int j = 0; j < taps; j++) sum += rows[j][i] * coef[j];
    dst[i] = (uint16_t)rw_clamp(sum >> bits, 0, max);
  }
}

#endif

/// The filter of one direction of one plane: for each output sample where its taps begin and their weights.
typedef struct {
  int32_t *first;
  int16_t *coef;
  int taps;
  size_t firstCapacity, coefCapacity;
} filter_bank;

struct rw_resampler {
  filter_bank horizontal, vertical;
  int16_t *lines;
  size_t lineCapacity;
  int *lineRow;
  const int16_t **lineOrder;
  size_t lineCount;
  uint8_t *padded;
  size_t paddedCapacity;
};

rw_resampler *rw_resampler_create(void) { return calloc(1, sizeof(rw_resampler)); }

void rw_resampler_free(rw_resampler *r) {
  if (!r) return;
  free(r->horizontal.first);
  free(r->horizontal.coef);
  free(r->vertical.first);
  free(r->vertical.coef);
  free(r->lines);
  free(r->lineRow);
  free((void *)r->lineOrder);
  free(r->padded);
  free(r);
}

static int reserve(void **memory, size_t *capacity, size_t bytes) {
  if (*capacity >= bytes) return 0;
  void *grown = realloc(*memory, bytes);
  if (!grown) return -1;
  *memory = grown;
  *capacity = bytes;
  return 0;
}

/// Keys' cubic convolution with a = -0.5 (Catmull-Rom), or a triangle.
static double kernel(double x, int filter) {
  x = fabs(x);
  if (filter == RW_FILTER_BILINEAR) return x < 1 ? 1 - x : 0;
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}

/// Output sample i of n lies at source sample `start + i * step`. Taps beyond the source fold onto its edge samples.
static int build_bank(filter_bank *bank, int n, int sourceSize, double start, double step, int filter) {
  const double scale = fmax(1, fabs(step));
  const double support = (filter == RW_FILTER_BILINEAR ? 1 : 2) * scale;
  const int taps = ((int)ceil(2 * support) + 3) & ~3;
  bank->taps = taps;
  if (reserve((void **)&bank->first, &bank->firstCapacity, (size_t)n * sizeof(int32_t)) ||
      reserve((void **)&bank->coef, &bank->coefCapacity, (size_t)n * (size_t)taps * sizeof(int16_t)))
    return -1;
  double weights[4096];
  if (taps > 4096) return -1;
  for (int i = 0; i < n; i++) {
    const double center = start + i * step;
    const int begin = (int)floor(center - support) + 1;
    const int first = rw_clamp(begin, 0, rw_max(0, sourceSize - taps));
    double total = 0;
    memset(weights, 0, (size_t)taps * sizeof(double));
    for (int j = 0; j < taps; j++) {
      const double w = kernel((begin + j - center) / scale, filter);
      total += w;
      weights[rw_clamp(rw_clamp(begin + j, 0, sourceSize - 1) - first, 0, taps - 1)] += w;
    }
    // The rounded coefficients sum to exactly one, or flat areas would flicker: the error goes to the largest.
    int16_t *coef = bank->coef + (size_t)i * (size_t)taps;
    int rest = 1 << COEF_BITS, largest = 0;
    for (int j = 0; j < taps; j++) {
      coef[j] = (int16_t)lrint(weights[j] / total * (1 << COEF_BITS));
      rest -= coef[j];
      if (coef[j] > coef[largest]) largest = j;
    }
    coef[largest] = (int16_t)(coef[largest] + rest);
    bank->first[i] = first;
  }
  return 0;
}

static int resample_plane(const rw_transition_kernels *k, rw_resampler *r, uint8_t *dst, ptrdiff_t dstStride, int width, int height,
                          const uint8_t *src, ptrdiff_t srcStride, int srcWidth, int srcHeight, int depth) {
  const int bytes = depth > 8 ? 2 : 1, rowTaps = r->horizontal.taps, columnTaps = r->vertical.taps;
  const size_t lineWidth = ((size_t)width + 31) & ~(size_t)31;
  // One line a vertical tap, found again by its row number modulo the count.
  if (reserve((void **)&r->lines, &r->lineCapacity, lineWidth * (size_t)columnTaps * sizeof(int16_t))) return -1;
  if (r->lineCount < (size_t)columnTaps) {
    free(r->lineRow);
    free((void *)r->lineOrder);
    r->lineCount = 0;
    r->lineRow = malloc((size_t)columnTaps * sizeof(int));
    r->lineOrder = (const int16_t **)malloc((size_t)columnTaps * sizeof(int16_t *));
    if (!r->lineRow || !r->lineOrder) return -1;
    r->lineCount = (size_t)columnTaps;
  }
  for (int j = 0; j < columnTaps; j++) r->lineRow[j] = -1;
  const int isNarrow = srcWidth < rowTaps;
  if (isNarrow && reserve((void **)&r->padded, &r->paddedCapacity, (size_t)rowTaps * 2)) return -1;

  for (int y = 0; y < height; y++) {
    for (int j = 0; j < columnTaps; j++) {
      // A source with fewer rows than taps: weights beyond it are zero, any row serves.
      const int row = rw_min(r->vertical.first[y] + j, srcHeight - 1), slot = row % columnTaps;
      int16_t *line = r->lines + lineWidth * (size_t)slot;
      if (r->lineRow[slot] != row) {
        const uint8_t *from = src + row * srcStride;
        if (isNarrow) {
          memset(r->padded, 0, (size_t)rowTaps * 2);
          memcpy(r->padded, from, (size_t)srcWidth * (size_t)bytes);
          from = r->padded;
        }
        if (bytes == 1) k->filterRow8(line, from, (size_t)width, r->horizontal.first, r->horizontal.coef, rowTaps);
        else k->filterRow16(line, (const uint16_t *)from, (size_t)width, r->horizontal.first, r->horizontal.coef, rowTaps, depth);
        r->lineRow[slot] = row;
      }
      r->lineOrder[j] = line;
    }
    const int16_t *coef = r->vertical.coef + (size_t)y * (size_t)columnTaps;
    uint8_t *to = dst + y * dstStride;
    if (bytes == 1) k->filterColumn8(to, r->lineOrder, (size_t)width, coef, columnTaps);
    else k->filterColumn16((uint16_t *)to, r->lineOrder, (size_t)width, coef, columnTaps, depth);
  }
  return 0;
}

int rw_picture_resample(const rw_transition_kernels *k, rw_resampler *r, const rw_picture *dst, int x, int y, int width, int height,
                        const rw_picture *src, const rw_window *window, int filter) {
  const double stepX = window->width / width, stepY = window->height / height;
  const size_t bytes = dst->depth > 8 ? 2 : 1;
  for (int p = 0; p < 2; p++) {
    const int w = p ? (width + 1) / 2 : width, h = p ? (height + 1) / 2 : height;
    const int sw = p ? (src->width + 1) / 2 : src->width, sh = p ? (src->height + 1) / 2 : src->height;
    // Luma sample i is centred at window.x + (i + ½)·step - ½. Chroma sample i sits horizontally on luma sample 2i,
    // vertically between 2i and 2i + 1; the same holds in the source, in whose chroma samples it is expressed here.
    const double startX = p ? (window->x + 0.5 * stepX - 0.5) / 2 : window->x + 0.5 * stepX - 0.5;
    const double startY = p ? (window->y + stepY - 1) / 2 : window->y + 0.5 * stepY - 0.5;
    if (build_bank(&r->horizontal, w, sw, startX, stepX, filter) || build_bank(&r->vertical, h, sh, startY, stepY, filter)) return -1;
    for (int plane = p; plane < (p ? 3 : 1); plane++) {
      uint8_t *to = dst->plane[plane] + (p ? y / 2 : y) * dst->stride[plane] + (size_t)(p ? x / 2 : x) * bytes;
      if (resample_plane(k, r, to, dst->stride[plane], w, h, src->plane[plane], src->stride[plane], sw, sh, dst->depth)) return -1;
    }
  }
  return 0;
}
