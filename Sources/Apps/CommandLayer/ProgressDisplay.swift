import Glibc
public import MediaCore
import Synchronization

/// Shows progress on standard error: a bar on a terminal, plain lines, JSON lines, or nothing.
///
/// Safe to call from any thread as often as wanted: it draws at most ten times a second (plain: every five seconds).
public final class ProgressDisplay: Sendable {
  public enum Mode: String, Sendable { case bar, plain, json, none }

  private struct State {
    var lastNanoseconds: UInt64 = 0
    var lastStage = ""
    var isDrawn = false
    var isAtEnd = false
  }

  public let mode: Mode
  private let console: Console
  private let state = Mutex(State())

  public init(_ mode: Mode, console: Console) {
    self.mode = mode
    self.console = console
  }

  /// The mode that the options ask for: `--progress`, else a bar on a terminal, else none; `--quiet` turns it off.
  public convenience init(_ invocation: Invocation) {
    let chosen = invocation.has("progress") ? invocation.value("progress").flatMap(Mode.init) : nil
    let automatic: Mode = invocation.console.isTerminal && !invocation.isQuiet ? .bar : .none
    self.init(chosen ?? automatic, console: invocation.console)
  }

  public func report(_ progress: Progress) {
    guard mode != .none else { return }
    let now = ProgressDisplay.now()
    let interval: UInt64 = mode == .plain ? 5_000_000_000 : 100_000_000
    state.withLock { state in
      let isLast = progress.done.map { $0 >= 1 } ?? false
      guard state.lastStage != progress.stage || (isLast && !state.isAtEnd) || now &- state.lastNanoseconds >= interval else { return }
      state.lastNanoseconds = now
      state.lastStage = progress.stage
      state.isAtEnd = isLast
      switch mode {
      case .bar:
        state.isDrawn = true
        console.note("\r" + ProgressDisplay.bar(progress, columns: console.columns, color: console.hasColor) + "\u{1B}[K")
      case .plain: console.note(ProgressDisplay.plain(progress) + "\n")
      case .json: console.note(ProgressDisplay.json(progress) + "\n")
      case .none: break
      }
    }
  }

  /// Removes the bar, so that what follows begins on a clean line. Progress may go on afterwards.
  public func clear() {
    state.withLock { state in
      if state.isDrawn { console.note("\r\u{1B}[K") }
      state.isDrawn = false
    }
  }

  /// Nanoseconds of the monotonic clock: progress must not depend on clock adjustments.
  private static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  // MARK: Forms

  /// `encode  42 % ████████░░░░░░░░░░░░ 123 frames  61.0 fps  0:04 left`, no wider than `columns - 1`.
  static func bar(_ progress: Progress, columns: Int, color: Bool) -> String {
    guard let done = progress.done else { return String("\(progress.stage)  \(tail(progress))".prefix(columns - 1)) }
    let percent = "\(Int(min(1, max(0, done)) * 100)) %"
    let head = "\(progress.stage) \(String(repeating: " ", count: max(0, 5 - percent.count)))\(percent) "
    let end = " " + tail(progress)
    let room = min(30, columns - 1 - head.count - end.count)
    guard room >= 5 else { return String((head + end).prefix(columns - 1)) }
    let filled = Int((Double(room) * min(1, max(0, done))).rounded())
    let full = String(repeating: "█", count: filled)
    let empty = String(repeating: "░", count: room - filled)
    return head + (color ? "\u{1B}[36m\(full)\u{1B}[2m\(empty)\u{1B}[0m" : full + empty) + end
  }

  static func plain(_ progress: Progress) -> String {
    let percent = progress.done.map { " \(Int(min(1, max(0, $0)) * 100)) %" } ?? ""
    return "\(progress.stage)\(percent), \(tail(progress))"
  }

  /// One line of `--progress json`; keys in the order of the contract.
  static func json(_ progress: Progress) -> String {
    let stage = progress.stage.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined()
    let done = progress.done.map { decimal($0, 4) } ?? "null"
    let eta = progress.etaSeconds.map { decimal($0, 1) } ?? "null"
    return "{\"schema\":1,\"stage\":\"\(stage)\",\"done\":\(done),\"frames\":\(progress.frames),"
      + "\"fps\":\(decimal(progress.fps, 1)),\"etaSeconds\":\(eta)}"
  }

  private static func tail(_ progress: Progress) -> String {
    let rate = "\(progress.frames) frames  \(decimal(progress.fps, 1)) fps"
    guard let eta = progress.etaSeconds, eta.isFinite, eta >= 0, eta < 360_000 else { return rate }
    let seconds = Int(eta.rounded())
    let minutes = seconds / 60 % 60
    let hours = seconds / 3600
    let clock = hours > 0 ? "\(hours):\(two(minutes)):\(two(seconds % 60))" : "\(minutes):\(two(seconds % 60))"
    return rate + "  \(clock) left"
  }

  private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

  /// A finite decimal number with at most `digits` digits after the point; 0 for NaN and infinities.
  static func decimal(_ value: Double, _ digits: Int) -> String {
    let scale = [1.0, 10, 100, 1000, 10_000][digits]
    guard value.isFinite, value.magnitude < 1e12 else { return "0" }
    return "\((value * scale).rounded() / scale)"
  }
}
