#include "convert_internal.h"

static void blend(int16_t *out, const uint8_t *near_row, const uint8_t *far_row, int near_weight, int far_weight, int bits, int32_t count) {
  int32_t mid = 4 << (bits - 1);
  if (bits > 8) {
    const uint16_t *n = (const uint16_t *)(const void *)near_row, *f = (const uint16_t *)(const void *)far_row;
    for (int32_t i = 0; i < count; i++) out[i] = (int16_t)(n[i] * near_weight + f[i] * far_weight - mid);
  } else {
    for (int32_t i = 0; i < count; i++) out[i] = (int16_t)(near_row[i] * near_weight + far_row[i] * far_weight - mid);
  }
}

/// Chroma at luma column x in units of 2^(bits − 16) steps.
static inline int16_t interpolate(const int16_t *c, int32_t x, const rw_yuv_image *in) {
  int shift = 12 - in->bits;
  int32_t i = x >> 1, value;
  if (!in->chroma_shift_x)
    value = 4 * c[x];
  else if (x & 1)
    value = in->chroma_left ? 2 * c[i] + 2 * c[i + 1] : 3 * c[i] + c[i + 1];
  else
    value = in->chroma_left ? 4 * c[i] : 3 * c[i] + c[i - 1];
  return (int16_t)((uint32_t)value << shift);
}

static inline int16_t scaled_luma(int32_t y, int bits, const rw_yuv_matrix *m) {
  return rw_round_product((int16_t)((uint32_t)(y - m->luma_offset) << (15 - bits)), m->luma_gain);
}

static inline uint8_t component(int16_t y, int16_t u, int16_t v, const int16_t c[2]) {
  return rw_from_q6(rw_saturate(rw_saturate(y + rw_round_product(u, c[0])) + rw_round_product(v, c[1])));
}

static void rgb(const rw_chunk *c, const rw_yuv_image *in, const rw_yuv_matrix *m, uint8_t *out, int channels) {
  for (int32_t x = 0; x < c->width; x++, out += channels) {
    int16_t y = scaled_luma(rw_sample(c->y, x, in->bits), in->bits, m);
    int16_t u = interpolate(c->u, x, in), v = interpolate(c->v, x, in);
    for (int i = 0; i < 3; i++) out[i] = component(y, u, v, m->chroma[i]);
    if (channels == 4) out[3] = 255;
  }
}

static void luma(const rw_chunk *c, const rw_yuv_image *in, const rw_yuv_matrix *m, uint8_t *out) {
  for (int32_t x = 0; x < c->width; x++)
    out[x] = component(scaled_luma(rw_sample(c->y, x, in->bits), in->bits, m), interpolate(c->u, x, in), interpolate(c->v, x, in), m->chroma[0]);
}

static void luma_range(const uint8_t *y, int32_t count, int bits, const rw_yuv_matrix *m, uint8_t *out) {
  for (int32_t x = 0; x < count; x++) out[x] = rw_from_q6(scaled_luma(rw_sample(y, x, bits), bits, m));
}

static void chroma(const uint8_t *u, const uint8_t *v, int32_t count, int bits, const rw_yuv_matrix *m, uint8_t *out_u, uint8_t *out_v) {
  int32_t mid = 1 << (bits - 1);
  for (int32_t x = 0; x < count; x++) {
    int16_t cu = (int16_t)((uint32_t)(rw_sample(u, x, bits) - mid) << (16 - bits));
    int16_t cv = (int16_t)((uint32_t)(rw_sample(v, x, bits) - mid) << (16 - bits));
    out_u[x] = component(128 << 6, cu, cv, m->chroma[1]);
    out_v[x] = component(128 << 6, cu, cv, m->chroma[2]);
  }
}

static void accumulate8(uint16_t *sum, const uint8_t *row, int weight, int32_t count) {
  for (int32_t x = 0; x < count; x++) sum[x] = (uint16_t)(sum[x] + row[x] * weight);
}

static void accumulate16(uint32_t *sum, const uint16_t *row, int weight, int32_t count) {
  for (int32_t x = 0; x < count; x++) sum[x] += (uint32_t)row[x] * (uint32_t)weight;
}

static uint64_t sad(const uint8_t *a, const uint8_t *b, int32_t count) {
  uint64_t sum = 0;
  for (int32_t x = 0; x < count; x++) sum += (uint64_t)(a[x] > b[x] ? a[x] - b[x] : b[x] - a[x]);
  return sum;
}

const rw_convert_table rw_convert_scalar = {blend, rgb, luma, luma_range, chroma, accumulate8, accumulate16, sad};
