#include "CAllocationGuard.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define GUARD_OFF 1
#endif
#endif

#ifndef GUARD_OFF
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

// The C library's own, for what is allocated before the constructor has run.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static void *(*next_malloc)(size_t);
static void *(*next_calloc)(size_t, size_t);
static void *(*next_realloc)(void *, size_t);
static void *(*next_aligned_alloc)(size_t, size_t);
static void *(*next_memalign)(size_t, size_t);
static int (*next_posix_memalign)(void **, size_t, size_t);

__attribute__((constructor)) static void find_next(void) {
  *(void **)&next_calloc = dlsym(RTLD_NEXT, "calloc");
  *(void **)&next_realloc = dlsym(RTLD_NEXT, "realloc");
  *(void **)&next_aligned_alloc = dlsym(RTLD_NEXT, "aligned_alloc");
  *(void **)&next_memalign = dlsym(RTLD_NEXT, "memalign");
  *(void **)&next_posix_memalign = dlsym(RTLD_NEXT, "posix_memalign");
  *(void **)&next_malloc = dlsym(RTLD_NEXT, "malloc");
}

static void *checked(void *memory, size_t size) {
  if (memory || size == 0) return memory;
  static const char text[] = "out of memory\n";
  ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
  (void)written;
  abort();
}

void *malloc(size_t size) { return checked(next_malloc ? next_malloc(size) : __libc_malloc(size), size); }

void *calloc(size_t count, size_t size) {
  return checked(next_calloc ? next_calloc(count, size) : __libc_calloc(count, size), count && size);
}

void *realloc(void *memory, size_t size) {
  return checked(next_realloc ? next_realloc(memory, size) : __libc_realloc(memory, size), size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  return checked(next_aligned_alloc ? next_aligned_alloc(alignment, size) : __libc_memalign(alignment, size), size);
}

void *memalign(size_t alignment, size_t size) {
  return checked(next_memalign ? next_memalign(alignment, size) : __libc_memalign(alignment, size), size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
  void *found = NULL;
  int status = next_posix_memalign ? next_posix_memalign(&found, alignment, size) : 0;
  if (!next_posix_memalign && !(found = __libc_memalign(alignment, size))) status = ENOMEM;
  if (status == ENOMEM) checked(NULL, size);
  if (status == 0) *memory = found;
  return status;
}
#endif
