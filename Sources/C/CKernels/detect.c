#include "kernels_detect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

// Low-pass planes are kept at a quarter of the resolution: the mean of 4x4 samples, blurred with deviation 1.2 there
// (4.8 samples; 5 with the mean's own), and interpolated bilinearly.
#define CELL 4

static int cells(int length) { return (length + CELL - 1) / CELL; }

size_t rw_detect_residual_scratch(int width, int height) {
  size_t low = (size_t)cells(width) * (size_t)cells(height);
  return (size_t)width * (size_t)height + 2 * low + 4 * (size_t)(width + 16);
}

INLINE int clampi(int v, int low, int high) { return v < low ? low : v > high ? high : v; }

// Separable 7-tap Gaussian of deviation 1.2, edges repeated.
INLINE void blur_low(float *plane, float *scratch, int columns, int rows) {
  static const float taps[4] = {.3325f, .2350f, .0829f, .0146f};
  for (int y = 0; y < rows; y++) {
    const float *r[7];
    for (int k = 0; k < 7; k++) r[k] = plane + (size_t)clampi(y + k - 3, 0, rows - 1) * columns;
    float *out = scratch + (size_t)y * columns;
    for (int x = 0; x < columns; x++)
      out[x] = taps[0] * r[3][x] + taps[1] * (r[2][x] + r[4][x]) + taps[2] * (r[1][x] + r[5][x]) + taps[3] * (r[0][x] + r[6][x]);
  }
  for (int y = 0; y < rows; y++) {
    const float *in = scratch + (size_t)y * columns;
    float *out = plane + (size_t)y * columns;
    for (int x = 0; x < columns; x++) {
      if (x >= 3 && x + 3 < columns)
        out[x] = taps[0] * in[x] + taps[1] * (in[x - 1] + in[x + 1]) + taps[2] * (in[x - 2] + in[x + 2]) +
                 taps[3] * (in[x - 3] + in[x + 3]);
      else {
        float s = 0;
        for (int k = -3; k <= 3; k++) s += taps[k < 0 ? -k : k] * in[clampi(x + k, 0, columns - 1)];
        out[x] = s;
      }
    }
  }
}

// A row of the quarter-resolution plane at full resolution. `out` holds width + 16 values, the first is at out[0].
INLINE void expand_low(const float *plane, int columns, int rows, int width, int y, float *line, float *out) {
  float v = ((float)y - 1.5f) / CELL;
  v = v < 0 ? 0 : v > (float)(rows - 1) ? (float)(rows - 1) : v;
  int j = (int)v;
  float b = v - (float)j;
  const float *top = plane + (size_t)j * columns, *bottom = plane + (size_t)(j + 1 < rows ? j + 1 : j) * columns;
  for (int x = 0; x < columns; x++) line[x] = top[x] + b * (bottom[x] - top[x]);
  line[columns] = line[columns - 1];
  out[0] = out[1] = line[0];
  for (int c = 0; c < columns; c++) {
    float a = line[c], d = line[c + 1] - line[c], *o = out + 2 + CELL * c;
    if (2 + CELL * c + CELL <= width + 16) {
      o[0] = a + .125f * d;
      o[1] = a + .375f * d;
      o[2] = a + .625f * d;
      o[3] = a + .875f * d;
    }
  }
}

