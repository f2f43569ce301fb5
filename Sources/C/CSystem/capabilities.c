#include "CSystem.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int rw_drop_capabilities(int32_t *left, int32_t *bounding_left) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  struct __user_cap_data_struct sets[2];
  // The bounding set needs CAP_SETPCAP, so it goes first; an unprivileged process keeps its bounding set, which
  // no-new-privileges makes harmless.
  *bounding_left = 0;
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++) {
    prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    *bounding_left += prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1;
  }
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  memset(sets, 0, sizeof sets);
  if (syscall(SYS_capset, &header, sets) != 0) return -errno;
  if (syscall(SYS_capget, &header, sets) != 0) return -errno;
  *left = __builtin_popcount(sets[0].permitted | sets[0].effective) + __builtin_popcount(sets[1].permitted | sets[1].effective);
  return 0;
}
