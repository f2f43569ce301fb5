// Gaussian-like blur for backgrounds: three box blurs (Wells 1986: repeated boxes tend to a Gaussian).

#include <math.h>
#include <string.h>

#include "transition_rows.h"

size_t rw_blur_scratch(int width, int height) { return (size_t)rw_max(width, height) * 2 * sizeof(uint16_t); }

static inline int read_sample(const uint8_t *row, int x, int is16) { return is16 ? ((const uint16_t *)row)[x] : row[x]; }
static inline void write_sample(uint8_t *row, int x, int v, int is16) {
  if (is16) ((uint16_t *)row)[x] = (uint16_t)v;
  else row[x] = (uint8_t)v;
}

/// One box of 2 * radius + 1 along a line, edges repeated.
static void box_line(uint16_t *to, const uint16_t *from, int n, int radius) {
  const uint32_t reciprocal = ((1u << 24) + (uint32_t)radius) / (uint32_t)(2 * radius + 1);
  uint32_t sum = (uint32_t)from[0] * (uint32_t)(radius + 1);
  for (int i = 1; i <= radius; i++) sum += from[rw_min(i, n - 1)];
  for (int i = 0; i < n; i++) {
    to[i] = (uint16_t)(((uint64_t)sum * reciprocal + (1u << 23)) >> 24);
    sum += from[rw_min(i + radius + 1, n - 1)];
    sum -= from[rw_max(i - radius, 0)];
  }
}

static void blur_rows(uint8_t *plane, ptrdiff_t stride, int width, int height, int is16, int radius, uint16_t *lines) {
  uint16_t *one = lines, *two = lines + width;
  for (int y = 0; y < height; y++) {
    uint8_t *row = plane + y * stride;
    for (int x = 0; x < width; x++) one[x] = (uint16_t)read_sample(row, x, is16);
    box_line(two, one, width, radius);
    box_line(one, two, width, radius);
    box_line(two, one, width, radius);
    for (int x = 0; x < width; x++) write_sample(row, x, two[x], is16);
  }
}


static void blur_columns(uint8_t *plane, ptrdiff_t stride, int width, int height, int is16, int radius, uint16_t *lines) {
  uint16_t *one = lines, *two = lines + height;
  for (int x = 0; x < width; x++) {
    for (int y = 0; y < height; y++) one[y] = (uint16_t)read_sample(plane + y * stride, x, is16);
    box_line(two, one, height, radius);
    box_line(one, two, height, radius);
    box_line(two, one, height, radius);
    for (int y = 0; y < height; y++) write_sample(plane + y * stride, x, two[y], is16);
  }
}

void rw_picture_blur(const rw_picture *dst, const rw_picture *src, float sigma, void *scratch) {
  const int is16 = dst->depth > 8;
  for (int p = 0; p < 3; p++) {
    const int width = p ? (dst->width + 1) / 2 : dst->width, height = p ? (dst->height + 1) / 2 : dst->height;
    // Three boxes of width w have the variance (w² - 1) / 4.
    const float s = p ? sigma / 2 : sigma;
    const int radius = (int)((sqrtf(4 * s * s + 1) - 1) / 2 + 0.5f);
    for (int y = 0; y < height; y++) {
      uint8_t *to = dst->plane[p] + y * dst->stride[p];
      const uint8_t *from = src->plane[p] + y * src->stride[p];
      if (to != from) memcpy(to, from, (size_t)width << is16);
    }
    if (radius <= 0) continue;
    blur_rows(dst->plane[p], dst->stride[p], width, height, is16, radius, scratch);
    blur_columns(dst->plane[p], dst->stride[p], width, height, is16, radius, scratch);
  }
}