INLINE void residual_body(const uint8_t *luma, ptrdiff_t stride, int width, int height, float *scratch, float *sum) {
  int columns = cells(width), rows = cells(height);
  size_t low = (size_t)columns * rows;
  float *residual = scratch, *mean = residual + (size_t)width * height, *spare = mean + low;
  float *wide = spare + low, *line = wide + width + 16, *column = line + width + 16;

  for (int y = 0; y < rows; y++)
    for (int x = 0; x < columns; x++) {
      int total = 0, left = x * CELL + CELL <= width ? x * CELL : width - CELL;
      int top = y * CELL + CELL <= height ? y * CELL : height - CELL;
      const uint8_t *p = luma + top * stride + left;
      for (int k = 0; k < CELL; k++, p += stride)
        for (int i = 0; i < CELL; i++) total += p[i];
      mean[(size_t)y * columns + x] = (float)total * (1.f / (CELL * CELL));
    }
  blur_low(mean, spare, columns, rows);

  const float g0 = .5699f, g1 = .2054f, g2 = .0096f;
  for (int y = 0; y < height; y++) {
    const uint8_t *r[5];
    for (int k = 0; k < 5; k++) r[k] = luma + clampi(y + k - 2, 0, height - 1) * stride;
    float *v = column + 2;
    for (int x = 0; x < width; x++)
      v[x] = g0 * (float)r[2][x] + g1 * (float)(r[1][x] + r[3][x]) + g2 * (float)(r[0][x] + r[4][x]);
    v[-1] = v[-2] = v[0];
    v[width] = v[width + 1] = v[width - 1];
    expand_low(mean, columns, rows, width, y, line, wide);
    float *out = residual + (size_t)y * width;
    for (int x = 0; x < width; x++)
      out[x] = g0 * v[x] + g1 * (v[x - 1] + v[x + 1]) + g2 * (v[x - 2] + v[x + 2]) - wide[x];
  }

  for (int y = 0; y < rows; y++) {
    int top = y * CELL + CELL <= height ? y * CELL : height - CELL;
    const float *p = residual + (size_t)top * width;
    for (int x = 0; x < width; x++) {
      float a = p[x], b = p[x + width], c = p[x + 2 * width], d = p[x + 3 * width];
      line[x] = a * a + b * b + c * c + d * d;
    }
    for (int x = 0; x < columns; x++) {
      int left = x * CELL + CELL <= width ? x * CELL : width - CELL;
      mean[(size_t)y * columns + x] = (line[left] + line[left + 1] + line[left + 2] + line[left + 3]) * (1.f / (CELL * CELL));
    }
  }
  blur_low(mean, spare, columns, rows);
  for (size_t i = 0; i < low; i++) mean[i] = 1.f / (sqrtf(mean[i]) + .7f);

  for (int y = 0; y < height; y++) {
    expand_low(mean, columns, rows, width, y, line, wide);
    const float *in = residual + (size_t)y * width;
    float *out = sum + (size_t)y * width;
    for (int x = 0; x < width; x++) {
      float n = in[x] * wide[x];
      n = n < -2.f ? -2.f : n;
      n = n > 2.f ? 2.f : n;
      out[x] += n;
    }
  }
}

INLINE void score_body(const rw_detect_map *map, const float *x, const float *y, const int32_t *weights, int lines,
                       const float *matrices, int count, int least, float *scores) {
  float across = 1.f / map->column_step, down = 1.f / map->row_step;
  for (int m = 0; m < count; m++, matrices += 4) {
    int total = 0, inside = 0, weight = 0, squares = 0;
    for (int j = 0; j < lines; j++) {
      float u = matrices[0] * x[j] + matrices[1] * y[j], v = matrices[2] * x[j] + matrices[3] * y[j];
      float radius = u * u + v * v;
      if (!(radius > RW_DETECT_LOW * RW_DETECT_LOW && radius < RW_DETECT_HIGH * RW_DETECT_HIGH)) continue;
      float sign = u < 0 ? -1.f : 1.f;
      int column = (int)(sign * u * across + .5f), row = (int)(sign * v * down + (float)map->origin + .5f);
      total += weights[j] * map->power[(ptrdiff_t)row * map->columns + column];
      weight += weights[j];
      squares += weights[j] * weights[j];
      inside++;
    }
    scores[m] = inside < least ? 0 : ((float)total * (1.f / RW_DETECT_UNIT) - (float)weight) / sqrtf((float)squares);
  }
}

static void residual_c(const uint8_t *luma, ptrdiff_t stride, int width, int height, float *scratch, float *sum) {
  residual_body(luma, stride, width, height, scratch, sum);
}

static void score_c(const rw_detect_map *map, const float *x, const float *y, const int32_t *weights, int lines, const float *matrices,
                    int count, int least, float *scores) {
  score_body(map, x, y, weights, lines, matrices, count, least, scores);
}

static const rw_detect_kernels portable = {"portable", residual_c, score_c};

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,fma")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")))

AVX2 static void residual_avx2(const uint8_t *luma, ptrdiff_t stride, int width, int height, float *scratch, float *sum) {
  residual_body(luma, stride, width, height, scratch, sum);
}

