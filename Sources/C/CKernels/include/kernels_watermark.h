#ifndef REELWRIGHT_KERNELS_WATERMARK_H
#define REELWRIGHT_KERNELS_WATERMARK_H

#include <stddef.h>
#include <stdint.h>

// Pixel loops of the tracking watermark. Widths and heights are in pixels and at least 8, strides in elements.
// A block is 8x8 pixels; a plane has (width + 7) / 8 by (height + 7) / 8 blocks, row-major. Where a side is not a
// multiple of 8 the last block is moved inwards so that it holds 64 real pixels.

// Largest value of `activity` (5 fractional bits of log2 of 4096 times the variance).
#define RW_WATERMARK_ACTIVITY_MAX 895
// Entries of the strength table: the sum of two activities.
#define RW_WATERMARK_STRENGTH_ENTRIES 1792

typedef struct {
  // Strength by (activity + smallest activity of the 3x3 neighbourhood), 12 fractional bits.
  uint16_t strength[RW_WATERMARK_STRENGTH_ENTRIES];
  // Factor by block mean on the 8-bit scale, 8 fractional bits (256 is 1).
  uint16_t luma[256];
} rw_watermark_tables;

typedef struct {
  const char *name;
  // Mean (8-bit scale) and activity of each block. A uint16_t sample holds `depth` bits (8...16).
  void (*stats_u8)(const uint8_t *luma, ptrdiff_t stride, int width, int height, int16_t *activity, uint8_t *mean);
  void (*stats_u16)(const uint16_t *luma, ptrdiff_t stride, int width, int height, int depth, int16_t *activity, uint8_t *mean);
  // Block strengths (12 fractional bits) after the 3x3 box; returns the sum of their squares on that scale.
  // `scratch` holds 3 * columns * rows values.
  uint64_t (*mask)(const int16_t *activity, const uint8_t *mean, int columns, int rows, const rw_watermark_tables *tables,
                   int16_t *scratch, uint16_t *strength);
  // destination = clip(source + round(pattern * amplitude / 32768)), the amplitude interpolated bilinearly between block
  // centres. `pattern` is repeated downwards every `pattern_rows` rows; `pattern_stride` >= width. In place is allowed.
  // `scratch` holds 2 * (width + 64) values.
  void (*embed_u8)(uint8_t *destination, ptrdiff_t destination_stride, const uint8_t *source, ptrdiff_t source_stride, int width,
                   int height, const int16_t *amplitude, const int8_t *pattern, ptrdiff_t pattern_stride, int pattern_rows,
                   int16_t *scratch);
  // The same for samples of `depth` bits (9...15).
  void (*embed_u16)(uint16_t *destination, ptrdiff_t destination_stride, const uint16_t *source, ptrdiff_t source_stride, int width,
                    int height, int depth, const int16_t *amplitude, const int8_t *pattern, ptrdiff_t pattern_stride,
                    int pattern_rows, int16_t *scratch);
} rw_watermark_kernels;

// Number of variants this machine can run: 0 is the portable reference, the last one is the fastest.
int rw_watermark_variant_count(void);
const rw_watermark_kernels *rw_watermark_variant(int index);

// Strength min(least + gain * activity^exponent, most) by summed activities; weakening of dark and bright blocks.
void rw_watermark_fill_tables(rw_watermark_tables *tables, float least, float gain, float exponent, float most);
// Block strengths times `scale` as amplitudes of the embedding kernel, limited to 32767.
void rw_watermark_amplitudes(const uint16_t *strength, int count, float scale, int16_t *amplitude);
// A pattern scaled to rms 1, clipped at +-clip and scaled again, in signed bytes. Returns the value of one step.
float rw_pattern_quantise(const float *plane, int width, int rows, float clip, int8_t *samples, int stride);

// Polar code of length 512 in natural order; bit i of a word array is bit i % 64 of word i / 64.
void rw_polar_encode_512(uint64_t word[8]);

// CRC-aided successive-cancellation list decoding of a polar code of length 512.
// `llr`: positive favours 0. `frozen`: bit set where u_i = 0 is known. `list`: 1...32 paths.
// `candidates` receives the decided u (8 words each) of every path, best metric first; `metrics` their path metrics.
// Returns the number of candidates.
int rw_polar_list_decode_512(const float llr[512], const uint64_t frozen[8], int list, uint64_t *candidates, float *metrics);

#endif
