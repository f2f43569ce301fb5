// Transitions that take samples from computed places.

#include <math.h>
#include <string.h>

#include "transition_rows.h"

/// Samples handled at once.
enum { RUN = 256 };

/// What a program says about one sample: its places in both pictures, the second's weight, a factor towards black
/// (1: none) and added warm light (1: full scale).
typedef struct {
  float ua, va, ub, vb, weight, shade, glow;
} place;

typedef struct {
  float ua[RUN], va[RUN], ub[RUN], vb[RUN], weight[RUN], shade[RUN], glow[RUN], a[RUN], b[RUN], x[RUN], lumaA[RUN], lumaB[RUN];
} run_places;

typedef struct {
  const rw_warp *warp;
  float w, h, t, arch, small;  // arch: 0 at both ends, 1 in the middle; small: smaller side
} warp_context;

static inline float clampf(float v, float low, float high) { return fminf(fmaxf(v, low), high); }
static inline float smooth(float from, float to, float v) {
  const float x = clampf((v - from) / (to - from), 0, 1);
  return x * x * (3 - 2 * x);
}
static inline float frac(float v) { return v - floorf(v); }

/// sin(2π turns), error below 2e-4: a parabola and its square.
static inline float sine(float turns) {
  const float x = 2 * (turns - floorf(turns + 0.5f)), y = 4 * x * (1 - fabsf(x));
  return 0.775f * y + 0.225f * y * fabsf(y);
}

static inline float turn_of(float y, float x) {
  const float ax = fabsf(x), ay = fabsf(y), z = fminf(ax, ay) / fmaxf(fmaxf(ax, ay), 1e-20f), s = z * z;
  float r = z * (0.15915133f + s * (-0.05293857f + s * (0.03080341f + s * (-0.01853087f + s * (0.00838004f - s * 0.00186549f)))));
  r = ay > ax ? 0.25f - r : r;
  r = x < 0 ? 0.5f - r : r;
  return y < 0 ? -r : r;
}

static inline float random_at(int x, int y, uint32_t seed) {
  uint32_t v = (uint32_t)x * 0x9e3779b1u ^ (uint32_t)y * 0x85ebca77u ^ seed * 0xc2b2ae3du;
  v = (v ^ (v >> 15)) * 0x2c1b3c6du;
  v = (v ^ (v >> 12)) * 0x297a2d39u;
  return (float)((v ^ (v >> 15)) >> 8) * (1.0f / 16777216.0f);
}

/// Value noise: random lattice values, smoothly joined.
static inline float noise_at(float x, float y, uint32_t seed) {
  const float fx = floorf(x), fy = floorf(y), u = smooth(0, 1, x - fx), v = smooth(0, 1, y - fy);
  const int i = (int)fx, j = (int)fy;
  const float top = random_at(i, j, seed) * (1 - u) + random_at(i + 1, j, seed) * u;
  const float bottom = random_at(i, j + 1, seed) * (1 - u) + random_at(i + 1, j + 1, seed) * u;
  return top * (1 - v) + bottom * v;
}