// Gathers four bytes a look-up and keeps the first: the map has three spare bytes at its end.
AVX2 static void score_avx2(const rw_detect_map *map, const float *x, const float *y, const int32_t *weights, int lines,
                            const float *matrices, int count, int least, float *scores) {
  const __m256 across = _mm256_set1_ps(1.f / map->column_step), down = _mm256_set1_ps(1.f / map->row_step);
  const __m256 low = _mm256_set1_ps(RW_DETECT_LOW * RW_DETECT_LOW), high = _mm256_set1_ps(RW_DETECT_HIGH * RW_DETECT_HIGH);
  const __m256 half = _mm256_set1_ps(.5f), origin = _mm256_set1_ps((float)map->origin + .5f), minus = _mm256_set1_ps(-0.f);
  const __m256i columns = _mm256_set1_epi32(map->columns), byte = _mm256_set1_epi32(255);
  for (int m = 0; m < count; m++, matrices += 4) {
    __m256 a = _mm256_set1_ps(matrices[0]), b = _mm256_set1_ps(matrices[1]);
    __m256 c = _mm256_set1_ps(matrices[2]), d = _mm256_set1_ps(matrices[3]);
    __m256i total = _mm256_setzero_si256(), inside = total, weight = total, squares = total;
    for (int j = 0; j < lines; j += 8) {
      __m256 lx = _mm256_loadu_ps(x + j), ly = _mm256_loadu_ps(y + j);
      __m256 u = _mm256_add_ps(_mm256_mul_ps(a, lx), _mm256_mul_ps(b, ly));
      __m256 v = _mm256_add_ps(_mm256_mul_ps(c, lx), _mm256_mul_ps(d, ly));
      __m256 radius = _mm256_add_ps(_mm256_mul_ps(u, u), _mm256_mul_ps(v, v));
      __m256 valid = _mm256_and_ps(_mm256_cmp_ps(radius, low, _CMP_GT_OQ), _mm256_cmp_ps(radius, high, _CMP_LT_OQ));
      __m256 sign = _mm256_and_ps(u, minus);
      u = _mm256_xor_ps(u, sign);
      v = _mm256_xor_ps(v, sign);
      __m256i column = _mm256_cvttps_epi32(_mm256_add_ps(_mm256_mul_ps(u, across), half));
      __m256i row = _mm256_cvttps_epi32(_mm256_add_ps(_mm256_mul_ps(v, down), origin));
      __m256i index = _mm256_add_epi32(_mm256_mullo_epi32(row, columns), column);
      __m256i mask = _mm256_castps_si256(valid);
      __m256i power = _mm256_mask_i32gather_epi32(_mm256_setzero_si256(), (const int *)map->power, index, mask, 1);
      // Products of pairs of 16 bits: powers and weights are at most 255.
      __m256i own = _mm256_and_si256(_mm256_loadu_si256((const __m256i *)(weights + j)), mask);
      total = _mm256_add_epi32(total, _mm256_madd_epi16(_mm256_and_si256(power, byte), own));
      squares = _mm256_add_epi32(squares, _mm256_madd_epi16(own, own));
      weight = _mm256_add_epi32(weight, own);
      inside = _mm256_sub_epi32(inside, mask);
    }
    int sums[4][8], sum[4] = {0, 0, 0, 0};
    _mm256_storeu_si256((__m256i *)sums[0], total);
    _mm256_storeu_si256((__m256i *)sums[1], inside);
    _mm256_storeu_si256((__m256i *)sums[2], weight);
    _mm256_storeu_si256((__m256i *)sums[3], squares);
    for (int k = 0; k < 4; k++)
      for (int i = 0; i < 8; i++) sum[k] += sums[k][i];
    scores[m] = sum[1] < least ? 0 : ((float)sum[0] * (1.f / RW_DETECT_UNIT) - (float)sum[2]) / sqrtf((float)sum[3]);
  }
}

AVX512 static void residual_avx512(const uint8_t *luma, ptrdiff_t stride, int width, int height, float *scratch, float *sum) {
  residual_body(luma, stride, width, height, scratch, sum);
}

static const rw_detect_kernels avx2 = {"avx2", residual_avx2, score_avx2};
static const rw_detect_kernels avx512 = {"avx512", residual_avx512, score_avx2};

