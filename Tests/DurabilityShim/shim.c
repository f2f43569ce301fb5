// Stands before the C library's calls: an executable's own symbols come first when libsqlite3 looks them up. Records
// what a disk would have seen, so that a test can replay it up to any point and drop what was not flushed.
#include "DurabilityShim.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int journal = -1;
static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

static void put(const void *bytes, size_t count) {
  const char *rest = bytes;
  while (count > 0) {
    long written = syscall(SYS_write, journal, rest, count);
    if (written <= 0) return;
    rest += written;
    count -= (size_t)written;
  }
}

static void line(const char *format, ...) {
  char text[9000];
  va_list arguments;
  va_start(arguments, format);
  int count = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (count > 0 && count < (int)sizeof text) put(text, (size_t)count);
}

int durability_record(const char *path) {
  journal = (int)syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  return journal;
}

void durability_mark(const char *text) {
  pthread_mutex_lock(&lock);
  if (journal >= 0) line("M %s\n", text);
  pthread_mutex_unlock(&lock);
}

static int begin(void) {
  pthread_mutex_lock(&lock);
  return journal >= 0;
}

static void end(void) { pthread_mutex_unlock(&lock); }

// The next definition of a name: that of the C library.
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int path_of(int descriptor, char *path, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t count = readlink(link, path, size - 1);
  if (count < 0) return 0;
  path[count] = 0;
  return 1;
}

static int path_at(int folder, const char *name, char *path, size_t size) {
  if (name[0] == '/' || folder == AT_FDCWD) return snprintf(path, size, "%s", name) < (int)size;
  char base[4096];
  return path_of(folder, base, sizeof base) && snprintf(path, size, "%s/%s", base, name) < (int)size;
}

static void record_write(int descriptor, const void *bytes, ssize_t count, long long offset) {
  struct stat status;
  if (count <= 0 || descriptor == journal || fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) return;
  if (offset < 0) offset = (long long)lseek(descriptor, 0, SEEK_CUR) - count;
  line("W %llu %lld %lld\n", (unsigned long long)status.st_ino, offset, (long long)count);
  put(bytes, (size_t)count);
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
  int active = begin();
  ssize_t written = syscall(SYS_write, descriptor, bytes, count);
  if (active) record_write(descriptor, bytes, written, -1);
  end();
  return written;
}

static ssize_t write_at(int descriptor, const void *bytes, size_t count, long long offset) {
  int active = begin();
  ssize_t written = syscall(SYS_pwrite64, descriptor, bytes, count, offset);
  if (active) record_write(descriptor, bytes, written, offset);
  end();
  return written;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) { return write_at(descriptor, bytes, count, offset); }
ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) { return write_at(descriptor, bytes, count, offset); }

static int truncate_to(int descriptor, long long length) {
  int active = begin();
  int result = (int)syscall(SYS_ftruncate, descriptor, length);
  struct stat status;
  if (active && result == 0 && fstat(descriptor, &status) == 0) line("T %llu %lld\n", (unsigned long long)status.st_ino, length);
  end();
  return result;
}

int ftruncate(int descriptor, off_t length) { return truncate_to(descriptor, length); }
int ftruncate64(int descriptor, off64_t length) { return truncate_to(descriptor, length); }

static int flush(long number, int descriptor) {
  int active = begin();
  int result = (int)syscall(number, descriptor);
  struct stat status;
  char path[4096];
  if (active && result == 0 && fstat(descriptor, &status) == 0) {
    if (S_ISDIR(status.st_mode)) {
      if (path_of(descriptor, path, sizeof path)) line("F %s\n", path);
    } else {
      line("S %llu\n", (unsigned long long)status.st_ino);
    }
  }
  end();
  return result;
}

int fsync(int descriptor) { return flush(SYS_fsync, descriptor); }
int fdatasync(int descriptor) { return flush(SYS_fdatasync, descriptor); }

static int open_at(int folder, const char *name, int flags, mode_t mode) {
  int active = begin();
  int descriptor = (int)syscall(SYS_openat, folder, name, flags | O_LARGEFILE, mode);
  struct stat status;
  char path[4096];
  // A file that was there already is recorded again; that changes nothing.
  if (active && descriptor >= 0 && (flags & O_CREAT) && fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
      path_of(descriptor, path, sizeof path))
    line("N %llu %s\n", (unsigned long long)status.st_ino, path);
  end();
  return descriptor;
}

#define OPEN_MODE(flags)                                                                                                   \
  mode_t mode = 0;                                                                                                         \
  if ((flags) & (O_CREAT | __O_TMPFILE)) {                                                                                 \
    va_list arguments;                                                                                                     \
    va_start(arguments, flags);                                                                                            \
    mode = va_arg(arguments, mode_t);                                                                                      \
    va_end(arguments);                                                                                                     \
  }

int open(const char *name, int flags, ...) { OPEN_MODE(flags) return open_at(AT_FDCWD, name, flags, mode); }
int open64(const char *name, int flags, ...) { OPEN_MODE(flags) return open_at(AT_FDCWD, name, flags, mode); }
int openat(int folder, const char *name, int flags, ...) { OPEN_MODE(flags) return open_at(folder, name, flags, mode); }
int openat64(int folder, const char *name, int flags, ...) { OPEN_MODE(flags) return open_at(folder, name, flags, mode); }

int linkat(int folder, const char *name, int newFolder, const char *newName, int flags) {
  int active = begin();
  int result = REAL(linkat)(folder, name, newFolder, newName, flags);
  struct stat status;
  char path[8192];
  if (active && result == 0 && fstatat(newFolder, newName, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
      path_at(newFolder, newName, path, sizeof path))
    line("N %llu %s\n", (unsigned long long)status.st_ino, path);
  end();
  return result;
}

int renameat(int folder, const char *name, int newFolder, const char *newName) {
  int active = begin();
  int result = REAL(renameat)(folder, name, newFolder, newName);
  char from[8192], to[8192];
  if (active && result == 0 && path_at(folder, name, from, sizeof from) && path_at(newFolder, newName, to, sizeof to)) {
    line("R %s\n", from);
    line("r %s\n", to);
  }
  end();
  return result;
}

int unlinkat(int folder, const char *name, int flags) {
  int active = begin();
  int result = REAL(unlinkat)(folder, name, flags);
  char path[8192];
  if (active && result == 0 && !(flags & AT_REMOVEDIR) && path_at(folder, name, path, sizeof path)) line("U %s\n", path);
  end();
  return result;
}

int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }
