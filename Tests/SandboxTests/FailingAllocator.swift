import Glibc
import Testing

/// A library that lets one allocation of a worker fail, preloaded into its template: the number is chosen anew for each job.
///
/// Template and jobs share a page of a file with this process. It holds the number of the allocation that is to fail in the next
/// job, how many allocations the present one has made, whether that one has failed, and how many the template made before its first job.
final class FailingAllocator {
  private let folder: String
  private let page: Int32

  init() throws {
    folder = "/tmp/reelwright-failing-allocation-\(UInt64.random(in: 0 ... .max))"
    try #require(mkdir(folder, 0o700) == 0)
    page = open("\(folder)/page", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    try #require(page >= 0 && ftruncate(page, 4096) == 0)
    let file = try #require(fopen("\(folder)/failing.c", "w"))
    fputs(Self.source, file)
    fclose(file)
    let messages = shell("cc -O2 -Wall -shared -fPIC -o \(folder)/failing.so \(folder)/failing.c 2>&1")
    try #require(access("\(folder)/failing.so", R_OK) == 0, "\(messages)")
  }

  deinit {
    close(page)
    _ = shell("rm -rf \(folder)")
  }

  /// For a worker with a template: the jobs' allocations fail as told by `arm`.
  var environment: [String: String] { ["LD_PRELOAD": "\(folder)/failing.so", "FAIL_PAGE": "\(folder)/page"] }

  /// For a worker without one: this allocation fails, counted from the start of the process.
  func environment(failingAt number: Int) -> [String: String] {
    environment.merging(["FAIL_AT": "\(number)"]) { _, new in new }
  }

  /// Allocation `number` of the next job fails, counted from its fork; none below 0.
  func arm(_ number: Int) {
    var values = [number, 0, 0]
    let written = pwrite(page, &values, values.count * MemoryLayout<Int>.size, 0)
    #expect(written == values.count * MemoryLayout<Int>.size)
  }

  /// What the last job did.
  var last: (allocations: Int, failed: Bool, beforeTheFirstJob: Int) {
    var values = [Int](repeating: 0, count: 4)
    let read = pread(page, &values, values.count * MemoryLayout<Int>.size, 0)
    #expect(read == values.count * MemoryLayout<Int>.size)
    return (values[1], values[2] != 0, values[3])
  }

  private static let source = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <fcntl.h>
    #include <stdlib.h>
    #include <sys/mman.h>
    #include <unistd.h>
    extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);
    struct page { _Atomic long next, allocations, failed, before; };
    static struct page none, *page = &none;
    static _Atomic long count, at = -1;
    static _Atomic int ready, isJob;

    static void prepare(void) {
      ready = 1;
      char *text = getenv("FAIL_AT");
      if (text) for (at = 0; *text; text++) at = at * 10 + *text - '0';
      text = getenv("FAIL_PAGE");
      int file = text ? open(text, O_RDWR | O_CLOEXEC) : -1;
      void *found = file < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
      if (found != MAP_FAILED) page = found;
      if (file >= 0) close(file);
    }

    static int fails(void) {
      if (!ready && environ) prepare();
      long number = count++;
      if (isJob) page->allocations = number + 1;
      if (at < 0 || number != at) return 0;
      page->failed = 1;
      errno = ENOMEM;
      return 1;
    }

    pid_t fork(void) {
      static pid_t (*next)(void);
      if (!next) {
        *(void **)&next = dlsym(RTLD_NEXT, "fork");
        page->before = count;
      }
      pid_t pid = next();
      if (pid == 0) {
        isJob = 1;
        count = 0;
        at = page->next;
        page->allocations = 0;
      }
      return pid;
    }

    void *malloc(size_t s) { return fails() ? NULL : __libc_malloc(s); }
    void *calloc(size_t n, size_t s) { return fails() ? NULL : __libc_calloc(n, s); }
    void *realloc(void *p, size_t s) { return fails() ? NULL : __libc_realloc(p, s); }
    void *memalign(size_t a, size_t s) { return fails() ? NULL : __libc_memalign(a, s); }
    void *aligned_alloc(size_t a, size_t s) { return fails() ? NULL : __libc_memalign(a, s); }
    int posix_memalign(void **p, size_t a, size_t s) {
      void *found = fails() ? NULL : __libc_memalign(a, s);
      return found ? (*p = found, 0) : ENOMEM;
    }
    """
}
