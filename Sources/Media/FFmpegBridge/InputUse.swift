import Synchronization

/// What was taken from one input over all readers of it. Safe to use from any thread.
public final class InputUse: Sendable {
  private let bytes = Atomic<Int64>(0)
  private let frames = Atomic<Int64>(0)

  public init() {}

  func addBytes(_ count: Int64) { bytes.wrappingAdd(count, ordering: .relaxed) }
  func addFrame() { frames.wrappingAdd(1, ordering: .relaxed) }

  /// Bytes that were read by readers that have ended.
  public var bytesRead: Int64 { bytes.load(ordering: .relaxed) }
  public var framesDecoded: Int64 { frames.load(ordering: .relaxed) }
}
