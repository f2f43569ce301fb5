import Glibc
import MediaCore
import Testing

@testable import Sandbox

/// One allocation after the other fails in a worker that probes a clip. Slow: REELWRIGHT_SLOW=1.
@Suite(.enabled(if: isSlowRun && access("/usr/bin/cc", X_OK) == 0 && access(mediaWorker, X_OK) == 0, "needs REELWRIGHT_SLOW=1 and cc"))
struct AllocationFailureTests {
  /// Lets allocation number FAIL_AT fail, counted from the start of the process.
  private static let source = """
    #include <errno.h>
    #include <stddef.h>
    #include <stdlib.h>
    extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);
    static _Atomic long count, at = -2;
    static int fails(void) {
      if (at == -2) { char *text = getenv("FAIL_AT"); at = text ? atol(text) : -1; }
      return at >= 0 && count++ == at;
    }
    void *malloc(size_t s) { if (fails()) { errno = ENOMEM; return 0; } return __libc_malloc(s); }
    void *calloc(size_t n, size_t s) { if (fails()) { errno = ENOMEM; return 0; } return __libc_calloc(n, s); }
    void *realloc(void *p, size_t s) { if (fails()) { errno = ENOMEM; return 0; } return __libc_realloc(p, s); }
    int posix_memalign(void **p, size_t a, size_t s) {
      void *found = fails() ? 0 : __libc_memalign(a, s);
      return found ? (*p = found, 0) : ENOMEM;
    }
    """

  @Test func everyFailedAllocationIsANamedErrorOrWithoutEffect() throws {
    let library = "/tmp/reelwright-failing-allocation-\(getpid())"
    defer { _ = shell("rm -f \(library).c \(library).so") }
    let file = try #require(fopen("\(library).c", "w"))
    fputs(Self.source, file)
    fclose(file)
    _ = shell("cc -O2 -shared -fPIC -o \(library).so \(library).c 2>&1")
    try #require(access("\(library).so", R_OK) == 0)

    let reference = try probe([:])
    var errors = 0
    for number in stride(from: 0, to: 20_000, by: 97) {
      do throws(MediaError) {
        let result = try probe(["LD_PRELOAD": "\(library).so", "FAIL_AT": "\(number)"])
        if result.contains("\"error\":{\"code\"") {
          errors += 1  // A probe reports the failure of a file in its result.
        } else {
          #expect(result == reference, "allocation \(number) was swallowed")
        }
      } catch {
        errors += 1
        #expect(!error.reason.isEmpty && error.code.exitStatus != 0, "allocation \(number)")
      }
    }
    #expect(errors > 20)
  }

  private func probe(_ environment: [String: String]) throws(MediaError) -> String {
    var limits = Limits()
    limits.wallSeconds = 20
    let pool = attackPool { configuration in
      configuration.executable = mediaWorker
      configuration.environment = environment
    }
    return try pool.text("probe", #"{"inputs":["in"]}"#, files: MemoryFiles(["in": smallClip]), limits: limits)
  }
}

private let isSlowRun = getenv("REELWRIGHT_SLOW").map { String(cString: $0) == "1" } ?? false
