// Fields of arrival times for mask transitions.

#include <math.h>
#include <string.h>

#include "transition_rows.h"

typedef struct {
  const rw_field_shape *shape;
  int width, height;
  float extent;    // of the picture along the direction
  float farthest;  // of the corners from the centre
} field_context;

static inline uint32_t mix_bits(uint64_t v) {
  // The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
  v = (v ^ (v >> 30)) * 0xbf58476d1ce4e5b9u;
  v = (v ^ (v >> 27)) * 0x94d049bb133111ebu;
  return (uint32_t)((v ^ (v >> 31)) >> 32);
}

static inline float unit_random(int x, int y, uint64_t seed) {
  return (float)(mix_bits(seed * 0x9e3779b97f4a7c15u + ((uint64_t)(uint32_t)y << 32 | (uint32_t)x)) >> 8) * (1.0f / 16777216.0f);
}

/// Arc tangent of y/x in all quadrants, error below 2e-5: Chebyshev-fitted odd polynomial on 0…1 and symmetries.
static inline float fast_atan2(float y, float x) {
  const float ax = fabsf(x), ay = fabsf(y);
  const float z = fminf(ax, ay) / fmaxf(fmaxf(ax, ay), 1e-20f), s = z * z;
  float r = z * (0.99997726f + s * (-0.33262347f + s * (0.19354346f + s * (-0.11643287f + s * (0.05265332f - s * 0.01172120f)))));
  r = ay > ax ? 1.57079637f - r : r;
  r = x < 0 ? 3.14159274f - r : r;
  return y < 0 ? -r : r;
}

static inline float linear(const field_context *c, float x, float y) {
  return ((x - 0.5f * (float)c->width) * c->shape->directionX + (y - 0.5f * (float)c->height) * c->shape->directionY) / c->extent + 0.5f;
}

static inline float fraction(float v) { return v - floorf(v); }

/// The inverse of 3t² - 2t³ on 0…1.
static inline float inverse_smoothstep(float v) { return 0.5f - sinf(asinf(1 - 2 * v) / 3); }

/// Time of the sample at (x, y), 0…1. Inlined with a constant `shape`, so that each loop below holds one formula.
static inline __attribute__((always_inline)) float time_at(const field_context *c, int shape, float x, float y) {
  const rw_field_shape *s = c->shape;
  const float dx = x - s->centerX, dy = y - s->centerY, w = (float)c->width, h = (float)c->height;
  switch (shape) {
    case RW_SHAPE_LINEAR: return linear(c, x, y);
    case RW_SHAPE_CIRCLE: return __builtin_elementwise_sqrt(dx * dx + dy * dy) / c->farthest;
    case RW_SHAPE_RECTANGLE: 
      return fmaxf((fabsf(dx) + s->size) / fmaxf(s->centerX, w - s->centerX), (fabsf(dy) + s->size) / fmaxf(s->centerY, h - s->centerY));
    case RW_SHAPE_DIAMOND: return (fabsf(dx) + fabsf(dy)) / (fmaxf(s->centerX, w - s->centerX) + fmaxf(s->centerY, h - s->centerY));
    case RW_SHAPE_CLOCK: {
      const float angle = fast_atan2(dx, -dy) * 0.159154943f;
      return angle < 0 ? angle + 1 : angle;
    }
    case RW_SHAPE_BARN: return fabsf(dx * s->directionX + dy * s->directionY) * 2 / c->extent;
    case RW_SHAPE_BLINDS: return fraction(linear(c, x, y) * s->count);
    case RW_SHAPE_PRODUCT: {
      const float u = x / w, v = y / h;
      return 1 - (s->directionX < 0 ? u : 1 - u) * (s->directionY < 0 ? v : 1 - v);
    }
    case RW_SHAPE_CORNER: {
      const float u = x / w, v = y / h;
      return 1 - fmaxf(s->directionX < 0 ? u : 1 - u, s->directionY < 0 ? v : 1 - v);
    }
    case RW_SHAPE_WAVE: {
      const float across = (dx * s->directionY - dy * s->directionX) / (fabsf(s->directionY) * w + fabsf(s->directionX) * h);
      // A parabola sine: any smooth periodic curve serves.
      const float phase = fraction(across * s->count) * 2 - 1, wave = 4 * phase * (1 - fabsf(phase));
      return (linear(c, x, y) + 0.08f * wave + 0.08f) / 1.16f;
    }
    case RW_SHAPE_SPIRAL: {
      const float radius = __builtin_elementwise_sqrt(dx * dx + dy * dy) / c->farthest;
      return 0.5f * radius + 0.5f * fraction(fast_atan2(dx, -dy) * 0.159154943f + radius * s->count);
    }
    case RW_SHAPE_STAR: {
      const float fifth = fraction(fast_atan2(dx, -dy) * 0.795774715f + 0.5f) - 0.5f;  // -½…½ within a fifth of a turn, 0 at a point
      return __builtin_elementwise_sqrt(dx * dx + dy * dy) / c->farthest * (1 + 2.2f * fabsf(fifth)) / 2.1f;
    }
    case RW_SHAPE_HEART: {
      const float unit = fminf(w, h) * 0.5f, u = fabsf(dx) / unit, v = dy / unit + 0.25f;
      // Two half discs over a triangle, scaled about a point inside.
      const float low = (u + fmaxf(v, 0)) * 0.74f, bulge = u - 0.5f;
      const float top = __builtin_elementwise_sqrt(bulge * bulge + v * v) + 0.5f;
      return fminf(1, (v > 0 ? low : fmaxf(low, top * 0.74f)) / 2.6f * unit * 2 / c->farthest * 1.2f);
    }
    default: return 0;
  }
}

