#include "transition_rows.h"

#define RW_TABLE(suffix)                                                                                       \
  static const rw_transition_kernels table_##suffix = {                                                        \
      .name = #suffix,                                                                                         \
      .crossfade8 = rw_crossfade8_##suffix,                                                                    \
      .crossfade16 = rw_crossfade16_##suffix,                                                                  \
      .mix8 = rw_mix8_##suffix,                                                                                \
      .mix16 = rw_mix16_##suffix,                                                                              \
      .blend8 = rw_blend8_##suffix,                                                                            \
      .blend16 = rw_blend16_##suffix,                                                                          \
      .maskHalf = rw_mask_half_##suffix,                                                                       \
      .maskFromField = rw_mask_from_field_##suffix,                                                            \
      .overlay8 = rw_overlay8_##suffix,                                                                        \
      .overlay16 = rw_overlay16_##suffix,                                                                      \
      .filterRow8 = rw_filter_row8_##suffix,                                                                   \
      .filterRow16 = rw_filter_row16_##suffix,                                                                 \
      .filterColumn8 = rw_filter_column8_##suffix,                                                             \
      .filterColumn16 = rw_filter_column16_##suffix,                                                           \
  };

RW_TABLE(scalar)
#if defined(__x86_64__)
RW_TABLE(avx2)
#endif

const rw_transition_kernels *rw_transition_kernels_for(int isa) {
  if (isa == RW_ISA_SCALAR) return &table_scalar;
#if defined(__x86_64__)
  if (isa == RW_ISA_AVX2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &table_avx2;
#endif
  return NULL;
}

const rw_transition_kernels *rw_transition_kernels_best(void) {
  const rw_transition_kernels *best = rw_transition_kernels_for(RW_ISA_AVX2);
  return best ? best : &table_scalar;
}
