#ifndef REELWRIGHT_KERNELS_DETECT_H
#define REELWRIGHT_KERNELS_DETECT_H

#include <stddef.h>
#include <stdint.h>

// Loops of the watermark detector: residuals of luma planes, spectra, geometry scores.

// A smoothed power spectrum for look-ups: `rows` by `columns` bytes. Row `origin` is vertical frequency 0, column 0 is
// horizontal frequency 0; only horizontal frequencies >= 0 are kept (the other half is its mirror image). A byte is
// RW_DETECT_UNIT times the power, whose mean over the band is 1, limited to 12.
#define RW_DETECT_UNIT 21
typedef struct {
  const uint8_t *power;
  int columns, rows, origin;
  // Cycles a pixel of one column and of one row.
  float column_step, row_step;
} rw_detect_map;

// Cycles a pixel within which lines count.
#define RW_DETECT_LOW .012f
#define RW_DETECT_HIGH .45f

typedef struct {
  const char *name;
  // sum += clip(residual / (local deviation + 0.7), +-2), residual = G(.7) * Y - G(5) * Y.
  // `scratch` holds rw_detect_residual_scratch(width, height) floats. Sides are at least 16.
  void (*residual_u8)(const uint8_t *luma, ptrdiff_t stride, int width, int height, float *scratch, float *sum);
  // For each of `count` 2x2 matrices (row-major, cycles a pixel for one lattice unit): sum over lines within the band of
  // weight (power - 1) over the root of the sum of their squared weights; 0 where fewer than `least` lines are.
  // `x` and `y` hold the lattice coordinates, `weights` are 1...255, `lines` is a multiple of 16 and at most 1024.
  void (*score)(const rw_detect_map *map, const float *x, const float *y, const int32_t *weights, int lines, const float *matrices,
                int count, int least, float *scores);
} rw_detect_kernels;

int rw_detect_variant_count(void);
const rw_detect_kernels *rw_detect_variant(int index);

size_t rw_detect_residual_scratch(int width, int height);

// Means of factor x factor pixels; the output has width / factor by height / factor samples.
void rw_detect_decimate_u8(const uint8_t *source, ptrdiff_t stride, int width, int height, int factor, uint8_t *destination);
// Samples of `depth` bits to 8 bits, rounding, with decimation.
void rw_detect_decimate_u16(const uint16_t *source, ptrdiff_t stride, int width, int height, int depth, int factor,
                            uint8_t *destination);

// Whitens a spectrum in place (interleaved complex, rows x (width / 2 + 1), not centred): divides by the smoothed
// log-magnitude, drops the axes and what is outside the band, limits magnitudes to 6. `scratch`: rows x columns floats twice.
void rw_detect_whiten(float *spectrum, int width, int rows, float *scratch);

// Smoothed power map of a spectrum of the same layout. `power` holds map rows x columns with rows = 2 * origin + 1,
// origin = floor(.45 * height) + 2 and columns = floor(.45 * width) + 3. `scratch`: rows x columns floats.
// Returns the mean power over the band, by which it was divided.
float rw_detect_power(const float *spectrum, int width, int height, float *scratch, uint8_t *power);

// Values of the spectrum at arbitrary frequencies (cycles a pixel) by the exponential-of-semicircle kernel of width 6;
// the image was divided by rw_detect_kernel_transform beforehand and lies at the origin of a twofold padded plane.
// `values` receives interleaved complex numbers.
void rw_detect_interpolate(const float *spectrum, int width, int height, const float *x, const float *y, int count, float *values);
// The kernel's Fourier transform over `count` samples centred in a period of `period` samples.
void rw_detect_kernel_transform(int count, int period, float *values);

// Values of the image's spectrum at `count` frequencies (cycles a pixel, phases about the image's centre), apart for each of
// columns x rows tiles that cover it: `values` receives tiles (row-major) x count interleaved complex numbers.
void rw_detect_tile_lines(const float *samples, int width, int height, int columns, int rows, const float *x, const float *y, int count,
                          float *values);

// destination (rows x destination_stride) = zero-padded source * row factor * column factor (NULL: 1).
void rw_detect_pad(const float *source, int width, int height, const float *across, const float *down, float *destination,
                   int destination_width, int destination_height, int destination_stride);

// The inverse of rw_detect_pad: takes the image, whose centre lies on the plane's origin, out of a plane.
void rw_detect_crop(const float *plane, int plane_width, int plane_height, int plane_stride, float *destination, int width, int height);
// Divides values by a power of their local root mean square, over boxes of half-width `reach`: what stands still in a sum of
// pictures must not outweigh what has averaged out. `scratch`: twice width x height floats.
void rw_detect_equalise(float *values, int width, int height, int reach, float exponent, float *scratch);
// sum += values.
void rw_detect_add(float *sum, const float *values, size_t count);
// Sums of power maps of single pictures (at most 260) and their mean, its deviation from 1 multiplied by `contrast`.
void rw_detect_add_power(uint16_t *sum, const uint8_t *power, size_t count);
void rw_detect_mean_power(const uint16_t *sum, size_t count, int planes, float contrast, uint8_t *power);

// The pattern of plane waves on the lattice of `period` units: out(x, y) = sum over lines of re cos - im sin at
// position (x, y) * unit (units a pixel), for rows first ... first + rows. Lattice x in 0 ... 31.
void rw_pattern_rows(const int *x, const int *y, const float *re, const float *im, int lines, double unit, int period, int width,
                     int first, int rows, float *out);

// Place and value of the greatest and the next greatest separate maxima of re over a torus of size x size (interleaved
// complex); `count` places are returned, greatest first, at least `apart` samples from each other.
void rw_detect_peaks(const float *field, int size, int count, int apart, int *places, float *values);

#endif