int rw_detect_variant_count(void) {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 1;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl") ||
      !__builtin_cpu_supports("avx512dq"))
    return 2;
  return 3;
}

const rw_detect_kernels *rw_detect_variant(int index) { return index >= 2 ? &avx512 : index == 1 ? &avx2 : &portable; }

#else

int rw_detect_variant_count(void) { return 1; }
const rw_detect_kernels *rw_detect_variant(int index) {
  (void)index;
  return &portable;
}

#endif

void rw_detect_decimate_u8(const uint8_t *source, ptrdiff_t stride, int width, int height, int factor, uint8_t *destination) {
  int columns = width / factor, rows = height / factor, area = factor * factor;
  for (int y = 0; y < rows; y++) {
    const uint8_t *p = source + (ptrdiff_t)y * factor * stride;
    if (factor == 1) {
      memcpy(destination + (size_t)y * columns, p, (size_t)columns);
    } else if (factor == 2) {
      const uint8_t *q = p + stride;
      for (int x = 0; x < columns; x++)
        destination[(size_t)y * columns + x] = (uint8_t)((p[2 * x] + p[2 * x + 1] + q[2 * x] + q[2 * x + 1] + 2) >> 2);
    } else {
      for (int x = 0; x < columns; x++) {
        int total = area / 2;
        for (int j = 0; j < factor; j++)
          for (int i = 0; i < factor; i++) total += p[j * stride + x * factor + i];
        destination[(size_t)y * columns + x] = (uint8_t)(total / area);
      }
    }
  }
}

void rw_detect_decimate_u16(const uint16_t *source, ptrdiff_t stride, int width, int height, int depth, int factor,
                            uint8_t *destination) {
  int columns = width / factor, rows = height / factor, area = factor * factor << (depth - 8);
  for (int y = 0; y < rows; y++)
    for (int x = 0; x < columns; x++) {
      const uint16_t *p = source + (ptrdiff_t)y * factor * stride + x * factor;
      int total = area / 2;
      for (int j = 0; j < factor; j++)
        for (int i = 0; i < factor; i++) total += p[j * stride + i];
      total /= area;
      destination[(size_t)y * columns + x] = (uint8_t)(total > 255 ? 255 : total);
    }
}

// Base-2 logarithm and exponential within 1 %: they only shape the whitening, whose mean is measured afterwards.
INLINE float fast_log2(float v) {
  union { float f; uint32_t i; } u = {v};
  union { uint32_t i; float f; } m = {(u.i & 0x7fffff) | 0x3f000000};
  float y = (float)u.i * 1.1920928955078125e-7f;
  return y - 124.22551499f - 1.498030302f * m.f - 1.72587999f / (.3520887068f + m.f);
}

INLINE float fast_exp2(float p) {
  float offset = p < 0 ? 1.f : 0.f;
  float clipped = p < -120.f ? -120.f : p;
  float z = clipped - (float)(int)clipped + offset;
  union { uint32_t i; float f; } v = {
      (uint32_t)((1 << 23) * (clipped + 121.2740575f + 27.7280233f / (4.84252568f - z) - 1.49012907f * z))};
  return v.f;
}

// Running box of half-width `reach` along rows, repeating edges.
static void box_rows(const float *in, float *out, int columns, int rows, int reach) {
  float scale = 1.f / (float)(2 * reach + 1);
  for (int y = 0; y < rows; y++) {
    const float *p = in + (size_t)y * columns;
    float *o = out + (size_t)y * columns;
    double total = 0;
    for (int k = -reach; k <= reach; k++) total += p[clampi(k, 0, columns - 1)];
    for (int x = 0; x < columns; x++) {
      o[x] = (float)total * scale;
      total += (double)p[clampi(x + reach + 1, 0, columns - 1)] - (double)p[clampi(x - reach, 0, columns - 1)];
    }
  }
}

