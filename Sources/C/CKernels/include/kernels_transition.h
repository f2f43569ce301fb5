#ifndef REELWRIGHT_KERNELS_TRANSITION_H
#define REELWRIGHT_KERNELS_TRANSITION_H

#include <stddef.h>
#include <stdint.h>

// Blending, masks, overlays and resampling of planar 4:2:0 pictures, 8 bits (uint8_t samples) or 9 to 12 bits
// (uint16_t samples, low bits used).
//
// Two layers. A row kernel works on one run of samples and exists once per instruction set, in a table. A picture
// function walks planes and rows with the kernels of the table that it is given. All variants of a kernel give the
// same bits. Weights are 15-bit: 0 is "none", 32767 is "all" (exact at both ends for samples up to 12 bits).
//
// Rows are half-open ranges of luma rows, `yBegin` even, so that a picture can be split in slices over threads.
// Nothing here allocates except rw_resampler. No kernel reads or writes outside the samples that it is given.

enum { RW_WEIGHT_ONE = 32767 };

/// A planar 4:2:0 picture that someone else owns. Chroma planes are (width+1)/2 by (height+1)/2. Strides in bytes.
typedef struct {
  uint8_t *plane[3];
  ptrdiff_t stride[3];
  int width, height;
  /// Bits of a sample: 8, or 9 to 12 in uint16_t.
  int depth;
} rw_picture;

/// How a field value becomes a mask: `clamp((position - field) / softness)`, all in units of 1/32767.
/// A field that runs from 0 to 32767 - softness is passed wholly as the position goes from 0 to 32767.
typedef struct {
  /// Position of the front, -32768 to 32767: fields below `position - softness` are wholly the second picture.
  int position;
  /// Width of the ramp, 1 (hard edge) to 32767.
  int softness;
  /// Nonzero: the ramp follows 3m²-2m³ instead of a line.
  int smooth;
} rw_front;

enum { RW_MASK_NONE = 0, RW_MASK_ALL = 1, RW_MASK_MIXED = 2 };

/// The row kernels of one instruction set.
typedef struct {
  const char *name;
  /// dst = a + (b - a) * weight
  void (*crossfade8)(uint8_t *dst, const uint8_t *a, const uint8_t *b, size_t n, int weight);
  void (*crossfade16)(uint16_t *dst, const uint16_t *a, const uint16_t *b, size_t n, int weight);
  /// dst = clamp((a * weightA + b * weightB + constant + 16384) >> 15, 0, max); weights -32768…32767.
  void (*mix8)(uint8_t *dst, const uint8_t *a, const uint8_t *b, size_t n, int weightA, int weightB, int32_t constant);
  void (*mix16)(uint16_t *dst, const uint16_t *a, const uint16_t *b, size_t n, int weightA, int weightB, int32_t constant, int max);
  /// dst = a + (b - a) * mask / 255, a mask value a sample.
  void (*blend8)(uint8_t *dst, const uint8_t *a, const uint8_t *b, const uint8_t *mask, size_t n);
  void (*blend16)(uint16_t *dst, const uint16_t *a, const uint16_t *b, const uint8_t *mask, size_t n);
  /// The mask of a chroma row: rounded mean of 2x2; `width` luma samples in, (width+1)/2 out.
  void (*maskHalf)(uint8_t *dst, const uint8_t *row0, const uint8_t *row1, size_t width);
  /// Mask of a run of a field (0…32767); says whether the run is all 0, all 255 or mixed.
  int (*maskFromField)(uint8_t *dst, const int16_t *field, size_t n, const rw_front *front);
  /// dst = dst * (1 - alpha * opacity) + color * opacity; `color` premultiplied with 4 fraction bits.
  void (*overlay8)(uint8_t *dst, const uint16_t *color, const int16_t *alpha, size_t n, int opacity);
  void (*overlay16)(uint16_t *dst, const uint16_t *color, const int16_t *alpha, size_t n, int opacity, int max);
  /// Horizontal filter: dst[i] = sum src[first[i] + j] * coef[i*taps + j] >> (depth - 1), saturated to int16.
  /// `taps` is a multiple of 4, coefficients have 14 bits.
  void (*filterRow8)(int16_t *dst, const uint8_t *src, size_t n, const int32_t *first, const int16_t *coef, int taps);
  void (*filterRow16)(int16_t *dst, const uint16_t *src, size_t n, const int32_t *first, const int16_t *coef, int taps, int depth);
  /// Vertical filter over `taps` rows of int16 (15-bit samples), coefficients of 14 bits.
  void (*filterColumn8)(uint8_t *dst, const int16_t *const *rows, size_t n, const int16_t *coef, int taps);
  void (*filterColumn16)(uint16_t *dst, const int16_t *const *rows, size_t n, const int16_t *coef, int taps, int depth);
} rw_transition_kernels;

