#include "CSystem.h"

#include <errno.h>
#include <sys/resource.h>

// Address and thread sanitizer reserve terabytes of address space.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ADDRESS_SPACE_IS_RESERVED 1
#endif
#endif

static int bound(int resource, int64_t value, int32_t *limits_set) {
  struct rlimit current;
  if (getrlimit(resource, &current) != 0) return -errno;
  rlim_t wanted = (rlim_t)value;
  // A limit that the caller already set lower stays: an unprivileged process could not raise it anyway.
  if (current.rlim_max != RLIM_INFINITY && current.rlim_max < wanted) wanted = current.rlim_max;
  struct rlimit limit = {.rlim_cur = wanted, .rlim_max = wanted};
  if (setrlimit(resource, &limit) != 0) return -errno;
  *limits_set += 1;
  return 0;
}

int rw_set_limits(const rw_seal_options_t *options, int32_t *limits_set) {
  *limits_set = 0;
  int result = bound(RLIMIT_CORE, 0, limits_set);
  if (!result) result = bound(RLIMIT_MEMLOCK, 0, limits_set);
  if (!result) result = bound(RLIMIT_MSGQUEUE, 0, limits_set);
#ifndef ADDRESS_SPACE_IS_RESERVED
  if (!result && options->address_space_bytes > 0) result = bound(RLIMIT_AS, options->address_space_bytes, limits_set);
#endif
  if (!result && options->cpu_seconds > 0) result = bound(RLIMIT_CPU, options->cpu_seconds, limits_set);
  if (!result && options->file_bytes > 0) result = bound(RLIMIT_FSIZE, options->file_bytes, limits_set);
  if (!result && options->open_files > 0) result = bound(RLIMIT_NOFILE, options->open_files, limits_set);
  return result;
}