static inline __attribute__((always_inline)) place place_at(const warp_context *c, int program, float x, float y, float lumaA, float lumaB) {
  const rw_warp *p = c->warp;
  const float w = c->w, h = c->h, t = c->t, k = p->strength, dx = x - p->centerX, dy = y - p->centerY;
  const float vx = p->directionX, vy = p->directionY;
  place o = {x, y, x, y, smooth(0.3f, 0.7f, t), 1, 0};
  switch (program) {
    case RW_WARP_ZOOM: {
      const float reach = 1.2f * k;
      const float a = 1 / (1 + reach * t * (1 + t)), rest = 1 - t, b = 1 + 0.6f * k * rest * (1 + rest);
      o = (place){p->centerX + dx * a, p->centerY + dy * a, p->centerX + dx * b, p->centerY + dy * b, smooth(0.35f, 0.65f, t), 1, 0};
      break;
    }
    case RW_WARP_SQUEEZE: {
      // Along the direction 0…1, 1 where the front goes.
      const float extent = fabsf(vx) * w + fabsf(vy) * h, along = ((x - 0.5f * w) * vx + (y - 0.5f * h) * vy) / extent + 0.5f;
      const float a = 1 - (1 - along) / fmaxf(1 - t, 1e-4f), b = along / fmaxf(t, 1e-4f);
      o.ua = x + (a - along) * extent * vx;
      o.va = y + (a - along) * extent * vy;
      o.ub = x + (b - along) * extent * vx;
      o.vb = y + (b - along) * extent * vy;
      o.weight = clampf((t - along) * extent + 0.5f, 0, 1);
      break;
    }
    case RW_WARP_PAN: {
      const float way = t * t * (3 - 2 * t), distance = 2 * k;
      o.ua = x - vx * w * distance * way;
      o.va = y - vy * h * distance * way;
      o.ub = x + vx * w * distance * (1 - way);
      o.vb = y + vy * h * distance * (1 - way);
      o.weight = smooth(0.4f, 0.6f, t);
      break;
    }
    case RW_WARP_RIPPLE: {
      const float r = __builtin_elementwise_sqrt(dx * dx + dy * dy), unit = r / c->small;
      const float push = sine(unit * p->count - 2 * t) * c->arch * 0.05f * k * c->small / fmaxf(r, 1);
      o.ua = o.ub = x + dx * push;
      o.va = o.vb = y + dy * push;
      o.shade = 1 + 0.12f * c->arch * sine(unit * p->count - 2 * t + 0.25f);
      break;
    }
    case RW_WARP_SWIRL: {
      const float r = __builtin_elementwise_sqrt(dx * dx + dy * dy) / (0.75f * c->small), inner = fmaxf(0, 1 - r);
      const float turn = c->arch * inner * inner * 1.1f * k, s = sine(turn), co = sine(turn + 0.25f);
      o.ua = o.ub = p->centerX + dx * co - dy * s;
      o.va = o.vb = p->centerY + dx * s + dy * co;
      break;
    }
    case RW_WARP_CURL: {
      // Paper coordinate against the direction: 0 at the side where the page goes, `extent` at the side that is lifted.
      const float extent = fabsf(vx) * w + fabsf(vy) * h, radius = 0.09f * extent * k;
      const float s = 0.5f * extent - ((x - 0.5f * w) * vx + (y - 0.5f * h) * vy);
      const float edge = extent - t * (extent + radius) - 0.0001f, q = (s - edge) / radius;
      const float arc = q > 0 && q < 1 ? asinf(clampf(q, 0, 1)) : 0;
      const float rising = edge + radius * arc, falling = edge + radius * (3.14159265f - arc), flat = 2 * edge + 3.14159265f * radius - s;
      const int isBackOnRoll = q > 0 && q < 1 && falling <= extent, isRoll = q > 0 && q < 1 && rising <= extent;
      const int isBackFlat = q <= 0 && flat <= extent;
      const float paper = isBackOnRoll ? falling : isRoll ? rising : isBackFlat ? flat : s;
      const int isBack = isBackOnRoll || isBackFlat, isPage = q <= 0 || isRoll || isBackOnRoll;
      o.ua = x - (paper - s) * vx;
      o.va = y - (paper - s) * vy;
      o.weight = isPage ? 0 : 1;
      const float rolled = isBack ? 0.72f + 0.2f * (isBackOnRoll ? q : 0) : isRoll ? 1 - 0.45f * q : 1;
      // The roll shades what lies under it on both sides.
      const float away = q > 1 ? (q - 1) : 9, under = isBackFlat || q > 0 ? 9 : flat - extent > 0 ? (flat - extent) / radius : 9;
      o.shade = isPage ? rolled * (under < 1 ? 0.7f + 0.3f * under : 1) : (away < 1.2f ? 0.55f + 0.45f * away / 1.2f : 1);
      o.glow = isBack ? 0.2f : 0;
      break;
    }
    case RW_WARP_CUBE: {
      const int isAcross = fabsf(vx) >= fabsf(vy);
      const float length = isAcross ? w : h, breadth = isAcross ? h : w, sign = isAcross ? (vx < 0 ? -1 : 1) : (vy < 0 ? -1 : 1);
      float s = (isAcross ? x : y) / length, across = (isAcross ? y : x) / breadth - 0.5f;
      s = sign > 0 ? 1 - s : s;  // the first face leaves towards s = 0
      // The cube steps back while it turns, so that its corner does not come out of the screen.
      const float back = 1 + 0.25f * k * c->arch;
      s = (s - 0.5f) * back + 0.5f;
      across *= back;
      const float corner = 1 - t, isB = s > corner ? 1 : 0;
      const float far = 1 + 0.6f * k * (isB > 0 ? 1 - t : t);
      const float q = isB > 0 ? (s - corner) / fmaxf(t, 1e-4f) : 1 - s / fmaxf(corner, 1e-4f);  // 0 at the corner, 1 far away
      const float depth = (1 - q) + q / far;                                                   // 1/z, linear on the screen
      const float along = clampf(q / far / depth, 0, 1), side = across / depth + 0.5f;
      const float face = isB > 0 ? along : 1 - along, run = (sign > 0 ? 1 - face : face) * length, cross = side * breadth;
      o.ua = o.ub = isAcross ? run : cross;
      o.va = o.vb = isAcross ? cross : run;
      o.weight = isB;
      const int isOutside = q > 1 || q < 0 || side < 0 || side > 1;
      o.shade = isOutside ? 0 : 1 - 0.45f * (isB > 0 ? 1 - t : t);
      break;
    }
    case RW_WARP_DOORWAY: {
      const float half = fabsf(x / w - 0.5f) * 2, open = t;  // 0 in the middle, 1 at the hinge
      const float q = clampf((1 - half) / fmaxf(1 - open, 1e-4f), 0, 1.01f);  // 0 at the hinge, 1 at the free edge
      const float far = 1 + 0.5f * k * t, depth = 1 - q + q / far, along = clampf(q / far / depth, 0, 1);
      const float side = (y / h - 0.5f) / depth, isDoor = half >= open && fabsf(side) <= 0.5f ? 1 : 0;
      o.ua = (x < 0.5f * w ? along * 0.5f : 1 - along * 0.5f) * w;
      o.va = (side + 0.5f) * h;
      const float near = 0.55f + 0.45f * t, ub = 0.5f + (x / w - 0.5f) / near, vb = 0.5f + (y / h - 0.5f) / near;
      o.ub = ub * w;
      o.vb = vb * h;
      const float isFrame = ub >= 0 && ub <= 1 && vb >= 0 && vb <= 1 ? 1 : 0;
      o.weight = 1 - isDoor;
      o.shade = isDoor > 0 ? 1 - 0.35f * t : isFrame * (0.4f + 0.6f * t);
      break;
    }
    case RW_WARP_KALEIDOSCOPE: {
      const float r = __builtin_elementwise_sqrt(dx * dx + dy * dy), part = 1 / fmaxf(2, p->count);
      const float turn = turn_of(dy, dx) + 0.15f * t, folded = fabsf(frac(turn / part) - 0.5f) * part + 0.1f * t;
      const float e = smooth(0, 0.35f, t) * smooth(0, 0.35f, 1 - t), mx = p->centerX + r * sine(folded + 0.25f), my = p->centerY + r * sine(folded);
      o.ua = o.ub = x + (mx - x) * e;
      o.va = o.vb = y + (my - y) * e;
      break;
    }
    case RW_WARP_GLITCH: {
      const int step = (int)(t * 14), band = (int)(y / h * 24 + 3 * random_at(step, 7, p->seed));
      const float r = random_at(band, step, p->seed), tear = r > 0.55f ? (random_at(band, step + 50, p->seed) - 0.5f) * 0.3f * k * w * c->arch : 0;
      const float block = random_at((int)(x / w * 9 + tear), band + 100 * step, p->seed) < 0.12f * c->arch ? 0.08f * w : 0;
      o.ua = o.ub = x + tear + block;
      o.va = o.vb = y + (random_at(band, step + 9, p->seed) > 0.9f ? 0.03f * h * c->arch : 0);
      o.weight = smooth(0, 1, t) > 0.15f + 0.7f * random_at(band, step / 3 + 300, p->seed) ? 1 : 0;
      o.shade = 1 + 0.15f * c->arch * (r - 0.5f);
      break;
    }
    case RW_WARP_DIRECTIONAL: {
      const float soft = 0.5f, extent = fabsf(vx) * w + fabsf(vy) * h;
      const float along = ((x - 0.5f * w) * vx + (y - 0.5f * h) * vy) / extent + 0.5f;
      const float m = 1 - smooth(-soft, 0, along - t * (1 + soft));
      const float a = 1 - m * 0.9f * k, b = 1 - (1 - m) * 0.9f * k;
      o = (place){0.5f * w + (x - 0.5f * w) * a, 0.5f * h + (y - 0.5f * h) * a, 0.5f * w + (x - 0.5f * w) * b, 0.5f * h + (y - 0.5f * h) * b, m, 1, 0};
      break;
    }
    case RW_WARP_BURN: {
      const float u = x / c->small * 4, v = y / c->small * 4;
      const float n = 0.62f * noise_at(u, v, p->seed) + 0.26f * noise_at(u * 2.7f, v * 2.7f, p->seed + 1) + 0.12f * noise_at(u * 7, v * 7, p->seed + 2);
      const float level = (n - 0.15f) / 0.7f, edge = t * 1.5f - 0.25f - level;
      o.weight = smooth(-0.01f, 0.015f, edge);
      const float ahead = clampf(1 + edge * 6, 0, 1), behind = clampf(1 - edge * 14, 0, 1);
      o.glow = edge < 0 ? ahead * ahead * 0.55f : behind * behind * 1.1f;
      o.shade = edge < 0 ? 1 - 0.65f * ahead : 1;
      break;
    }
    case RW_WARP_LEAK: {
      const float extent = fabsf(vx) * w + fabsf(vy) * h;
      const float along = ((x - 0.5f * w) * vx + (y - 0.5f * h) * vy) / extent + 0.5f, across = (dx * vy - dy * vx) / c->small;
      const float wobble = 0.25f * (noise_at(across * 2 + 5, t * 3, p->seed) - 0.5f);
      const float d = (along - (t * 1.6f - 0.3f) + wobble) * 2.6f, blob = fmaxf(0, 1 - d * d);
      const float d2 = (along - (t * 2.2f - 0.7f)) * 5, second = fmaxf(0, 1 - d2 * d2);
      o.glow = c->arch * k * (0.8f * blob * blob + 0.25f * second + 0.2f);
      o.weight = smooth(0.35f, 0.65f, t);
      break;
    }
    case RW_WARP_MORPH: {
      const float push = (lumaA + lumaB - 1) * 0.3f * k * c->small;
      o.ua = x + push * t;
      o.va = y + push * t;
      o.ub = x - push * (1 - t);
      o.vb = y - push * (1 - t);
      o.weight = t;
      break;
    }
    case RW_WARP_SCALES: {
      const float a = 1 - p->amount, b = 1 + p->amount;
      o = (place){p->centerX + dx * a, p->centerY + dy * a, p->centerX + dx * b, p->centerY + dy * b, 0.5f, 1, 0};
      break;
    }
    case RW_WARP_SHIFTS: {
      const float sx = vx * w * p->amount, sy = vy * h * p->amount;
      o = (place){x - sx, y - sy, x + sx, y + sy, 0.5f, 1, 0};
      break;
    }
  }
  return o;
}

