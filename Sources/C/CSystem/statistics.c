#include "CSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// x264 and x265 write what the first of two passes learns to a file and read it in the second: one with a line for each
// picture, and one with a number for each macroblock ("mbtree", "cutree").
static int memory[2] = {-1, -1};

void rw_make_statistics(void) {
  for (int i = 0; i < 2; i++) {
    if (memory[i] >= 0) continue;
    int made = (int)syscall(SYS_memfd_create, "statistics", 1U /* MFD_CLOEXEC */);
    if (made < 0) return;
    // Away from the low numbers, which are those of descriptors that the worker is handed.
    memory[i] = fcntl(made, F_DUPFD_CLOEXEC, 40);
    close(made);
  }
}

long rw_open_statistics(const char *path, int flags) {
  if (!path || strncmp(path, RW_STATISTICS_PATH, sizeof RW_STATISTICS_PATH - 1) != 0) return -EACCES;
  int descriptor = memory[strstr(path, "tree") != NULL];
  if (descriptor < 0) return -EACCES;
  if ((flags & O_ACCMODE) != O_RDONLY && ftruncate(descriptor, 0) != 0) return -errno;
  int copy = dup(descriptor);
  if (copy < 0) return -errno;
  if (lseek(copy, 0, SEEK_SET) != 0) return -errno;
  return copy;
}
