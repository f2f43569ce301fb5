#include "convert_internal.h"

#include <stdlib.h>
#include <string.h>

int rw_convert_supported(int isa) {
  switch (isa) {
    case RW_CONVERT_SCALAR: return 1;
#if defined(__x86_64__)
    case RW_CONVERT_AVX2: return __builtin_cpu_supports("avx2") != 0;
#endif
    default: return 0;
  }
}

int rw_convert_best(void) { return rw_convert_supported(RW_CONVERT_AVX2) ? RW_CONVERT_AVX2 : RW_CONVERT_SCALAR; }

static const rw_convert_table *table(int isa) {
#if defined(__x86_64__)
  if (isa == RW_CONVERT_AVX2) return &rw_convert_avx2;
#endif
  return &rw_convert_scalar;
}

static inline int32_t clamp(int32_t x, int32_t low, int32_t high) { return x < low ? low : x > high ? high : x; }

/// Chroma of `width` luma columns from column x on, interpolated vertically for luma row `row`. Neighbours outside the
/// picture repeat the edge.
static void blend_chroma(const rw_convert_table *t, const rw_yuv_image *in, int plane, int32_t row, int32_t x, int32_t width,
                         int16_t *out) {
  int32_t sx = in->chroma_shift_x, columns = (in->width + sx) >> sx, rows = (in->height + in->chroma_shift_y) >> in->chroma_shift_y;
  int32_t first = x >> sx, count = (width + sx) >> sx;
  if (!in->planes[plane]) {
    memset(out - 1, 0, (size_t)(count + 1 + RW_PAD) * sizeof(int16_t));
    return;
  }
  int32_t near_row = row, far_row = row;
  int near_weight = 4, far_weight = 0;
  if (in->chroma_shift_y) {
    near_row = row >> 1;
    far_row = near_row;
    if (in->chroma_top) {
      if (row & 1) far_row = near_row + 1, near_weight = 2, far_weight = 2;
    } else {
      far_row = row & 1 ? near_row + 1 : near_row - 1, near_weight = 3, far_weight = 1;
    }
    far_row = clamp(far_row, 0, rows - 1);
  }
  int bytes = in->bits > 8 ? 2 : 1;
  // One column on either side, where there is one, so that chunks join without a seam.
  int32_t from = first > 0 ? first - 1 : first, to = clamp(first + count + 1, 0, columns);
  const uint8_t *near_samples = in->planes[plane] + near_row * in->strides[plane] + (ptrdiff_t)from * bytes;
  const uint8_t *far_samples = in->planes[plane] + far_row * in->strides[plane] + (ptrdiff_t)from * bytes;
  t->blend(out - (first - from), near_samples, far_samples, near_weight, far_weight, in->bits, to - from);
  if (from == first) out[-1] = out[0];
  int16_t edge = out[to - first - 1];
  for (int32_t i = to - first; i < count + RW_PAD; i++) out[i] = edge;
}

static void run_rows(int isa, const rw_yuv_image *in, const rw_yuv_matrix *m, int32_t first, int32_t last, uint8_t *out,
                     ptrdiff_t out_stride, int channels) {
  const rw_convert_table *t = table(isa);
  int16_t u[RW_CHUNK + 2 * RW_PAD], v[RW_CHUNK + 2 * RW_PAD];
  int bytes = in->bits > 8 ? 2 : 1;
  for (int32_t row = first; row < last; row++) {
    const uint8_t *y = in->planes[0] + row * in->strides[0];
    uint8_t *o = out + row * out_stride;
    for (int32_t x = 0; x < in->width; x += RW_CHUNK) {
      int32_t width = in->width - x < RW_CHUNK ? in->width - x : RW_CHUNK;
      blend_chroma(t, in, 1, row, x, width, u + RW_PAD);
      blend_chroma(t, in, 2, row, x, width, v + RW_PAD);
      rw_chunk c = {y + (ptrdiff_t)x * bytes, u + RW_PAD, v + RW_PAD, width};
      if (channels == 1)
        t->luma(&c, in, m, o + x);
      else
        t->rgb(&c, in, m, o + (ptrdiff_t)x * channels, channels);
    }
  }
}

void rw_yuv_to_rgb(int isa, const rw_yuv_image *in, const rw_yuv_matrix *m, int32_t first, int32_t last, uint8_t *out,
                   ptrdiff_t out_stride, int channels) {
  run_rows(isa, in, m, first, last, out, out_stride, channels);
}

void rw_yuv_to_yuv8(int isa, const rw_yuv_image *in, const rw_yuv_matrix *m, uint8_t *const out[3], const ptrdiff_t out_strides[3]) {
  const rw_convert_table *t = table(isa);
  int coloured = in->planes[1] && in->planes[2];
  if (coloured && (m->chroma[0][0] || m->chroma[0][1])) {
    run_rows(isa, in, m, 0, in->height, out[0], out_strides[0], 1);
  } else {
    for (int32_t row = 0; row < in->height; row++)
      t->luma_range(in->planes[0] + row * in->strides[0], in->width, in->bits, m, out[0] + row * out_strides[0]);
  }
  int32_t columns = (in->width + in->chroma_shift_x) >> in->chroma_shift_x;
  int32_t rows = (in->height + in->chroma_shift_y) >> in->chroma_shift_y;
  for (int32_t row = 0; row < rows; row++) {
    uint8_t *ou = out[1] + row * out_strides[1], *ov = out[2] + row * out_strides[2];
    if (coloured) {
      t->chroma(in->planes[1] + row * in->strides[1], in->planes[2] + row * in->strides[2], columns, in->bits, m, ou, ov);
    } else {
      memset(ou, 128, (size_t)columns);
      memset(ov, 128, (size_t)columns);
    }
  }
}