// The same along columns, where row -1 is the last row (frequencies wrap).
static void box_columns(const float *in, float *out, int columns, int rows, int reach) {
  float scale = 1.f / (float)(2 * reach + 1);
  float *total = calloc((size_t)columns, sizeof(float));
  if (!total) return;
  for (int k = -reach; k <= reach; k++) {
    const float *p = in + (size_t)((k % rows + rows) % rows) * columns;
    for (int x = 0; x < columns; x++) total[x] += p[x];
  }
  for (int y = 0; y < rows; y++) {
    const float *next = in + (size_t)((y + reach + 1) % rows) * columns;
    const float *gone = in + (size_t)(((y - reach) % rows + rows) % rows) * columns;
    float *o = out + (size_t)y * columns;
    for (int x = 0; x < columns; x++) {
      o[x] = total[x] * scale;
      total[x] += next[x] - gone[x];
    }
  }
  free(total);
}

void rw_detect_whiten(float *spectrum, int width, int rows, float *scratch) {
  int columns = width / 2 + 1;
  size_t count = (size_t)columns * rows;
  float *logs = scratch, *spare = scratch + count;
  for (size_t i = 0; i < count; i++) {
    float re = spectrum[2 * i], im = spectrum[2 * i + 1];
    logs[i] = .5f * fast_log2(re * re + im * im + 1e-12f);
  }
  int across = width / 100 > 1 ? width / 100 : 1, down = rows / 100 > 1 ? rows / 100 : 1;
  box_rows(logs, spare, columns, rows, across);
  box_columns(spare, logs, columns, rows, down);
  for (int y = 0; y < rows; y++) {
    float v = (float)(y <= rows / 2 ? y : y - rows) / (float)rows;
    for (int x = 0; x < columns; x++) {
      float u = (float)x / (float)width, radius = u * u + v * v;
      float *p = spectrum + 2 * ((size_t)y * columns + x);
      int dropped = x < 2 || y < 2 || y > rows - 2 || radius < RW_DETECT_LOW * RW_DETECT_LOW || radius > RW_DETECT_HIGH * RW_DETECT_HIGH;
      float gain = dropped ? 0 : fast_exp2(-logs[(size_t)y * columns + x]);
      float re = p[0] * gain, im = p[1] * gain, size = re * re + im * im;
      float limit = size > 36.f ? 6.f / sqrtf(size) : 1.f;
      p[0] = re * limit;
      p[1] = im * limit;
    }
  }
}

float rw_detect_power(const float *spectrum, int width, int height, float *scratch, uint8_t *power) {
  int stride = width / 2 + 1, origin = (int)(RW_DETECT_HIGH * (float)height) + 2, columns = (int)(RW_DETECT_HIGH * (float)width) + 3;
  int rows = 2 * origin + 1;
  double total = 0;
  size_t counted = 0;
  for (int y = 0; y < rows; y++) {
    int source = (y - origin + height) % height;
    float v = (float)(y - origin) / (float)height;
    const float *p = spectrum + 2 * (size_t)source * stride;
    float *o = scratch + (size_t)y * columns;
    double part = 0;
    for (int x = 0; x < columns; x++) {
      o[x] = p[2 * x] * p[2 * x] + p[2 * x + 1] * p[2 * x + 1];
      part += o[x];
    }
    // The mean is taken over a box inside the band, off the axes.
    if (fabsf(v) > .02f && fabsf(v) < .3f) {
      total += part - o[0] - o[1];
      counted += (size_t)(columns * .66f) - 2;
      for (int x = (int)(columns * .66f); x < columns; x++) total -= o[x];
    }
  }
  float mean = counted ? (float)(total / (double)counted) : 0;
  float scale = mean > 0 ? RW_DETECT_UNIT / mean : 0;
  for (int y = 0; y < rows; y++) {
    const float *b = scratch + (size_t)y * columns;
    const float *a = y > 0 ? b - columns : b, *c = y + 1 < rows ? b + columns : b;
    uint8_t *o = power + (size_t)y * columns;
    for (int x = 0; x < columns; x++) {
      int l = x > 0 ? x - 1 : 1, r = x + 1 < columns ? x + 1 : x;
      // Twofold padding makes neighbours alike: a 3x3 binomial costs little height and forgives half a bin.
      float s = .25f * b[x] + .125f * (a[x] + c[x] + b[l] + b[r]) + .0625f * (a[l] + a[r] + c[l] + c[r]);
      s *= scale;
      o[x] = (uint8_t)(s < 12.f * RW_DETECT_UNIT ? s + .5f : 12.f * RW_DETECT_UNIT);
    }
  }
  return mean;
}