static inline __attribute__((always_inline)) void places_of(const warp_context *c, int program, run_places *r, float y, int n) {
  for (int i = 0; i < n; i++) {
    const place o = place_at(c, program, r->x[i], y, program == RW_WARP_MORPH ? r->lumaA[i] : 0, program == RW_WARP_MORPH ? r->lumaB[i] : 0);
    r->ua[i] = o.ua;
    r->va[i] = o.va;
    r->ub[i] = o.ub;
    r->vb[i] = o.vb;
    r->weight[i] = o.weight;
    r->shade[i] = o.shade;
    r->glow[i] = o.glow;
  }
}

static inline __attribute__((always_inline)) void all_places(const warp_context *c, run_places *r, float y, int n) {
  switch (c->warp->program) {
#define RW_CASE(program) \
  case program: places_of(c, program, r, y, n); break;
    RW_CASE(RW_WARP_ZOOM)
    RW_CASE(RW_WARP_SQUEEZE)
    RW_CASE(RW_WARP_PAN)
    RW_CASE(RW_WARP_RIPPLE)
    RW_CASE(RW_WARP_SWIRL)
    RW_CASE(RW_WARP_CURL)
    RW_CASE(RW_WARP_CUBE)
    RW_CASE(RW_WARP_DOORWAY)
    RW_CASE(RW_WARP_KALEIDOSCOPE)
    RW_CASE(RW_WARP_GLITCH)
    RW_CASE(RW_WARP_DIRECTIONAL)
    RW_CASE(RW_WARP_BURN)
    RW_CASE(RW_WARP_LEAK)
    RW_CASE(RW_WARP_MORPH)
    RW_CASE(RW_WARP_SCALES)
    RW_CASE(RW_WARP_SHIFTS)
#undef RW_CASE
  }
}

