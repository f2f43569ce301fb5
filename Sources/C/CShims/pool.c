#include "CShims.h"

#include <stdatomic.h>
#include <stdlib.h>

struct RWPool {
  AVBufferPool *buffers;
  _Atomic int64_t allocations;
};

static AVBufferRef *allocate(void *opaque, size_t size) {
  RWPool *pool = opaque;
  atomic_fetch_add_explicit(&pool->allocations, 1, memory_order_relaxed);
  return av_buffer_alloc(size);
}

// Runs when the last buffer has come back, which may be after rw_pool_free.
static void release(void *opaque) { free(opaque); }

RWPool *rw_pool_create(size_t byte_count) {
  RWPool *pool = calloc(1, sizeof *pool);
  if (!pool) return NULL;
  pool->buffers = av_buffer_pool_init2(byte_count, pool, allocate, release);
  if (!pool->buffers) {
    free(pool);
    return NULL;
  }
  return pool;
}

void rw_pool_free(RWPool *pool) {
  AVBufferPool *buffers = pool->buffers;
  av_buffer_pool_uninit(&buffers);
}

AVBufferRef *rw_pool_get(RWPool *pool) { return av_buffer_pool_get(pool->buffers); }

int64_t rw_pool_allocations(const RWPool *pool) { return atomic_load_explicit(&pool->allocations, memory_order_relaxed); }
