public import FrameExtraction
public import MediaCore
import Pipeline

/// Frames as an `AsyncSequence`: results in ascending order of time, decoded only as fast as they are consumed.
///
/// Blocking work runs on threads of its own, never on the cooperative pool. At most eight results a worker are under way, 32
/// in all, and fewer of large pictures; always one a worker.
/// Cancelling the consuming task ends the decoders. One iteration only; a second one is empty.
///
///     let extractor = try FrameExtractor(input, environment: MediaEnvironment())
///     for try await result in try extractor.sequence(FramesRequest(.every(MediaTime(Rational(1))))) { … }
public struct FrameSequence<Output: Sendable>: AsyncSequence, Sendable {
  public typealias Element = FrameResult<Output>

  private let stream: FrameStream<Output>

  public init(_ stream: FrameStream<Output>) { self.stream = stream }

  public func makeAsyncIterator() -> Iterator { Iterator(puller: FramePuller(stream)) }

  /// The work so far; complete after the last result.
  public var counters: ExtractionCounters { stream.counters }

  public struct Iterator: AsyncIteratorProtocol {
    fileprivate let puller: FramePuller<Output>

    /// The next result; nil at the end or when the task is cancelled. Throws `MediaError` for what ends the whole request.
    public mutating func next() async throws -> FrameResult<Output>? {
      let puller = puller
      return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in puller.pull(continuation) }
      } onCancel: {
        puller.cancel()
      }
    }
  }
}

extension FrameExtractor {
  /// `frames(_:transform:)` for asynchronous code.
  public func sequence<Output: Sendable>(
    _ request: FramesRequest, transform: @escaping @Sendable (ExtractedFrame) throws(MediaError) -> Output
  ) throws(MediaError) -> FrameSequence<Output> {
    FrameSequence(try frames(request, transform: transform))
  }
}

/// Waits for results on a thread of its own and hands them to continuations.
private final class FramePuller<Output: Sendable>: Sendable {
  typealias Continuation = CheckedContinuation<FrameResult<Output>?, any Error>

  private let requests = PullRequests<Continuation>()
  private let stream: FrameStream<Output>
  private let thread: Thread?

  init(_ stream: FrameStream<Output>) {
    self.stream = stream
    let requests = requests
    thread = try? Thread {
      while let continuation = requests.take() {
        do throws(MediaError) {
          continuation.resume(returning: try stream.next())
        } catch {
          continuation.resume(throwing: error)
        }
      }
    }
  }

  deinit {
    stream.cancel()
    requests.close()
    thread?.join()
  }

  func pull(_ continuation: Continuation) {
    guard thread != nil else {
      return continuation.resume(
        throwing: MediaError(.retryLater, "cannot wait for frames", reason: "no thread can be had", advice: NativeThread.limitAdvice))
    }
    requests.put(continuation)
  }

  func cancel() { stream.cancel() }
}

/// A mailbox between asynchronous code and one thread.
private final class PullRequests<Request: Sendable>: @unchecked Sendable {
  private let condition = Condition()
  private var waiting: [Request] = []
  private var isClosed = false

  func put(_ request: Request) {
    condition.locked {
      waiting.append(request)
      condition.wakeAll()
    }
  }

  /// Nil once closed and empty.
  func take() -> Request? {
    condition.locked {
      while waiting.isEmpty && !isClosed { condition.wait() }
      return waiting.isEmpty ? nil : waiting.removeFirst()
    }
  }

  func close() {
    condition.locked {
      isClosed = true
      condition.wakeAll()
    }
  }
}
