#include "CMutexOrder.h"

#if defined(__has_feature) && __has_feature(thread_sanitizer)

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

// Both are methods of Synchronization._MutexHandle: the word of the futex is `self`.
#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"
#define SELF __attribute__((swift_context))

typedef __attribute__((swiftcall)) void (*lock_slow_t)(uint32_t thread, SELF void *word);
typedef __attribute__((swiftcall)) void (*unlock_slow_t)(SELF void *word);

void __tsan_acquire(void *address);
void __tsan_release(void *address);

static lock_slow_t lock_slow;
static unlock_slow_t unlock_slow;

__attribute__((constructor)) static void find(void) {
  lock_slow = (lock_slow_t)dlsym(RTLD_NEXT, LOCK_SLOW);
  unlock_slow = (unlock_slow_t)dlsym(RTLD_NEXT, UNLOCK_SLOW);
  // Another version of Swift: nothing here would be true of it.
  if (!lock_slow || !unlock_slow) abort();
}

__attribute__((swiftcall)) void rw_lock_slow(uint32_t thread, SELF void *word) __asm__(LOCK_SLOW);
__attribute__((swiftcall)) void rw_unlock_slow(SELF void *word) __asm__(UNLOCK_SLOW);

__attribute__((swiftcall)) void rw_lock_slow(uint32_t thread, SELF void *word) {
  lock_slow(thread, word);
  __tsan_acquire(word);
}

__attribute__((swiftcall)) void rw_unlock_slow(SELF void *word) {
  __tsan_release(word);
  unlock_slow(word);
}

#endif
