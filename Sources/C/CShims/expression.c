// Per-sample expressions over two pictures, in libavutil's language with the names of FFmpeg's xfade filter.

#include <libavutil/eval.h>
#include <libavutil/mem.h>
#include <math.h>

#include "CShims.h"

enum { NAME_X, NAME_Y, NAME_W, NAME_H, NAME_A, NAME_B, NAME_PLANE, NAME_P, NAME_COUNT };

struct RWExpression {
  AVExpr *expression;
  const RWPlanes *a, *b;
};

static double sample(const RWPlanes *picture, int plane, double x, double y) {
  if (plane > 2) return (1 << picture->depth) - 1;
  const int shift = plane > 0;
  // The comparison also catches what is not a number.
  const int column = x > 0 ? (int)fmin(x, picture->width - 1) >> shift : 0, row = y > 0 ? (int)fmin(y, picture->height - 1) >> shift : 0;
  const uint8_t *line = picture->data[plane] + row * picture->stride[plane];
  return picture->depth > 8 ? ((const uint16_t *)line)[column] : line[column];
}

#define SAMPLE_FUNCTION(picture, plane) \
  static double picture##plane(void *e, double x, double y) { return sample(((struct RWExpression *)e)->picture, plane, x, y); }
SAMPLE_FUNCTION(a, 0)
SAMPLE_FUNCTION(a, 1)
SAMPLE_FUNCTION(a, 2)
SAMPLE_FUNCTION(a, 3)
SAMPLE_FUNCTION(b, 0)
SAMPLE_FUNCTION(b, 1)
SAMPLE_FUNCTION(b, 2)
SAMPLE_FUNCTION(b, 3)

RWExpression *rw_expression_create(const char *text) {
  static const char *const names[] = {"X", "Y", "W", "H", "A", "B", "PLANE", "P", NULL};
  static const char *const functionNames[] = {"a0", "a1", "a2", "a3", "b0", "b1", "b2", "b3", NULL};
  static double (*const functions[])(void *, double, double) = {a0, a1, a2, a3, b0, b1, b2, b3, NULL};
  RWExpression *e = av_mallocz(sizeof *e);
  if (!e) return NULL;
  if (av_expr_parse(&e->expression, text, names, NULL, NULL, functionNames, functions, 0, NULL) < 0) {
    av_free(e);
    return NULL;
  }
  return e;
}

void rw_expression_free(RWExpression *e) {
  if (!e) return;
  av_expr_free(e->expression);
  av_free(e);
}

void rw_expression_draw(RWExpression *e, const RWPlanes *dst, const RWPlanes *a, const RWPlanes *b, double progress) {
  const int max = (1 << dst->depth) - 1;
  e->a = a;
  e->b = b;
  double values[NAME_COUNT] = {[NAME_W] = dst->width, [NAME_H] = dst->height, [NAME_P] = progress};
  for (int plane = 0; plane < 3; plane++) {
    const int shift = plane > 0, width = (dst->width + shift) >> shift, height = (dst->height + shift) >> shift;
    values[NAME_PLANE] = plane;
    for (int y = 0; y < height; y++) {
      uint8_t *line = dst->data[plane] + y * dst->stride[plane];
      values[NAME_Y] = y << shift;
      for (int x = 0; x < width; x++) {
        values[NAME_X] = x << shift;
        values[NAME_A] = sample(a, plane, x << shift, y << shift);
        values[NAME_B] = sample(b, plane, x << shift, y << shift);
        const double v = av_expr_eval(e->expression, values, e);
        // Truncated as xfade does; what is not a number is 0.
        const int value = v > 0 ? v < max ? (int)v : max : 0;
        if (dst->depth > 8) ((uint16_t *)line)[x] = (uint16_t)value;
        else line[x] = (uint8_t)value;
      }
    }
  }
}
