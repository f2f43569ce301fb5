// Transitions that move whole samples, and those whose weights come from the samples themselves.

#include <math.h>
#include <string.h>

#include "transition_rows.h"

static inline int bytes_of(const rw_picture *p) { return p->depth > 8 ? 2 : 1; }
static inline int plane_width(const rw_picture *p, int plane) { return plane ? (p->width + 1) / 2 : p->width; }
static inline int plane_height(const rw_picture *p, int plane) { return plane ? (p->height + 1) / 2 : p->height; }
static inline int sample(const rw_picture *p, int plane, int x, int y) {
  const uint8_t *row = p->plane[plane] + y * p->stride[plane];
  return p->depth > 8 ? ((const uint16_t *)row)[x] : row[x];
}

void rw_picture_blend_difference(const rw_picture *dst, const rw_picture *a, const rw_picture *b, const int16_t *table, int yBegin, int yEnd) {
  for (int p = 0; p < 3; p++) {
    const int n = plane_width(dst, p), from = p ? yBegin / 2 : yBegin, to = p ? (yEnd + 1) / 2 : yEnd;
    for (int y = from; y < to; y++) {
      uint8_t *d = dst->plane[p] + y * dst->stride[p];
      const uint8_t *s = a->plane[p] + y * a->stride[p], *t = b->plane[p] + y * b->stride[p];
      if (dst->depth == 8) {
        for (int x = 0; x < n; x++) {
          const int difference = t[x] - s[x];
          d[x] = (uint8_t)(s[x] + rw_scale(difference, table[difference < 0 ? -difference : difference]));
        }
      } else {
        const uint16_t *s16 = (const uint16_t *)s, *t16 = (const uint16_t *)t;
        for (int x = 0; x < n; x++) {
          const int difference = t16[x] - s16[x];
          ((uint16_t *)d)[x] = (uint16_t)(s16[x] + rw_scale(difference, table[difference < 0 ? -difference : difference]));
        }
      }
    }
  }
}

void rw_mask_from_distance(uint8_t *mask, ptrdiff_t maskStride, const rw_picture *a, const rw_picture *b, float threshold, uint8_t inside,
                           int yBegin, int yEnd) {
  const float top = threshold * (float)((1 << a->depth) - 1), limit = top * top;
  for (int y = yBegin; y < yEnd; y++) {
    for (int x = 0; x < a->width; x++) {
      float sum = 0;
      for (int p = 0; p < 3; p++) {
        const int d = sample(a, p, p ? x / 2 : x, p ? y / 2 : y) - sample(b, p, p ? x / 2 : x, p ? y / 2 : y);
        sum += (float)(d * d);
      }
      mask[y * maskStride + x] = sum <= limit ? inside : 255;
    }
  }
}

void rw_picture_gather(const rw_picture *dst, const rw_picture *src, const int32_t *columns, const int32_t *rows, int yBegin, int yEnd) {
  for (int p = 0; p < 3; p++) {
    const int shift = p > 0, n = plane_width(dst, p), from = yBegin >> shift, to = p ? (yEnd + 1) / 2 : yEnd;
    const int sw = plane_width(src, p), sh = plane_height(src, p);
    for (int y = from; y < to; y++) {
      const int row = rows[rw_min(y << shift, dst->height - 1)];
      if (row < 0) continue;
      const uint8_t *s = src->plane[p] + rw_min(row >> shift, sh - 1) * src->stride[p];
      uint8_t *d = dst->plane[p] + y * dst->stride[p];
      for (int x = 0; x < n; x++) {
        const int column = columns[rw_min(x << shift, dst->width - 1)];
        if (column < 0) continue;
        const int at = rw_min(column >> shift, sw - 1);
        if (dst->depth == 8) d[x] = s[at];
        else ((uint16_t *)d)[x] = ((const uint16_t *)s)[at];
      }
    }
  }
}

