#include "CKernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// One row of one tile against a wave's cosines and sines; eight partial sums let the compiler use vectors.
static void row_products(const float *samples, const float *cosines, const float *sines, int count, float *real, float *imaginary) {
  float re[8] = {0}, im[8] = {0};
  int x = 0;
  for (; x + 8 <= count; x += 8)
    for (int k = 0; k < 8; k++) {
      re[k] += samples[x + k] * cosines[x + k];
      im[k] += samples[x + k] * sines[x + k];
    }
  float a = 0, b = 0;
  for (int k = 0; k < 8; k++) {
    a += re[k];
    b += im[k];
  }
  for (; x < count; x++) {
    a += samples[x] * cosines[x];
    b += samples[x] * sines[x];
  }
  *real = a;
  *imaginary = b;
}

void rw_detect_tile_lines(const float *samples, int width, int height, int columns, int rows, const float *x, const float *y, int count,
                          float *values) {
  float *cosines = malloc(sizeof(float) * 2 * (size_t)width);
  if (!cosines) {
    memset(values, 0, sizeof(float) * 2 * (size_t)columns * rows * count);
    return;
  }
  float *sines = cosines + width;
  const double turn = 2 * 3.14159265358979323846;
  for (int line = 0; line < count; line++) {
    for (int i = 0; i < width; i++) {
      double angle = turn * (double)x[line] * (i - width / 2);
      cosines[i] = (float)cos(angle);
      sines[i] = (float)sin(angle);
    }
    for (int row = 0; row < rows; row++) {
      int top = (int)((long)height * row / rows), bottom = (int)((long)height * (row + 1) / rows);
      float *out = values + 2 * ((size_t)row * columns * count + line);
      for (int column = 0; column < columns; column++) out[2 * (size_t)column * count] = out[2 * (size_t)column * count + 1] = 0;
      for (int j = top; j < bottom; j++) {
        double angle = turn * (double)y[line] * (j - height / 2);
        float c = (float)cos(angle), s = (float)sin(angle);
        for (int column = 0; column < columns; column++) {
          int left = (int)((long)width * column / columns), right = (int)((long)width * (column + 1) / columns);
          float a, b;
          row_products(samples + (ptrdiff_t)j * width + left, cosines + left, sines + left, right - left, &a, &b);
          // (a - ib)(c - is)
          out[2 * (size_t)column * count] += a * c - b * s;
          out[2 * (size_t)column * count + 1] -= a * s + b * c;
        }
      }
    }
  }
  free(cosines);
}
