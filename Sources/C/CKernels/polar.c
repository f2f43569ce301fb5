#include "kernels_watermark.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// x = u F^(x)9 over GF(2), natural order: at distance d, every pair (i, i + d) becomes (a ^ b, b).
void rw_polar_encode_512(uint64_t w[8]) {
  static const uint64_t low[6] = {0x5555555555555555u, 0x3333333333333333u, 0x0f0f0f0f0f0f0f0fu,
                                  0x00ff00ff00ff00ffu, 0x0000ffff0000ffffu, 0x00000000ffffffffu};
  for (int i = 0; i < 8; i++)
    for (int s = 0; s < 6; s++) w[i] ^= (w[i] >> (1 << s)) & low[s];
  for (int d = 1; d < 8; d *= 2)
    for (int i = 0; i < 8; i++)
      if (!(i & d)) w[i] ^= w[i + d];
}

#define STAGES 9
#define LIST 32

// Every stage is rewritten for all paths at once, so path p always writes slot p and a clone only copies the indices
// of the slots from which its ancestors' values are read.
typedef struct {
  float alpha[STAGES][LIST][256];  // stage s: 2^s LLRs
  float root[512];
  uint8_t beta[STAGES + 1][2][LIST][512];  // partial sums of the left (0) and right (1) child
  uint8_t alphaSlot[LIST][STAGES];
  uint8_t betaSlot[LIST][2][STAGES];
  uint64_t decided[LIST][8];
  float metric[LIST];
  uint8_t active;
  int list;
  const uint64_t *frozen;
} decoder;

static const float *alpha_of(const decoder *d, int stage, int path) {
  return stage == STAGES ? d->root : d->alpha[stage][d->alphaSlot[path][stage]];
}

static int all_frozen(const uint64_t *frozen, int first, int count) {
  for (int i = first; i < first + count; i++)
    if (!((frozen[i >> 6] >> (i & 63)) & 1)) return 0;
  return 1;
}

typedef struct {
  float metric;
  uint8_t path, bit;
} fork_choice;

static int by_metric(const void *a, const void *b) {
  float x = ((const fork_choice *)a)->metric, y = ((const fork_choice *)b)->metric;
  return (x > y) - (x < y);
}

static void clone(decoder *d, int from, int to) {
  memcpy(d->alphaSlot[to], d->alphaSlot[from], sizeof d->alphaSlot[to]);
  memcpy(d->betaSlot[to], d->betaSlot[from], sizeof d->betaSlot[to]);
  memcpy(d->decided[to], d->decided[from], sizeof d->decided[to]);
  d->metric[to] = d->metric[from];
}

static void leaf(decoder *d, int index, int side) {
  fork_choice forks[2 * LIST];
  int n = 0;
  for (int p = 0; p < d->active; p++) {
    float a = alpha_of(d, 0, p)[0];
    float cost = fabsf(a);
    forks[n++] = (fork_choice){d->metric[p] + (a < 0 ? cost : 0), (uint8_t)p, 0};
    forks[n++] = (fork_choice){d->metric[p] + (a < 0 ? 0 : cost), (uint8_t)p, 1};
  }
  if (n > d->list) qsort(forks, (size_t)n, sizeof forks[0], by_metric);
  int keep = n < d->list ? n : d->list;
  int uses[LIST] = {0};
  for (int i = 0; i < keep; i++) uses[forks[i].path]++;
  // A path that is not used any more gives its place to the second child of a path used twice.
  int free[LIST], frees = 0;
  for (int p = 0; p < d->list; p++)
    if (p >= d->active || uses[p] == 0) free[frees++] = p;
  int seen[LIST] = {0}, taken = 0;
  int place[2 * LIST];
  for (int i = 0; i < keep; i++) {
    int p = forks[i].path;
    if (seen[p]++ == 0) {
      place[i] = p;
    } else {
      place[i] = free[taken++];
      clone(d, p, place[i]);
    }
  }
  for (int i = 0; i < keep; i++) {
    int p = place[i];
    d->metric[p] = forks[i].metric;
    uint64_t bit = (uint64_t)1 << (index & 63);
    d->decided[p][index >> 6] = forks[i].bit ? d->decided[p][index >> 6] | bit : d->decided[p][index >> 6] & ~bit;
    d->beta[0][side][p][0] = forks[i].bit;
    d->betaSlot[p][side][0] = (uint8_t)p;
  }
  d->active = (uint8_t)keep;
}

static void node(decoder *d, int stage, int first, int side) {
  int size = 1 << stage;
  if (all_frozen(d->frozen, first, size)) {
    for (int p = 0; p < d->active; p++) {
      const float *a = alpha_of(d, stage, p);
      float cost = 0;
      for (int i = 0; i < size; i++) cost += a[i] < 0 ? -a[i] : 0;
      d->metric[p] += cost;
      memset(d->beta[stage][side][p], 0, (size_t)size);
      if (stage < STAGES) d->betaSlot[p][side][stage] = (uint8_t)p;
    }
    return;
  }
  if (stage == 0) {
    leaf(d, first, side);
    return;
  }
  int half = size / 2;
  for (int p = 0; p < d->active; p++) {
    const float *a = alpha_of(d, stage, p);
    float *out = d->alpha[stage - 1][p];
    for (int i = 0; i < half; i++) {
      float x = a[i], y = a[i + half];
      float m = fabsf(x) < fabsf(y) ? fabsf(x) : fabsf(y);
      out[i] = (x < 0) != (y < 0) ? -m : m;
    }
    d->alphaSlot[p][stage - 1] = (uint8_t)p;
  }
  node(d, stage - 1, first, 0);
  for (int p = 0; p < d->active; p++) {
    const float *a = alpha_of(d, stage, p);
    const uint8_t *left = d->beta[stage - 1][0][d->betaSlot[p][0][stage - 1]];
    float *out = d->alpha[stage - 1][p];
    for (int i = 0; i < half; i++) out[i] = a[i + half] + (left[i] ? -a[i] : a[i]);
    d->alphaSlot[p][stage - 1] = (uint8_t)p;
  }
  node(d, stage - 1, first + half, 1);
  for (int p = 0; p < d->active; p++) {
    const uint8_t *left = d->beta[stage - 1][0][d->betaSlot[p][0][stage - 1]];
    const uint8_t *right = d->beta[stage - 1][1][d->betaSlot[p][1][stage - 1]];
    uint8_t *out = d->beta[stage][side][p];
    for (int i = 0; i < half; i++) {
      out[i] = left[i] ^ right[i];
      out[i + half] = right[i];
    }
    if (stage < STAGES) d->betaSlot[p][side][stage] = (uint8_t)p;
  }
}

int rw_polar_list_decode_512(const float llr[512], const uint64_t frozen[8], int list, uint64_t *candidates, float *metrics) {
  decoder *d = calloc(1, sizeof *d);
  if (!d) return 0;
  memcpy(d->root, llr, sizeof d->root);
  d->frozen = frozen;
  d->list = list < 1 ? 1 : list > LIST ? LIST : list;
  d->active = 1;
  node(d, STAGES, 0, 0);
  fork_choice order[LIST];
  int n = d->active;
  for (int p = 0; p < n; p++) order[p] = (fork_choice){d->metric[p], (uint8_t)p, 0};
  qsort(order, (size_t)n, sizeof order[0], by_metric);
  for (int i = 0; i < n; i++) {
    memcpy(candidates + 8 * i, d->decided[order[i].path], 8 * sizeof(uint64_t));
    metrics[i] = order[i].metric;
  }
  free(d);
  return n;
}
