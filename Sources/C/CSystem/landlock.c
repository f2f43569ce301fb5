#include "CSystem.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Debian 12's <linux/landlock.h> stops at ABI 2; the layout and the bits below are the kernel's documented ones
// (Documentation/userspace-api/landlock.rst).
struct ruleset {
  uint64_t handled_access_fs;
  uint64_t handled_access_net;  // ABI 4
  uint64_t scoped;              // ABI 6
};

#define FS_ABI_1 ((1ULL << 13) - 1)  // execute … make_sym
#define FS_REFER (1ULL << 13)        // ABI 2
#define FS_TRUNCATE (1ULL << 14)     // ABI 3
#define FS_IOCTL_DEV (1ULL << 15)    // ABI 5
#define NET_BIND_CONNECT 3ULL
#define SCOPE_ABSTRACT_SOCKET_AND_SIGNAL 3ULL
#define VERSION_FLAG 1U

int rw_landlock_abi(void) {
  long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, VERSION_FLAG);
  return abi < 0 ? 0 : (int)abi;
}

int rw_restrict_files(int abi) {
  struct ruleset rules = {.handled_access_fs = FS_ABI_1};
  size_t size = sizeof rules.handled_access_fs;
  if (abi >= 2) rules.handled_access_fs |= FS_REFER;
  if (abi >= 3) rules.handled_access_fs |= FS_TRUNCATE;
  if (abi >= 5) rules.handled_access_fs |= FS_IOCTL_DEV;
  if (abi >= 4) {
    rules.handled_access_net = NET_BIND_CONNECT;
    size = 2 * sizeof(uint64_t);
  }
  if (abi >= 6) {
    rules.scoped = SCOPE_ABSTRACT_SOCKET_AND_SIGNAL;
    size = 3 * sizeof(uint64_t);
  }
  // A set without rules: no path is allowed. Descriptors that are already open, or are passed later, keep working.
  int set = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0U);
  if (set < 0) return -errno;
  int result = syscall(SYS_landlock_restrict_self, set, 0U) == 0 ? 0 : -errno;
  close(set);
  return result;
}
