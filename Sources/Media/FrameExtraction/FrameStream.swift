import FFmpegBridge
import FileAccess
public import MediaCore
public import Pipeline

/// The results of a request, pulled by demand in ascending order of time; the decoders wait when nobody pulls.
///
/// Releasing or stopping it ends the decoders.
public final class FrameStream<Output: Sendable>: Source, @unchecked Sendable {
  private let delivery: OrderedDelivery<FrameResult<Output>>
  private let threads: [Thread]
  private let tally: Tally
  private var onStop: (() -> Void)?

  init(delivery: OrderedDelivery<FrameResult<Output>>, threads: [Thread], tally: Tally, onStop: @escaping () -> Void) {
    self.delivery = delivery
    self.threads = threads
    self.tally = tally
    self.onStop = onStop
  }

  deinit { stop() }

  /// The next result; nil at the end. Throws for what ends the whole request; what concerns one item is in the item.
  public func next() throws(MediaError) -> FrameResult<Output>? {
    if let result = try delivery.take() { return result }
    stop()
    return nil
  }

  /// Tells the decoders to end, without waiting for them; safe from any thread.
  public func cancel() { delivery.stop() }

  /// Ends the decoders and waits for them.
  public func stop() {
    delivery.stop()
    for thread in threads { thread.join() }
    onStop?()
    onStop = nil
  }

  /// The work so far; complete after the last result.
  public var counters: ExtractionCounters { tally.counters }
}

/// Adds up counters from several threads.
final class Tally: @unchecked Sendable {
  private let condition = Condition()
  private var sum: ExtractionCounters

  init(_ start: ExtractionCounters) { sum = start }

  var counters: ExtractionCounters { condition.locked { sum } }

  func add(_ counters: ExtractionCounters) { condition.locked { sum += counters } }
}

/// What belongs to one worker thread while a request runs, and to the extractor between requests.
final class WorkerSeat: @unchecked Sendable {
  var reader: StreamReader?

  init(reader: StreamReader?) { self.reader = reader }
}

/// What workers share.
struct WorkerContext: Sendable {
  let input: InputFile
  let stream: Int
  let environment: MediaEnvironment
  let index: KeyframeIndex?
  let allowsDamagedFrames: Bool
  let threads: Int

  func makeReader() throws(MediaError) -> StreamReader {
    try StreamReader(input, stream: stream, environment: environment, threads: threads)
  }
}