enum { RW_ISA_SCALAR = 0, RW_ISA_AVX2 = 1 };

/// The kernels for an instruction set, or null where this processor lacks it.
const rw_transition_kernels *rw_transition_kernels_for(int isa);
/// The fastest kernels for this processor.
const rw_transition_kernels *rw_transition_kernels_best(void);

// Pictures. Those named together have the same size and depth; `dst` may be `a`.

/// dst = a + (b - a) * weight, weight 0…RW_WEIGHT_ONE.
void rw_picture_crossfade(const rw_transition_kernels *k, const rw_picture *dst, const rw_picture *a, const rw_picture *b, int weight,
                          int yBegin, int yEnd);
/// dst = a * weightA + b * weightB + color * (RW_WEIGHT_ONE - weightA - weightB), weights by plane; `color` is Y, Cb, Cr in
/// code values.
void rw_picture_mix(const rw_transition_kernels *k, const rw_picture *dst, const rw_picture *a, const rw_picture *b, const int weightA[3],
                    const int weightB[3], const int color[3], int yBegin, int yEnd);
/// Blend by an 8-bit mask at luma resolution; chroma uses the mask's 2x2 mean.
void rw_picture_blend_mask(const rw_transition_kernels *k, const rw_picture *dst, const rw_picture *a, const rw_picture *b, const uint8_t *mask,
                           ptrdiff_t maskStride, int yBegin, int yEnd);
/// Blend by the mask that a field (width x height, stride in elements) gives at `front`; no mask is stored.
/// Where the mask is nothing or everything samples are copied.
void rw_picture_blend_field(const rw_transition_kernels *k, const rw_picture *dst, const rw_picture *a, const rw_picture *b,
                            const int16_t *field, ptrdiff_t fieldStride, const rw_front *front, int yBegin, int yEnd);
/// Copies rows.
void rw_picture_copy(const rw_picture *dst, const rw_picture *src, int yBegin, int yEnd);
/// Fills rows with a colour in code values.
void rw_picture_fill(const rw_picture *dst, const int color[3], int yBegin, int yEnd);

// Fields: for every luma sample the time at which a mask transition reaches it, 0 first.

enum {
  RW_SHAPE_LINEAR = 0,   // along a direction
  RW_SHAPE_CIRCLE,       // distance from the centre
  RW_SHAPE_RECTANGLE,    // larger of the two distances, each relative to the picture's side
  RW_SHAPE_DIAMOND,      // sum of both
  RW_SHAPE_CLOCK,        // angle, clockwise from twelve o'clock
  RW_SHAPE_BARN,         // distance from the line through the centre across the direction
  RW_SHAPE_BLINDS,       // `count` bands along the direction, all at once
  RW_SHAPE_SLICES,       // `count` bands along the direction, one after the other (xfade's slices)
  RW_SHAPE_PRODUCT,      // product of both coordinates (xfade's diagonals), from the corner that the direction points to
  RW_SHAPE_CORNER,       // larger coordinate, from the corner that the direction points to
  RW_SHAPE_BLOCKS,       // random by square blocks of `size`
  RW_SHAPE_GRAIN,        // the sine hash of xfade's dissolve
  RW_SHAPE_MAP,          // brightness of an image: dark first
  RW_SHAPE_CHECKERS,     // squares of `size`, two turns
  RW_SHAPE_SPIRAL,       // `count` arms
  RW_SHAPE_WAVE,         // a linear front with `count` waves
  RW_SHAPE_STAR,         // distance in a star of five points
  RW_SHAPE_HEART,        // distance in a heart
  RW_SHAPE_COUNT
};