#define KERNEL_WIDTH 6
#define KERNEL_BETA 13.8

static double semicircle(double t) {  // t in units of the half-width
  return fabs(t) >= 1 ? 0 : exp(KERNEL_BETA * (sqrt(1 - t * t) - 1));
}

void rw_detect_kernel_transform(int count, int period, float *values) {
  for (int i = 0; i < count; i++) {
    double position = (double)(i - count / 2) / period, sum = 0;
    int steps = 200;
    for (int k = 0; k < steps; k++) {
      double t = (k + .5) / steps;
      sum += semicircle(t) * cos(2 * M_PI * position * t * (KERNEL_WIDTH / 2.0));
    }
    values[i] = (float)(sum * KERNEL_WIDTH / steps);
  }
}

// The image occupies 0 ... w/2 of the padded plane; interpolation is of the spectrum of the image about its own centre,
// whose phase is smooth from bin to bin. A shift by the centre is a factor exp(2 pi i f c) on each bin.
void rw_detect_interpolate(const float *spectrum, int width, int height, const float *x, const float *y, int count, float *values) {
  int stride = width / 2 + 1;
  for (int j = 0; j < count; j++) {
    double u = (double)x[j] * width, v = (double)y[j] * height;
    int left = (int)ceil(u - KERNEL_WIDTH / 2.0), top = (int)ceil(v - KERNEL_WIDTH / 2.0);
    double wx[KERNEL_WIDTH], wy[KERNEL_WIDTH], re = 0, im = 0;
    for (int k = 0; k < KERNEL_WIDTH; k++) {
      wx[k] = semicircle((left + k - u) / (KERNEL_WIDTH / 2.0));
      wy[k] = semicircle((top + k - v) / (KERNEL_WIDTH / 2.0));
    }
    for (int b = 0; b < KERNEL_WIDTH; b++)
      for (int a = 0; a < KERNEL_WIDTH; a++) {
        int column = left + a, row = top + b, conjugate = column < 0;
        if (conjugate) {
          column = -column;
          row = -row;
        }
        if (column > width / 2) continue;
        row = ((row % height) + height) % height;
        const float *p = spectrum + 2 * ((size_t)row * stride + column);
        double w = wx[a] * wy[b];
        re += w * p[0];
        im += conjugate ? -w * p[1] : w * p[1];
      }
    values[2 * j] = (float)re;
    values[2 * j + 1] = (float)im;
  }
}

void rw_detect_pad(const float *source, int width, int height, const float *across, const float *down, float *destination,
                   int destination_width, int destination_height, int destination_stride) {
  // The image's centre is put on the plane's origin (it wraps around), so that its spectrum's phase is smooth.
  memset(destination, 0, sizeof(float) * (size_t)destination_stride * (size_t)destination_height);
  int cx = width / 2, cy = height / 2;
  for (int y = 0; y < height; y++) {
    int row = (y - cy + destination_height) % destination_height;
    float *o = destination + (size_t)row * destination_stride;
    const float *p = source + (size_t)y * width;
    float factor = down ? down[y] : 1.f;
    for (int x = 0; x < width; x++) {
      int column = x < cx ? x - cx + destination_width : x - cx;
      o[column] = p[x] * factor * (across ? across[x] : 1.f);
    }
  }
}

void rw_pattern_rows(const int *x, const int *y, const float *re, const float *im, int lines, double unit, int period, int width,
                     int first, int rows, float *out) {
  enum { MOST = 32 };
  float *cosine = malloc(sizeof(float) * 2 * MOST * (size_t)width);
  if (!cosine) return;
  float *sine = cosine + (size_t)MOST * width;
  for (int k = 0; k < MOST; k++)
    for (int i = 0; i < width; i++) {
      double t = fmod((double)k * i * unit / period, 1.0) * 2 * M_PI;
      cosine[(size_t)k * width + i] = (float)cos(t);
      sine[(size_t)k * width + i] = (float)sin(t);
    }
  for (int row = 0; row < rows; row++) {
    double a[MOST] = {0}, b[MOST] = {0};
    for (int j = 0; j < lines; j++) {
      double t = fmod((double)y[j] * (first + row) * unit / period, 1.0) * 2 * M_PI, c = cos(t), s = sin(t);
      a[x[j]] += (double)re[j] * c - (double)im[j] * s;
      b[x[j]] += (double)re[j] * s + (double)im[j] * c;
    }
    float *o = out + (size_t)row * width;
    memset(o, 0, sizeof(float) * (size_t)width);
    for (int k = 0; k < MOST; k++) {
      if (a[k] == 0 && b[k] == 0) continue;
      float p = (float)a[k], q = (float)b[k];
      const float *c = cosine + (size_t)k * width, *s = sine + (size_t)k * width;
      for (int i = 0; i < width; i++) o[i] += p * c[i] - q * s[i];
    }
  }
  free(cosine);
}

