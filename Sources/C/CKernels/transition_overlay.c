// Image overlays: straight-alpha RGBA premultiplied once, blended onto 4:2:0.

#include "transition_rows.h"

// Samples and premultiplied colours carry 4 fraction bits here; weights 15: the product is shifted by 19.

void rw_overlay8_scalar(uint8_t *dst, const uint16_t *color, const int16_t *alpha, size_t n, int opacity) {
  for (size_t i = 0; i < n; i++) {
    int keep = 32767 - rw_scale(alpha[i], opacity);
    dst[i] = (uint8_t)rw_clamp(((dst[i] << 4) * keep + color[i] * opacity + (1 << 18)) >> 19, 0, 255);
  }
}

void rw_overlay16_scalar(uint16_t *dst, const uint16_t *color, const int16_t *alpha, size_t n, int opacity, int max) {
  for (size_t i = 0; i < n; i++) {
    int keep = 32767 - rw_scale(alpha[i], opacity);
    // 12 bits and 4 fraction bits would not fit int16: 2 fraction bits below.
    dst[i] = (uint16_t)rw_clamp(((dst[i] << 2) * keep + (color[i] >> 2) * opacity + (1 << 16)) >> 17, 0, max);
  }
}

#if defined(__x86_64__)

RW_AVX2 static inline __m256i overlay(__m256i dst, __m256i color, __m256i alpha, __m256i opacity, __m256i round, int shift) {
  __m256i keep = _mm256_sub_epi16(_mm256_set1_epi16(32767), _mm256_mulhrs_epi16(alpha, opacity));
  __m256i lo = _mm256_madd_epi16(_mm256_unpacklo_epi16(dst, color), _mm256_unpacklo_epi16(keep, opacity));
  __m256i hi = _mm256_madd_epi16(_mm256_unpackhi_epi16(dst, color), _mm256_unpackhi_epi16(keep, opacity));
  lo = _mm256_srai_epi32(_mm256_add_epi32(lo, round), shift);
  hi = _mm256_srai_epi32(_mm256_add_epi32(hi, round), shift);
  return _mm256_packs_epi32(lo, hi);
}

RW_AVX2 void rw_overlay8_avx2(uint8_t *dst, const uint16_t *color, const int16_t *alpha, size_t n, int opacity) {
  const __m256i o = _mm256_set1_epi16((short)opacity), round = _mm256_set1_epi32(1 << 18);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    __m256i a = _mm256_loadu_si256((const __m256i *)(alpha + i)), c = _mm256_loadu_si256((const __m256i *)(color + i));
    // Transparent stretches are most of a caption's picture.
    if (_mm256_testz_si256(_mm256_or_si256(a, c), _mm256_or_si256(a, c))) continue;
    __m256i d = _mm256_slli_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(dst + i))), 4);
    __m256i v = overlay(d, c, a, o, round, 19);
    _mm_storeu_si128((__m128i *)(dst + i), _mm_packus_epi16(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1)));
  }
  rw_overlay8_scalar(dst + i, color + i, alpha + i, n - i, opacity);
}

RW_AVX2 void rw_overlay16_avx2(uint16_t *dst, const uint16_t *color, const int16_t *alpha, size_t n, int opacity, int max) {
  const __m256i o = _mm256_set1_epi16((short)opacity), round = _mm256_set1_epi32(1 << 16), top = _mm256_set1_epi16((short)max);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    __m256i a = _mm256_loadu_si256((const __m256i *)(alpha + i)), c = _mm256_loadu_si256((const __m256i *)(color + i));
    if (_mm256_testz_si256(_mm256_or_si256(a, c), _mm256_or_si256(a, c))) continue;
    __m256i d = _mm256_slli_epi16(_mm256_loadu_si256((const __m256i *)(dst + i)), 2);
    __m256i v = overlay(d, _mm256_srli_epi16(c, 2), a, o, round, 17);
    _mm256_storeu_si256((__m256i *)(dst + i), _mm256_max_epi16(_mm256_min_epi16(v, top), _mm256_setzero_si256()));
  }
  rw_overlay16_scalar(dst + i, color + i, alpha + i, n - i, opacity, max);
}

#endif