typedef struct {
  int shape;
  /// Unit vector of the direction in which the front moves; y downwards.
  float directionX, directionY;
  /// In samples.
  float centerX, centerY;
  /// Where in its square a sample stands: 0.5 is its middle.
  float offset;
  float count;
  /// Side of the squares of blocks and checkers; for RW_SHAPE_RECTANGLE what is added to both distances.
  float size;
  uint64_t seed;
  /// Nonzero: what came first comes last.
  int inverted;
  /// The field runs from 0 to this, at most 32767.
  float scale;
  /// RW_SHAPE_MAP: 8-bit samples, scaled to the picture bilinearly.
  const uint8_t *map;
  ptrdiff_t mapStride;
  int mapWidth, mapHeight;
} rw_field_shape;

/// Fills the rows of a field of width x height, stride in elements. `isa` as for the kernel table.
void rw_field_build(int isa, int16_t *field, ptrdiff_t stride, int width, int height, const rw_field_shape *shape, int yBegin, int yEnd);

// Transitions whose weights depend on the samples, and those that take samples from elsewhere without filtering.

/// Weight of `b` by the absolute difference of samples: dst = a + (b - a) * table[|a - b|]. `table` has 1 << depth weights.
void rw_picture_blend_difference(const rw_picture *dst, const rw_picture *a, const rw_picture *b, const int16_t *table, int yBegin, int yEnd);
/// Mask 255 where the distance of the colours, relative to full scale, is above `threshold`, else `inside`.
void rw_mask_from_distance(uint8_t *mask, ptrdiff_t maskStride, const rw_picture *a, const rw_picture *b, float threshold, uint8_t inside,
                           int yBegin, int yEnd);
/// dst(x, y) = src(columns[x], rows[y]) in luma samples, where both are at least 0; other samples are left alone. Chroma uses
/// the entries of its own luma column and row, halved.
void rw_picture_gather(const rw_picture *dst, const rw_picture *src, const int32_t *columns, const int32_t *rows, int yBegin, int yEnd);
/// Copies src shifted by (dx, dy) luma samples into the part of dst that it covers. Odd shifts put chroma between two
/// samples: their mean.
void rw_picture_shift(const rw_picture *dst, const rw_picture *src, int dx, int dy, int yBegin, int yEnd);
/// Means of `size` luma samples from each sample to its right (fewer at the edge), both pictures, then crossfaded.
void rw_picture_blur_rows(const rw_picture *dst, const rw_picture *a, const rw_picture *b, int size, int weight, int yBegin, int yEnd);

// Warps: every sample of the result comes from a computed place in each picture, bilinearly; places outside are mirrored.

enum {
  RW_WARP_ZOOM = 0,    // both enlarge, the first leaves
  RW_WARP_SQUEEZE,     // the first is squeezed towards the direction, the second widens behind it
  RW_WARP_PAN,         // a fast pan over mirrored pictures
  RW_WARP_RIPPLE,      // `count` rings
  RW_WARP_SWIRL,       // turned about the centre
  RW_WARP_CURL,        // the first is a page that rolls away in the direction
  RW_WARP_CUBE,        // two faces of a turning cube
  RW_WARP_DOORWAY,     // the first opens like doors, the second comes near
  RW_WARP_KALEIDOSCOPE,  // `count` mirrors
  RW_WARP_GLITCH,      // torn rows, shifted colours
  RW_WARP_DIRECTIONAL, // stretched at a soft front
  RW_WARP_BURN,        // holes with glowing rims
  RW_WARP_LEAK,        // a warm light passes
  RW_WARP_MORPH,       // brightness moves samples
  RW_WARP_SCALES,      // mean of `a` scaled by 1 - amount and 1 + amount about the centre
  RW_WARP_SHIFTS,      // mean of `a` shifted by -amount and +amount pictures along the direction
  RW_WARP_COUNT
};