static void shift_chroma(const rw_picture *dst, const rw_picture *src, int plane, int dx, int dy, int from, int to) {
  const int bytes = bytes_of(dst), width = plane_width(dst, plane), sw = plane_width(src, plane), sh = plane_height(src, plane);
  const int isHalfX = dx & 1, isHalfY = dy & 1;
  // Floor halves. A half shift lies between two samples of the source; at its edges the covered half decides.
  const int moveX = dx >> 1, moveY = dy >> 1;
  const int x0 = rw_max(0, moveX), x1 = rw_min(width, sw + moveX + isHalfX);
  const int y0 = rw_max(from, moveY), y1 = rw_min(to, sh + moveY + isHalfY);
  const int n = x1 - x0;
  if (n <= 0) return;
  for (int y = y0; y < y1; y++) {
    uint8_t *d = dst->plane[plane] + y * dst->stride[plane] + (ptrdiff_t)x0 * bytes;
    const int row = rw_min(y - moveY, sh - 1);
    const uint8_t *s = src->plane[plane] + row * src->stride[plane];
    if (!isHalfX && !isHalfY) {
      memcpy(d, s + (ptrdiff_t)(x0 - moveX) * bytes, (size_t)n * (size_t)bytes);
      continue;
    }
    const uint8_t *above = src->plane[plane] + rw_clamp(y - moveY - isHalfY, 0, sh - 1) * src->stride[plane];
    for (int x = 0; x < n; x++) {
      const int at = x0 + x - moveX, right = rw_min(at, sw - 1), left = rw_max(at - isHalfX, 0);
      int sum;
      if (bytes == 1) {
        sum = s[left] + s[right] + above[left] + above[right];
        d[x] = (uint8_t)((sum + 2) >> 2);
      } else {
        const uint16_t *s16 = (const uint16_t *)s, *above16 = (const uint16_t *)above;
        sum = s16[left] + s16[right] + above16[left] + above16[right];
        ((uint16_t *)d)[x] = (uint16_t)((sum + 2) >> 2);
      }
    }
  }
}

void rw_picture_shift(const rw_picture *dst, const rw_picture *src, int dx, int dy, int yBegin, int yEnd) {
  const int bytes = bytes_of(dst);
  const int x0 = rw_max(0, dx), x1 = rw_min(dst->width, src->width + dx);
  const int y0 = rw_max(yBegin, dy), y1 = rw_min(yEnd, src->height + dy);
  for (int y = y0; y < y1 && x0 < x1; y++) {
    memcpy(dst->plane[0] + y * dst->stride[0] + (ptrdiff_t)x0 * bytes, src->plane[0] + (y - dy) * src->stride[0] + (ptrdiff_t)(x0 - dx) * bytes,
           (size_t)(x1 - x0) * (size_t)bytes);
  }
  for (int p = 1; p < 3; p++) shift_chroma(dst, src, p, dx, dy, yBegin / 2, (yEnd + 1) / 2);
}

void rw_picture_blur_rows(const rw_picture *dst, const rw_picture *a, const rw_picture *b, int size, int weight, int yBegin, int yEnd) {
  for (int p = 0; p < 3; p++) {
    const int n = plane_width(dst, p), taps = rw_clamp(p ? (size + 1) / 2 : size, 1, n);
    for (int y = p ? yBegin / 2 : yBegin; y < (p ? (yEnd + 1) / 2 : yEnd); y++) {
      int64_t sumA = 0, sumB = 0;
      uint8_t *d = dst->plane[p] + y * dst->stride[p];
      for (int x = 0; x < taps; x++) {
        sumA += sample(a, p, x, y);
        sumB += sample(b, p, x, y);
      }
      int count = taps;
      float scale = 1.0f / (32767.0f * (float)count);
      for (int x = 0; x < n; x++) {
        const float value = (float)(sumA * (RW_WEIGHT_ONE - weight) + sumB * weight) * scale + 0.5f;
        if (dst->depth == 8) d[x] = (uint8_t)value;
        else ((uint16_t *)d)[x] = (uint16_t)value;
        sumA -= sample(a, p, x, y);
        sumB -= sample(b, p, x, y);
        if (x + taps < n) {
          sumA += sample(a, p, x + taps, y);
          sumB += sample(b, p, x + taps, y);
        } else if (count > 1) {
          count--;
          scale = 1.0f / (32767.0f * (float)count);
        }
      }
    }
  }
}