void rw_overlay_prepare(const rw_overlay *overlay, const uint8_t *rgba, ptrdiff_t stride, const rw_color_matrix *matrix) {
  const int width = overlay->width, height = overlay->height;
  const int chromaWidth = rw_overlay_chroma_size(width, overlay->oddX), chromaHeight = rw_overlay_chroma_size(height, overlay->oddY);
  for (int y = 0; y < height; y++) {
    const uint8_t *s = rgba + y * stride;
    for (int x = 0; x < width; x++, s += 4) {
      const float luma = matrix->row[0][0] * s[0] + matrix->row[0][1] * s[1] + matrix->row[0][2] * s[2] + matrix->offset[0];
      overlay->color[0][y * overlay->stride[0] + x] = (uint16_t)(luma * 16.0f * (float)s[3] / 255.0f + 0.5f);
      overlay->alpha[0][y * overlay->stride[0] + x] = (int16_t)rw_mask_weight(s[3]);
    }
  }
  for (int cy = 0; cy < chromaHeight; cy++) {
    for (int cx = 0; cx < chromaWidth; cx++) {
      float cb = 0, cr = 0, coverage = 0;
      for (int j = 0; j < 2; j++) {
        for (int i = 0; i < 2; i++) {
          const int x = 2 * cx + i - overlay->oddX, y = 2 * cy + j - overlay->oddY;
          if (x < 0 || y < 0 || x >= width || y >= height) continue;
          const uint8_t *s = rgba + y * stride + 4 * x;
          const float alpha = (float)s[3] / 255.0f;
          coverage += alpha;
          cb += alpha * (matrix->row[1][0] * s[0] + matrix->row[1][1] * s[1] + matrix->row[1][2] * s[2] + matrix->offset[1]);
          cr += alpha * (matrix->row[2][0] * s[0] + matrix->row[2][1] * s[1] + matrix->row[2][2] * s[2] + matrix->offset[2]);
        }
      }
      const ptrdiff_t at = cy * overlay->stride[1] + cx;
      overlay->color[1][at] = (uint16_t)(cb * 4.0f + 0.5f);
      overlay->color[2][at] = (uint16_t)(cr * 4.0f + 0.5f);
      overlay->alpha[1][at] = (int16_t)(coverage * 0.25f * 32767.0f + 0.5f);
    }
  }
}

void rw_picture_overlay(const rw_transition_kernels *k, const rw_picture *dst, const rw_overlay *overlay, int x, int y, int opacity, int yBegin,
                        int yEnd) {
  for (int p = 0; p < 3; p++) {
    const int chroma = p > 0;
    // Floor division: the position may be negative.
    const int left = chroma ? (x - overlay->oddX) / 2 : x, top = chroma ? (y - overlay->oddY) / 2 : y;
    const int width = chroma ? rw_overlay_chroma_size(overlay->width, overlay->oddX) : overlay->width;
    const int height = chroma ? rw_overlay_chroma_size(overlay->height, overlay->oddY) : overlay->height;
    const int limitX = chroma ? (dst->width + 1) / 2 : dst->width;
    const int from = rw_max(top, chroma ? yBegin / 2 : yBegin), to = rw_min(top + height, chroma ? (yEnd + 1) / 2 : yEnd);
    const int x0 = rw_max(left, 0), x1 = rw_min(left + width, limitX);
    if (x0 >= x1) continue;
    for (int row = from; row < to; row++) {
      const ptrdiff_t at = (row - top) * overlay->stride[chroma] + (x0 - left);
      uint8_t *d = dst->plane[p] + row * dst->stride[p];
      const size_t n = (size_t)(x1 - x0);
      if (dst->depth == 8) k->overlay8(d + x0, overlay->color[p] + at, overlay->alpha[chroma] + at, n, opacity);
      else k->overlay16((uint16_t *)d + x0, overlay->color[p] + at, overlay->alpha[chroma] + at, n, opacity, (1 << dst->depth) - 1);
    }
  }
}

void rw_rgba_rotate(uint8_t *dst, int width, int height, const uint8_t *src, int srcWidth, int srcHeight, double cosine, double sine) {
  for (int y = 0; y < height; y++) {
    // Middles of pixels: sources of a row lie on a line.
    const double dy = y + 0.5 - height * 0.5, dx0 = 0.5 - width * 0.5;
    double sx = cosine * dx0 + sine * dy + srcWidth * 0.5 - 0.5, sy = cosine * dy - sine * dx0 + srcHeight * 0.5 - 0.5;
    uint8_t *d = dst + (ptrdiff_t)y * width * 4;
    for (int x = 0; x < width; x++, d += 4, sx += cosine, sy -= sine) {
      if (sx <= -1 || sy <= -1 || sx >= srcWidth || sy >= srcHeight) {
        d[0] = d[1] = d[2] = d[3] = 0;
        continue;
      }
      // Floor of numbers above -1.
      const int x0 = (int)(sx + 1) - 1, y0 = (int)(sy + 1) - 1;
      const float fx = (float)(sx - x0), fy = (float)(sy - y0);
      float sum[3] = {0, 0, 0}, coverage = 0;
      for (int j = 0; j < 2; j++) {
        for (int i = 0; i < 2; i++) {
          const int px = x0 + i, py = y0 + j;
          if (px < 0 || py < 0 || px >= srcWidth || py >= srcHeight) continue;
          const uint8_t *s = src + ((ptrdiff_t)py * srcWidth + px) * 4;
          const float weight = (i ? fx : 1 - fx) * (j ? fy : 1 - fy) * (float)s[3];
          coverage += weight;
          for (int c = 0; c < 3; c++) sum[c] += weight * (float)s[c];
        }
      }
      const float scale = coverage > 0 ? 1.0f / coverage : 0;
      for (int c = 0; c < 3; c++) d[c] = (uint8_t)(sum[c] * scale + 0.5f);
      d[3] = (uint8_t)(coverage + 0.5f);
    }
  }
}