typedef struct {
  int program;
  float progress;  // 0…1
  float directionX, directionY;
  float centerX, centerY;  // samples
  float count, strength, amount;
  uint32_t seed;
  int isFullRange;
} rw_warp;

/// Draws a warp. `isa` as for the kernel table; variants agree within rounding of single-precision arithmetic.
void rw_picture_warp(int isa, const rw_picture *dst, const rw_picture *a, const rw_picture *b, const rw_warp *warp, int yBegin, int yEnd);

/// Three box blurs, near a Gaussian of `sigma` luma samples, edges repeated; chroma by half of it. `scratch` holds
/// rw_blur_scratch(width, height) bytes. `dst` may be `src`.
void rw_picture_blur(const rw_picture *dst, const rw_picture *src, float sigma, void *scratch);
size_t rw_blur_scratch(int width, int height);

// Overlays.

/// RGB to Y'CbCr in code values of the target: rows Y, Cb, Cr; R, G, B in 0…255; offsets in code values.
typedef struct {
  float row[3][3];
  float offset[3];
} rw_color_matrix;

/// A premultiplied overlay. Luma planes are width x height. Chroma planes cover the chroma samples that a picture at an
/// even or odd position touches: see rw_overlay_chroma_size. Strides in elements.
typedef struct {
  uint16_t *color[3];
  int16_t *alpha[2];  // luma, chroma
  ptrdiff_t stride[2];
  int width, height;
  /// Position's lowest bits: 1 when the overlay starts on an odd column or row.
  int oddX, oddY;
} rw_overlay;

static inline int rw_overlay_chroma_size(int size, int odd) { return (size + odd + 1) / 2; }

/// Premultiplies straight-alpha RGBA (8 bits, stride in bytes) into an overlay whose planes and sizes are set.
/// Chroma is the alpha-weighted mean of 2x2, its alpha the mean.
void rw_overlay_prepare(const rw_overlay *overlay, const uint8_t *rgba, ptrdiff_t stride, const rw_color_matrix *matrix);
/// Blends the overlay at (x, y), which may lie partly outside; x and y have the parity that it was prepared for.
void rw_picture_overlay(const rw_transition_kernels *k, const rw_picture *dst, const rw_overlay *overlay, int x, int y, int opacity, int yBegin,
                        int yEnd);

/// Turns a straight-alpha RGBA picture about its middle by an angle whose cosine and sine are given, clockwise on the screen, bilinearly
/// with colours weighed by their alpha; outside is transparent. Strides are 4 * width.
void rw_rgba_rotate(uint8_t *dst, int width, int height, const uint8_t *src, int srcWidth, int srcHeight, double cosine, double sine);

// Resampling.

enum { RW_FILTER_BILINEAR = 0, RW_FILTER_BICUBIC = 1 };

/// A window of the source picture, in luma samples; may reach beyond the picture (edges repeat).
typedef struct {
  double x, y, width, height;
} rw_window;

/// Tables and line buffers of a resampling, kept from frame to frame. Not for use by two threads at once.
typedef struct rw_resampler rw_resampler;
rw_resampler *rw_resampler_create(void);
void rw_resampler_free(rw_resampler *);

/// Draws `window` of `src` over the rectangle (x, y, width, height; even numbers, or up to the picture's edge) of `dst`:
/// a polyphase filter whose phases are exact (14-bit coefficients, no phase table), so slow zooms and pans do not jitter;
/// widened when it shrinks. Chroma is taken as sited on the left, as in MPEG-2 and H.264. Returns 0, or -1 without memory.
int rw_picture_resample(const rw_transition_kernels *k, rw_resampler *resampler, const rw_picture *dst, int x, int y, int width, int height,
                        const rw_picture *src, const rw_window *window, int filter);

#endif