/// A coordinate folded back into 0…last; `inverse` is 1 / (2 (last + 1)).
static inline float mirrored(float v, float last, float inverse) {
  const float period = 2 * (last + 1), m = (v + 0.5f) - floorf((v + 0.5f) * inverse) * period;
  const float folded = m > last + 1 ? period - m : m;
  return fminf(fmaxf(folded - 0.5f, 0), last);
}

static inline __attribute__((always_inline)) void sample_run(const uint8_t *base, ptrdiff_t stride, int width, int height, int is16,
                                                             const float *u, const float *v, float scale, float offset, float *out, int n) {
  const float right = (float)(width - 1), bottom = (float)(height - 1), inverseX = 0.5f / (float)width, inverseY = 0.5f / (float)height;
  for (int i = 0; i < n; i++) {
    const float x = mirrored(u[i] * scale + offset, right, inverseX), y = mirrored(v[i] * scale - 0.5f, bottom, inverseY);
    const int x0 = (int)x, y0 = (int)y, x1 = x0 + (x0 < width - 1), y1 = y0 + (y0 < height - 1);
    const float fx = x - (float)x0, fy = y - (float)y0;
    const uint8_t *top = base + y0 * stride, *low = base + y1 * stride;
    float a, b, c, d;
    if (is16) {
      a = ((const uint16_t *)top)[x0], b = ((const uint16_t *)top)[x1], c = ((const uint16_t *)low)[x0], d = ((const uint16_t *)low)[x1];
    } else {
      a = top[x0], b = top[x1], c = low[x0], d = low[x1];
    }
    const float above = a + (b - a) * fx, below = c + (d - c) * fx;
    out[i] = above + (below - above) * fy;
  }
}

