import Glibc
import MediaCore
import Testing

@testable import Sandbox

/// One allocation after the other fails in a worker. Slow: REELWRIGHT_SLOW=1 for a sample, REELWRIGHT_ALLOCATIONS=1 for every one of
/// a probe, of an encode and of the start of the process.
@Suite(
  .serialized,
  .enabled(if: isSlowRun && access("/usr/bin/cc", X_OK) == 0 && access(mediaWorker, X_OK) == 0, "needs REELWRIGHT_SLOW=1 and cc"))
struct AllocationFailureTests {
  private static let encodeTask =
    #"{"input":"in","output":"out","outputExtension":"mkv","preset":"standard","speed":"ultrafast","keep":[],"metadata":{},"allowIncomplete":false,"usesCache":false}"#

  @Test func everyFailedAllocationOfAProbeIsANamedError() throws {
    try sweep("probe", #"{"inputs":["in"]}"#, stride: isWholeRun ? 1 : 97)
  }

  @Test func everyFailedAllocationOfAnEncodeIsANamedError() throws {
    try sweep("encode", Self.encodeTask, stride: isWholeRun ? 1 : 397)
  }

  /// Allocations before the first job: of dynamic linking, constructors and the runtime.
  @Test func aFailedAllocationAtTheStartIsANamedError() throws {
    let allocator = try FailingAllocator()
    allocator.arm(-1)
    _ = try run("probe", #"{"inputs":["in"]}"#, pool(template: true, allocator.environment))
    let total = allocator.last.beforeTheFirstJob
    // 54 in a release build, 245 in a debug build.
    #expect(total > 20)
    var points = 0
    for number in stride(from: 0, to: total, by: isWholeRun ? 1 : max(1, total / 15)) {
      allocator.arm(-1)
      let error = failure("probe", #"{"inputs":["in"]}"#, pool(template: false, allocator.environment(failingAt: number)))
      points += 1
      #expect(allocator.last.failed, "allocation \(number) of the start was not reached")
      check(error, "allocation \(number) of the start")
    }
    print("allocations: start: \(points) of \(total) failed")
  }

  /// Fails allocation 0, `stride`, … of one job after the other, until a job ends before its turn.
  private func sweep(_ kind: String, _ payload: String, stride: Int) throws {
    let allocator = try FailingAllocator()
    let pool = pool(template: true, allocator.environment)
    allocator.arm(-1)
    _ = try run(kind, payload, pool)
    let total = allocator.last.allocations
    #expect(total > 1000 && !allocator.last.failed)

    var number = 0
    var points = 0
    // Threads make the count differ by some from run to run.
    while number < 2 * total {
      allocator.arm(number)
      let error = failure(kind, payload, pool)
      guard allocator.last.failed else {
        #expect(error == nil, "\(kind), no allocation failed")
        break
      }
      check(error, "\(kind), allocation \(number)")
      points += 1
      number += stride
    }
    #expect(number >= total * 9 / 10, "\(kind) ended at allocation \(number) of \(total)")
    print("allocations: \(kind): \(points) of \(total) failed")
  }

  private func check(_ error: MediaError?, _ place: String) {
    guard let error else {
      Issue.record("\(place): the failure was swallowed")
      return
    }
    #expect(error.code.exitStatus != 0 && !error.reason.isEmpty, "\(place)")
    #expect(error.reason.contains("out of memory"), "\(place): \(error.reason) \(error.details)")
  }

  private func pool(template: Bool, _ environment: [String: String]) -> WorkerPool {
    attackPool(template: template) { configuration in
      configuration.executable = mediaWorker
      configuration.environment = environment
    }
  }

  private func run(_ kind: String, _ payload: String, _ pool: WorkerPool) throws(MediaError) -> String {
    var limits = Limits()
    limits.wallSeconds = 20
    return try pool.text(kind, payload, files: MemoryFiles(["in": smallClip]), limits: limits)
  }

  private func failure(_ kind: String, _ payload: String, _ pool: WorkerPool) -> MediaError? {
    do throws(MediaError) {
      _ = try run(kind, payload, pool)
      return nil
    } catch {
      return error
    }
  }
}

private func isSet(_ variable: String) -> Bool { getenv(variable).map { String(cString: $0) == "1" } ?? false }

private let isWholeRun = isSet("REELWRIGHT_ALLOCATIONS")
private let isSlowRun = isSet("REELWRIGHT_SLOW") || isWholeRun