static inline __attribute__((always_inline)) void row_of(const field_context *c, int shape, int16_t *row, int y, float sign, float bias) {
  const float offset = c->shape->offset, scale = c->shape->scale;
  for (int x = 0; x < c->width; x++) {
    const float t = time_at(c, shape, (float)x + offset, (float)y + offset) * sign + bias;
    row[x] = (int16_t)(fminf(fmaxf(t, 0), 1) * scale + 0.5f);
  }
}

static inline __attribute__((always_inline)) void smooth_row(const field_context *c, int16_t *row, int y, float sign, float bias) {
  switch (c->shape->shape) {
#define RW_CASE(shape) \
  case shape: row_of(c, shape, row, y, sign, bias); break;
    RW_CASE(RW_SHAPE_LINEAR)
    RW_CASE(RW_SHAPE_CIRCLE)
    RW_CASE(RW_SHAPE_RECTANGLE)
    RW_CASE(RW_SHAPE_DIAMOND)
    RW_CASE(RW_SHAPE_CLOCK)
    RW_CASE(RW_SHAPE_BARN)
    RW_CASE(RW_SHAPE_BLINDS)
    RW_CASE(RW_SHAPE_PRODUCT)
    RW_CASE(RW_SHAPE_CORNER)
    RW_CASE(RW_SHAPE_WAVE)
    RW_CASE(RW_SHAPE_SPIRAL)
    RW_CASE(RW_SHAPE_STAR)
    RW_CASE(RW_SHAPE_HEART)
#undef RW_CASE
  }
}

static float map_at(const rw_field_shape *s, float u, float v) {
  // Sample centres of map and picture coincide as areas do.
  const float x = fminf(fmaxf(u * (float)s->mapWidth - 0.5f, 0), (float)(s->mapWidth - 1));
  const float y = fminf(fmaxf(v * (float)s->mapHeight - 0.5f, 0), (float)(s->mapHeight - 1));
  const int x0 = (int)x, y0 = (int)y, x1 = rw_min(x0 + 1, s->mapWidth - 1), y1 = rw_min(y0 + 1, s->mapHeight - 1);
  const uint8_t *a = s->map + y0 * s->mapStride, *b = s->map + y1 * s->mapStride;
  const float fx = x - (float)x0, fy = y - (float)y0;
  return ((float)a[x0] * (1 - fx) + (float)a[x1] * fx) * (1 - fy) + ((float)b[x0] * (1 - fx) + (float)b[x1] * fx) * fy;
}

