import CShims

/// Where FFmpeg's log lines of one run go, instead of stderr. Give the same value to everything that works for the run.
///
/// Safe to use from any thread. Each different line is kept once, at most 100 of them.
public final class Diagnostics: @unchecked Sendable {
  let raw: OpaquePointer

  public init() {
    guard let raw = rw_diagnostics_create() else { fatalError("out of memory") }
    self.raw = raw
  }

  deinit { rw_diagnostics_free(raw) }

  /// How many lines FFmpeg logged as errors, repeated ones included.
  public var errorCount: Int64 { rw_diagnostics_count(raw, true) }
  public var warningCount: Int64 { rw_diagnostics_count(raw, false) }

  /// How many pictures libavcodec has concealed since the last call.
  func takeConcealments() -> Int { Int(rw_diagnostics_take_concealments(raw)) }

  /// The different lines so far, oldest first, errors and warnings.
  public var lines: [String] { entries.map(\.text) }

  /// The different lines that FFmpeg logged as errors.
  public var errorLines: [String] { entries.filter(\.isError).map(\.text) }

  private var entries: [(text: String, isError: Bool)] {
    var result: [(String, Bool)] = []
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
      while true {
        let level = rw_diagnostics_line(raw, Int32(result.count), buffer.baseAddress!, buffer.count)
        if level < 0 { return }
        result.append((String(cString: buffer.baseAddress!), level <= 16))
      }
    }
    return result
  }

  /// Runs `body` with the lines of contexts that name no run, such as those of a demuxer's probing, coming here.
  func collecting<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    let before = rw_diagnostics_enter(raw)
    defer { _ = rw_diagnostics_enter(before) }
    return try body()
  }
}
