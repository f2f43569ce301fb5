// Walks the planes of 4:2:0 pictures with the row kernels.

#include <string.h>

#include "transition_rows.h"

/// Columns handled at once by the mask blends: the mask stays in the first-level cache and uniform runs are copied.
enum { TILE = 512 };

typedef struct {
  int width, begin, end;
} plane_rows;

static plane_rows rows_of(const rw_picture *picture, int plane, int yBegin, int yEnd) {
  if (plane == 0) return (plane_rows){picture->width, yBegin, yEnd};
  return (plane_rows){(picture->width + 1) / 2, yBegin / 2, (yEnd + 1) / 2};
}

static inline uint8_t *row_at(const rw_picture *picture, int plane, int y) { return picture->plane[plane] + y * picture->stride[plane]; }

void rw_picture_copy(const rw_picture *dst, const rw_picture *src, int yBegin, int yEnd) {
  const size_t bytes = dst->depth > 8 ? 2 : 1;
  for (int p = 0; p < 3; p++) {
    const plane_rows r = rows_of(dst, p, yBegin, yEnd);
    for (int y = r.begin; y < r.end; y++) {
      if (row_at(dst, p, y) != row_at(src, p, y)) memcpy(row_at(dst, p, y), row_at(src, p, y), (size_t)r.width * bytes);
    }
  }
}

void rw_picture_fill(const rw_picture *dst, const int color[3], int yBegin, int yEnd) {
  for (int p = 0; p < 3; p++) {
    const plane_rows r = rows_of(dst, p, yBegin, yEnd);
    for (int y = r.begin; y < r.end; y++) {
      if (dst->depth == 8) {
        memset(row_at(dst, p, y), color[p], (size_t)r.width);
      } else {
        uint16_t *row = (uint16_t *)row_at(dst, p, y);
        for (int x = 0; x < r.width; x++) row[x] = (uint16_t)color[p];
      }
    }
  }
}

void rw_picture_crossfade(const rw_transition_kernels *k, const rw_picture *dst, const rw_picture *a, const rw_picture *b, int weight,
                          int yBegin, int yEnd) {
  for (int p = 0; p < 3; p++) {
    const plane_rows r = rows_of(dst, p, yBegin, yEnd);
    for (int y = r.begin; y < r.end; y++) {
      void *d = row_at(dst, p, y);
      const void *s = row_at(a, p, y), *t = row_at(b, p, y);
      if (dst->depth == 8) k->crossfade8(d, s, t, (size_t)r.width, weight);
      else k->crossfade16(d, s, t, (size_t)r.width, weight);
    }
  }
}

void rw_picture_mix(const rw_transition_kernels *k, const rw_picture *dst, const rw_picture *a, const rw_picture *b, const int weightA[3],
                    const int weightB[3], const int color[3], int yBegin, int yEnd) {
  // 32767 stands for one while the kernel divides by 32768: the missing 1/32768 of full scale rounds away up to 12 bits.
  for (int p = 0; p < 3; p++) {
    const plane_rows r = rows_of(dst, p, yBegin, yEnd);
    const int32_t constant = color[p] * (RW_WEIGHT_ONE - weightA[p] - weightB[p]);
    for (int y = r.begin; y < r.end; y++) {
      void *d = row_at(dst, p, y);
      const void *s = row_at(a, p, y), *t = row_at(b, p, y);
      if (dst->depth == 8) k->mix8(d, s, t, (size_t)r.width, weightA[p], weightB[p], constant);
      else k->mix16(d, s, t, (size_t)r.width, weightA[p], weightB[p], constant, (1 << dst->depth) - 1);
    }
  }
}

static void blend_run(const rw_transition_kernels *k, const rw_picture *dst, const rw_picture *a, const rw_picture *b, int plane, int y, int x,
                      int n, const uint8_t *mask, int kind) {
  const size_t bytes = dst->depth > 8 ? 2 : 1;
  uint8_t *d = row_at(dst, plane, y) + (size_t)x * bytes;
  const uint8_t *s = row_at(a, plane, y) + (size_t)x * bytes, *t = row_at(b, plane, y) + (size_t)x * bytes;
  if (kind == RW_MASK_MIXED) {
    if (bytes == 1) k->blend8(d, s, t, mask, (size_t)n);
    else k->blend16((uint16_t *)d, (const uint16_t *)s, (const uint16_t *)t, mask, (size_t)n);
    return;
  }
  const uint8_t *whole = kind == RW_MASK_ALL ? t : s;
  if (d != whole) memcpy(d, whole, (size_t)n * bytes);
}

static void blend_tile(const rw_transition_kernels *k, const rw_picture *dst, const rw_picture *a, const rw_picture *b, int x, int n, int y,
                       int hasSecond, const uint8_t *row0, int kind0, const uint8_t *row1, int kind1) {
  blend_run(k, dst, a, b, 0, y, x, n, row0, kind0);
  if (hasSecond) blend_run(k, dst, a, b, 0, y + 1, x, n, row1, kind1);
  uint8_t half[TILE / 2];
  const int kind = kind0 == kind1 ? kind0 : RW_MASK_MIXED;
  if (kind == RW_MASK_MIXED) k->maskHalf(half, row0, row1, (size_t)n);
  for (int p = 1; p < 3; p++) blend_run(k, dst, a, b, p, y / 2, x / 2, (n + 1) / 2, half, kind);
}

void rw_picture_blend_mask(const rw_transition_kernels *k, const rw_picture *dst, const rw_picture *a, const rw_picture *b, const uint8_t *mask,
                           ptrdiff_t maskStride, int yBegin, int yEnd) {
  for (int y = yBegin; y < yEnd; y += 2) {
    const int hasSecond = y + 1 < dst->height;
    const uint8_t *row0 = mask + y * maskStride, *row1 = hasSecond ? row0 + maskStride : row0;
    for (int x = 0; x < dst->width; x += TILE) {
      const int n = rw_min(TILE, dst->width - x);
      blend_tile(k, dst, a, b, x, n, y, hasSecond, row0 + x, RW_MASK_MIXED, row1 + x, RW_MASK_MIXED);
    }
  }
}

void rw_picture_blend_field(const rw_transition_kernels *k, const rw_picture *dst, const rw_picture *a, const rw_picture *b,
                            const int16_t *field, ptrdiff_t fieldStride, const rw_front *front, int yBegin, int yEnd) {
  uint8_t mask[2][TILE];
  for (int y = yBegin; y < yEnd; y += 2) {
    const int hasSecond = y + 1 < dst->height;
    const int16_t *row0 = field + y * fieldStride;
    for (int x = 0; x < dst->width; x += TILE) {
      const int n = rw_min(TILE, dst->width - x);
      const int kind0 = k->maskFromField(mask[0], row0 + x, (size_t)n, front);
      const int kind1 = hasSecond ? k->maskFromField(mask[1], row0 + fieldStride + x, (size_t)n, front) : kind0;
      blend_tile(k, dst, a, b, x, n, y, hasSecond, mask[0], kind0, hasSecond ? mask[1] : mask[0], kind1);
    }
  }
}