#if defined(__x86_64__)

RW_AVX2 static inline __m256 mirrored8(__m256 v, __m256 last, __m256 inverse) {
  const __m256 half = _mm256_set1_ps(0.5f), size = _mm256_add_ps(last, _mm256_set1_ps(1)), period = _mm256_add_ps(size, size);
  v = _mm256_add_ps(v, half);
  __m256 m = _mm256_sub_ps(v, _mm256_mul_ps(_mm256_floor_ps(_mm256_mul_ps(v, inverse)), period));
  m = _mm256_min_ps(m, _mm256_sub_ps(period, m));
  return _mm256_min_ps(_mm256_max_ps(_mm256_sub_ps(m, half), _mm256_setzero_ps()), last);
}

/// Eight samples at a time of an 8-bit plane at least four wide: two samples of a row come with one 32-bit gather, taken
/// so far to the left that it ends within the row.
RW_AVX2 static void sample_run8_avx2(const uint8_t *base, ptrdiff_t stride, int width, int height, const float *u, const float *v, float scale,
                                     float offset, float *out, int n) {
  const __m256 right = _mm256_set1_ps((float)(width - 1)), bottom = _mm256_set1_ps((float)(height - 1));
  const __m256 inverseX = _mm256_set1_ps(0.5f / (float)width), inverseY = _mm256_set1_ps(0.5f / (float)height);
  const __m256 s = _mm256_set1_ps(scale), ox = _mm256_set1_ps(offset), oy = _mm256_set1_ps(-0.5f);
  const __m256i lastStart = _mm256_set1_epi32(width - 4), lastRow = _mm256_set1_epi32(height - 1), one = _mm256_set1_epi32(1);
  const __m256i rowBytes = _mm256_set1_epi32((int)stride), low = _mm256_set1_epi32(255), last = _mm256_set1_epi32(width - 1);
  int i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m256 x = mirrored8(_mm256_add_ps(_mm256_mul_ps(_mm256_loadu_ps(u + i), s), ox), right, inverseX);
    const __m256 y = mirrored8(_mm256_add_ps(_mm256_mul_ps(_mm256_loadu_ps(v + i), s), oy), bottom, inverseY);
    const __m256i x0 = _mm256_cvttps_epi32(x), y0 = _mm256_cvttps_epi32(y), y1 = _mm256_min_epi32(_mm256_add_epi32(y0, one), lastRow);
    const __m256i x1 = _mm256_min_epi32(_mm256_add_epi32(x0, one), last);
    const __m256 fx = _mm256_sub_ps(x, _mm256_cvtepi32_ps(x0)), fy = _mm256_sub_ps(y, _mm256_cvtepi32_ps(y0));
    const __m256i start = _mm256_min_epi32(x0, lastStart);
    const __m256i shift0 = _mm256_slli_epi32(_mm256_sub_epi32(x0, start), 3), shift1 = _mm256_slli_epi32(_mm256_sub_epi32(x1, start), 3);
    const __m256i top = _mm256_i32gather_epi32((const int *)base, _mm256_add_epi32(_mm256_mullo_epi32(y0, rowBytes), start), 1);
    const __m256i under = _mm256_i32gather_epi32((const int *)base, _mm256_add_epi32(_mm256_mullo_epi32(y1, rowBytes), start), 1);
#define RW_PICK(v, shift) _mm256_cvtepi32_ps(_mm256_and_si256(_mm256_srlv_epi32(v, shift), low))
    const __m256 a = RW_PICK(top, shift0), b = RW_PICK(top, shift1), c = RW_PICK(under, shift0), d = RW_PICK(under, shift1);
#undef RW_PICK
    const __m256 above = _mm256_add_ps(a, _mm256_mul_ps(_mm256_sub_ps(b, a), fx)), below = _mm256_add_ps(c, _mm256_mul_ps(_mm256_sub_ps(d, c), fx));
    _mm256_storeu_ps(out + i, _mm256_add_ps(above, _mm256_mul_ps(_mm256_sub_ps(below, above), fy)));
  }
  if (i < n) sample_run(base, stride, width, height, 0, u + i, v + i, scale, offset, out + i, n - i);
}