void rw_detect_peaks(const float *field, int size, int count, int apart, int *places, float *values) {
  for (int n = 0; n < count; n++) {
    float best = -INFINITY;
    int place = 0;
    for (int i = 0; i < size * size; i++) {
      float v = field[2 * i];
      if (v <= best) continue;
      int near = 0;
      for (int k = 0; k < n && !near; k++) {
        int dx = abs(i % size - places[k] % size), dy = abs(i / size - places[k] / size);
        dx = dx < size - dx ? dx : size - dx;
        dy = dy < size - dy ? dy : size - dy;
        near = dx < apart && dy < apart;
      }
      if (near) continue;
      best = v;
      place = i;
    }
    places[n] = place;
    values[n] = best;
  }
}

void rw_detect_crop(const float *plane, int plane_width, int plane_height, int plane_stride, float *destination, int width, int height) {
  int cx = width / 2, cy = height / 2;
  for (int y = 0; y < height; y++) {
    const float *p = plane + (size_t)((y - cy + plane_height) % plane_height) * plane_stride;
    float *o = destination + (size_t)y * width;
    memcpy(o, p + plane_width - cx, sizeof(float) * (size_t)cx);
    memcpy(o + cx, p, sizeof(float) * (size_t)(width - cx));
  }
}

void rw_detect_equalise(float *values, int width, int height, int reach, float exponent, float *scratch) {
  size_t count = (size_t)width * (size_t)height;
  float *squares = scratch, *across = scratch + count;
  for (size_t i = 0; i < count; i++) squares[i] = values[i] * values[i];
  box_rows(squares, across, width, height, reach);
  double *total = calloc((size_t)width, sizeof(double));
  if (!total) return;
  double mean = 0;
  for (int k = -reach; k <= reach; k++)
    for (int x = 0; x < width; x++) total[x] += across[(size_t)clampi(k, 0, height - 1) * width + x];
  for (int y = 0; y < height; y++) {
    const float *next = across + (size_t)clampi(y + reach + 1, 0, height - 1) * width;
    const float *gone = across + (size_t)clampi(y - reach, 0, height - 1) * width;
    float *o = squares + (size_t)y * width;
    for (int x = 0; x < width; x++) {
      o[x] = (float)(total[x] / (2 * reach + 1));
      mean += o[x];
      total[x] += (double)next[x] - (double)gone[x];
    }
  }
  free(total);
  // A tenth of the mean keeps areas in which nothing was received from being blown up.
  float least = .1f * (float)(mean / (double)count) + 1e-12f;
  for (size_t i = 0; i < count; i++) values[i] *= powf((squares[i] > 0 ? squares[i] : 0) + least, -.5f * exponent);
}

void rw_detect_add(float *sum, const float *values, size_t count) {
  for (size_t i = 0; i < count; i++) sum[i] += values[i];
}

void rw_detect_add_power(uint16_t *sum, const uint8_t *power, size_t count) {
  for (size_t i = 0; i < count; i++) sum[i] = (uint16_t)(sum[i] + power[i]);
}

void rw_detect_mean_power(const uint16_t *sum, size_t count, int planes, float contrast, uint8_t *power) {
  float scale = contrast / (float)planes;
  for (size_t i = 0; i < count; i++) {
    float v = RW_DETECT_UNIT + (float)((int)sum[i] - planes * RW_DETECT_UNIT) * scale;
    power[i] = (uint8_t)(v < 0 ? 0 : v > 12.f * RW_DETECT_UNIT ? 12.f * RW_DETECT_UNIT : v);
  }
}