uint64_t rw_sad(int isa, const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride, int32_t width, int32_t height) {
  const rw_convert_table *t = table(isa);
  uint64_t sum = 0;
  for (int32_t row = 0; row < height; row++) sum += t->sad(a + row * a_stride, b + row * b_stride, width);
  return sum;
}

/// Column weights in 1/256: output i takes columns first[i] ... first[i + 1], the two ends in part.
typedef struct rw_span {
  int32_t first, count, weights;
} rw_span;

static uint16_t *make_spans(int32_t in, int32_t out, rw_span *spans) {
  uint16_t *weights = malloc(((size_t)in + 2 * (size_t)out) * sizeof(uint16_t));
  if (!weights) return NULL;
  int32_t used = 0;
  for (int32_t i = 0; i < out; i++) {
    int64_t start = (int64_t)i * in, end = start + in;  // in units of 1 / (in × out)
    int32_t first = (int32_t)(start / out), last = (int32_t)((end + out - 1) / out);
    spans[i] = (rw_span){first, last - first, used};
    int64_t done = 0;
    for (int32_t k = first; k < last; k++) {
      // The running sum is rounded, not each weight, so that the weights add up to 256 exactly.
      int64_t edge = (int64_t)(k + 1) * out;
      int64_t covered = ((edge < end ? edge : end) - start) * 256;
      int64_t total = (covered + in / 2) / in;
      weights[used++] = (uint16_t)(total - done);
      done = total;
    }
  }
  return weights;
}

int rw_area_scale(int isa, const uint8_t *in, ptrdiff_t in_stride, int32_t width, int32_t height, int bytes, uint8_t *out,
                  ptrdiff_t out_stride, int32_t out_width, int32_t out_height) {
  const rw_convert_table *t = table(isa);
  rw_span *columns = malloc((size_t)out_width * sizeof(rw_span)), *rows = malloc((size_t)out_height * sizeof(rw_span));
  void *sum = malloc((size_t)width * 4);
  uint16_t *column_weights = columns ? make_spans(width, out_width, columns) : NULL;
  uint16_t *row_weights = rows ? make_spans(height, out_height, rows) : NULL;
  int status = columns && rows && sum && column_weights && row_weights ? 0 : -1;
  for (int32_t j = 0; status == 0 && j < out_height; j++) {
    memset(sum, 0, (size_t)width * (bytes == 1 ? 2 : 4));
    for (int32_t k = 0; k < rows[j].count; k++) {
      int weight = row_weights[rows[j].weights + k];
      if (weight == 0) continue;
      const uint8_t *row = in + (rows[j].first + k) * in_stride;
      if (bytes == 1)
        t->accumulate8(sum, row, weight, width);
      else
        t->accumulate16(sum, (const uint16_t *)(const void *)row, weight, width);
    }
    uint8_t *o = out + j * out_stride;
    for (int32_t i = 0; i < out_width; i++) {
      const uint16_t *w = column_weights + columns[i].weights;
      uint32_t total = 0;
      if (bytes == 1) {
        const uint16_t *s = (const uint16_t *)sum + columns[i].first;
        for (int32_t k = 0; k < columns[i].count; k++) total += (uint32_t)s[k] * w[k];
        o[i] = (uint8_t)((total + 32768) >> 16);
      } else {
        const uint32_t *s = (const uint32_t *)sum + columns[i].first;
        for (int32_t k = 0; k < columns[i].count; k++) total += s[k] * w[k];
        ((uint16_t *)(void *)o)[i] = (uint16_t)((total + 32768) >> 16);
      }
    }
  }
  free(columns), free(rows), free(sum), free(column_weights), free(row_weights);
  return status;
}

void rw_orient(const uint8_t *in, ptrdiff_t in_stride, int32_t width, int32_t height, int bytes, uint8_t *out,
               ptrdiff_t out_stride, int quarter_turns, int mirrored) {
  // Output position of source (0, 0) and the steps along a source row and a source column.
  int32_t turns = quarter_turns & 3;
  int32_t out_width = turns & 1 ? height : width, out_height = turns & 1 ? width : height;
  ptrdiff_t step_x, step_y, origin;
  switch (turns) {
    case 0: step_x = bytes, step_y = out_stride, origin = 0; break;
    case 1: step_x = out_stride, step_y = -bytes, origin = (ptrdiff_t)(out_width - 1) * bytes; break;
    case 2:
      step_x = -bytes, step_y = -out_stride;
      origin = (out_height - 1) * out_stride + (ptrdiff_t)(out_width - 1) * bytes;
      break;
    default: step_x = -out_stride, step_y = bytes, origin = (out_height - 1) * out_stride; break;
  }
  if (mirrored) origin += (width - 1) * step_x, step_x = -step_x;
  enum { tile = 32 };  // a tile of source and of output stays in the first-level cache
  for (int32_t ty = 0; ty < height; ty += tile)
    for (int32_t tx = 0; tx < width; tx += tile) {
      int32_t end_y = ty + tile < height ? ty + tile : height, end_x = tx + tile < width ? tx + tile : width;
      for (int32_t y = ty; y < end_y; y++) {
        const uint8_t *s = in + y * in_stride + (ptrdiff_t)tx * bytes;
        uint8_t *d = out + origin + y * step_y + tx * step_x;
        switch (bytes) {
          case 1:
            for (int32_t x = tx; x < end_x; x++, s += 1, d += step_x) *d = *s;
            break;
          case 3:
            for (int32_t x = tx; x < end_x; x++, s += 3, d += step_x) d[0] = s[0], d[1] = s[1], d[2] = s[2];
            break;
          default:
            for (int32_t x = tx; x < end_x; x++, s += bytes, d += step_x) memcpy(d, s, (size_t)bytes);
        }
      }
    }
}