#endif

static inline __attribute__((always_inline)) void sample_plane(const rw_picture *p, int plane, const float *u, const float *v, float *out, int n,
                                                               int isWide) {
  const int width = plane ? (p->width + 1) / 2 : p->width, height = plane ? (p->height + 1) / 2 : p->height;
  // Luma sample i is centred at i + ½; chroma is sited on the left: sample i at 2i + ½ across, 2i + 1 down.
  const float scale = plane ? 0.5f : 1, offset = plane ? -0.25f : -0.5f;
#if defined(__x86_64__)
  if (isWide && p->depth == 8 && width >= 4 && p->stride[plane] * height < 0x7fffffff) {
    sample_run8_avx2(p->plane[plane], p->stride[plane], width, height, u, v, scale, offset, out, n);
    return;
  }
#endif
  if (p->depth > 8) sample_run(p->plane[plane], p->stride[plane], width, height, 1, u, v, scale, offset, out, n);
  else sample_run(p->plane[plane], p->stride[plane], width, height, 0, u, v, scale, offset, out, n);
}

static inline __attribute__((always_inline)) void finish(const rw_picture *dst, int plane, int x, int y, const run_places *r, int n, float base,
                                                         float light) {
  const float max = (float)((1 << dst->depth) - 1);
  float value[RUN];
  for (int i = 0; i < n; i++) {
    const float mixed = r->a[i] + (r->b[i] - r->a[i]) * r->weight[i];
    value[i] = clampf(base + (mixed - base) * r->shade[i] + light * r->glow[i] + 0.5f, 0, max);
  }
  uint8_t *row = dst->plane[plane] + y * dst->stride[plane];
  if (dst->depth == 8) {
    for (int i = 0; i < n; i++) row[x + i] = (uint8_t)value[i];
  } else {
    for (int i = 0; i < n; i++) ((uint16_t *)row)[x + i] = (uint16_t)value[i];
  }
}

