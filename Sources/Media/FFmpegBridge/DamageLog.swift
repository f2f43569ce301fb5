public import MediaCore
import Synchronization

/// The damage that was noticed while an input was read and decoded. Safe to use from any thread.
///
/// Damage does not stop a run by itself: what can be decoded is used, and the report says what could not.
public final class DamageLog: Sendable {
  /// One kind of damage in one stream.
  public struct Entry: Hashable, Sendable, Codable {
    /// `"corrupt packet"`, `"undecodable packet"`, `"concealed frame"`, `"FFmpeg: …"`.
    public var kind: String
    public var stream: Int?
    /// Presentation time of the first occurrence in seconds, where known.
    public var firstSeconds: Double?
    public var count: Int
  }

  private struct State {
    var entries: [Entry] = []
    var incomplete: [String] = []
  }
  private let state = Mutex(State())

  public init() {}

  /// Books `count` occurrences, by default one; none does nothing.
  public func note(_ kind: String, stream: Int? = nil, time: MediaTime? = nil, count: Int = 1) {
    guard count > 0 else { return }
    state.withLock { state in
      if let index = state.entries.firstIndex(where: { $0.kind == kind && $0.stream == stream }) {
        state.entries[index].count += count
      } else {
        state.entries.append(Entry(kind: kind, stream: stream, firstSeconds: time?.doubleValue, count: count))
      }
    }
  }

  /// Books a reason to believe that the input is not all there.
  public func noteIncomplete(_ reason: String) {
    state.withLock { state in
      if !state.incomplete.contains(reason) { state.incomplete.append(reason) }
    }
  }

  public var entries: [Entry] { state.withLock { $0.entries } }

  /// Why the input is thought to be cut short; empty when it is whole.
  public var incompleteReasons: [String] { state.withLock { $0.incomplete } }
}