/// The shapes that look things up or hash: no gain from wider vectors.
static float irregular(const field_context *c, int x, int y) {
  const rw_field_shape *s = c->shape;
  const float px = (float)x + s->offset, py = (float)y + s->offset;
  switch (s->shape) {
    case RW_SHAPE_SLICES: {
      const float along = 1 - linear(c, px, py);
      return (1 - along + inverse_smoothstep(fraction(s->count * along)) * 0.5f) / 1.5f;
    }
    case RW_SHAPE_BLOCKS: return unit_random(x / rw_max(1, (int)s->size), y / rw_max(1, (int)s->size), s->seed + 1);
    case RW_SHAPE_CHECKERS: {
      const float u = px / s->size, v = py / s->size;
      const float turn = ((int)u + (int)v) & 1 ? 0.5f : 0;
      return turn + 0.5f * (s->directionX * (fraction(u) - 0.5f) + s->directionY * (fraction(v) - 0.5f) + 0.5f);
    }
    case RW_SHAPE_GRAIN: {
      const float r = sinf((float)x * 12.9898f + (float)y * 78.233f + (float)(s->seed & 0xffff)) * 43758.545f;
      return r - floorf(r);
    }
    case RW_SHAPE_MAP: return map_at(s, px / (float)c->width, py / (float)c->height) / 255.0f;
    default: return 0;
  }
}

static int is_irregular(int shape) {
  return shape == RW_SHAPE_SLICES || shape == RW_SHAPE_BLOCKS || shape == RW_SHAPE_GRAIN || shape == RW_SHAPE_MAP || shape == RW_SHAPE_CHECKERS;
}

static void row_scalar(const field_context *c, int16_t *row, int y, float sign, float bias) { smooth_row(c, row, y, sign, bias); }
#if defined(__x86_64__)
RW_AVX2 static void row_avx2(const field_context *c, int16_t *row, int y, float sign, float bias) { smooth_row(c, row, y, sign, bias); }
#endif

void rw_field_build(int isa, int16_t *field, ptrdiff_t stride, int width, int height, const rw_field_shape *shape, int yBegin, int yEnd) {
  const float right = fmaxf(shape->centerX, (float)width - shape->centerX), down = fmaxf(shape->centerY, (float)height - shape->centerY);
  const field_context c = {
      .shape = shape,
      .width = width,
      .height = height,
      .extent = fmaxf(1, fabsf(shape->directionX) * (float)width + fabsf(shape->directionY) * (float)height),
      .farthest = sqrtf(right * right + down * down),
  };
  const float sign = shape->inverted ? -1 : 1, bias = shape->inverted ? 1 : 0;
  for (int y = yBegin; y < yEnd; y++) {
    int16_t *row = field + y * stride;
    if (shape->shape == RW_SHAPE_BLOCKS && y > yBegin && y % rw_max(1, (int)shape->size) != 0) {
      memcpy(row, row - stride, (size_t)width * sizeof *row);
      continue;
    }
    if (is_irregular(shape->shape)) {
      for (int x = 0; x < width; x++) row[x] = (int16_t)(fminf(fmaxf(irregular(&c, x, y) * sign + bias, 0), 1) * shape->scale + 0.5f);
      continue;
    }
#if defined(__x86_64__)
    if (isa == RW_ISA_AVX2) {
      row_avx2(&c, row, y, sign, bias);
      continue;
    }
#endif
    row_scalar(&c, row, y, sign, bias);
  }
}