static inline __attribute__((always_inline)) void warp_row(const warp_context *c, const rw_picture *dst, const rw_picture *a, const rw_picture *b,
                                                           int isChroma, int y, int isWide) {
  const int width = isChroma ? (dst->width + 1) / 2 : dst->width;
  const float unit = (float)(1 << (dst->depth - 8)), black = c->warp->isFullRange ? 0 : 16 * unit, middle = 128 * unit;
  // Warm light: R 1, G ½, B ⅛ of full scale, roughly, in Y'CbCr.
  static const float light[3] = {105, -40, 34};
  run_places r;
  for (int x = 0; x < width; x += RUN) {
    const int n = rw_min(RUN, width - x);
    for (int i = 0; i < n; i++) r.x[i] = isChroma ? (float)(2 * (x + i)) + 0.5f : (float)(x + i) + 0.5f;
    const float py = isChroma ? (float)(2 * y) + 1 : (float)y + 0.5f;
    if (c->warp->program == RW_WARP_MORPH) {
      float ys[RUN];
      for (int i = 0; i < n; i++) ys[i] = py;
      sample_plane(a, 0, r.x, ys, r.lumaA, n, isWide);
      sample_plane(b, 0, r.x, ys, r.lumaB, n, isWide);
      for (int i = 0; i < n; i++) {
        r.lumaA[i] *= 1.0f / (255 * unit);
        r.lumaB[i] *= 1.0f / (255 * unit);
      }
    }
    all_places(c, &r, py, n);
    float least = 1, most = 0;
    for (int i = 0; i < n; i++) {
      least = fminf(least, r.weight[i]);
      most = fmaxf(most, r.weight[i]);
    }
    if (isChroma && c->warp->program == RW_WARP_GLITCH) {
      // The colours run out of register with the picture.
      for (int i = 0; i < n; i++) {
        r.ua[i] += 0.012f * c->w * c->arch;
        r.ub[i] += 0.012f * c->w * c->arch;
      }
    }
    for (int plane = isChroma ? 1 : 0; plane < (isChroma ? 3 : 1); plane++) {
      if (least < 1) sample_plane(a, plane, r.ua, r.va, r.a, n, isWide);
      else memset(r.a, 0, sizeof r.a);
      if (most > 0) sample_plane(b, plane, r.ub, r.vb, r.b, n, isWide);
      else memset(r.b, 0, sizeof r.b);
      finish(dst, plane, x, y, &r, n, plane ? middle : black, light[plane] * unit);
    }
  }
}

static void warp_row_scalar(const warp_context *c, const rw_picture *dst, const rw_picture *a, const rw_picture *b, int isChroma, int y) {
  warp_row(c, dst, a, b, isChroma, y, 0);
}
#if defined(__x86_64__)
RW_AVX2 static void warp_row_avx2(const warp_context *c, const rw_picture *dst, const rw_picture *a, const rw_picture *b, int isChroma, int y) {
  warp_row(c, dst, a, b, isChroma, y, 1);
}
#endif

void rw_picture_warp(int isa, const rw_picture *dst, const rw_picture *a, const rw_picture *b, const rw_warp *warp, int yBegin, int yEnd) {
  const warp_context c = {
      .warp = warp,
      .w = (float)dst->width,
      .h = (float)dst->height,
      .t = warp->progress,
      .arch = sinf(3.14159265f * warp->progress),
      .small = (float)rw_min(dst->width, dst->height),
  };
  for (int chroma = 0; chroma < 2; chroma++) {
    for (int y = chroma ? yBegin / 2 : yBegin; y < (chroma ? (yEnd + 1) / 2 : yEnd); y++) {
#if defined(__x86_64__)
      if (isa == RW_ISA_AVX2) {
        warp_row_avx2(&c, dst, a, b, chroma, y);
        continue;
      }
#endif
      warp_row_scalar(&c, dst, a, b, chroma, y);
    }
  }
}
