public import MediaCore

/// What an element weighs in a queue.
public protocol Weighted: Sendable {
  /// Bytes that stay allocated while the element waits.
  var byteCount: Int { get }
  /// How much media time it covers; zero when unknown.
  var mediaDuration: MediaTime { get }
}

/// A bounded buffer between two graphs: runs `upstream` on a thread of its own and hands its elements on, in order.
///
/// The buffer is full as soon as one of its bounds is reached; an element larger than a bound still passes alone. An
/// error of the upstream arrives after the elements that came before it. When the queue is stopped or released, the
/// upstream's thread ends at its next element. Where no thread can be had (a limit on processes) there is no buffer: the upstream
/// works on the consumer's thread, which is slower and gives the same.
public final class Queue<Element: Weighted>: Source, @unchecked Sendable {
  /// The bounds of a queue.
  public struct Bounds: Hashable, Sendable {
    /// Default 256 MiB.
    public var bytes = 268_435_456
    /// Default 4 elements.
    public var elements = 4
    /// Default 5 seconds of media.
    public var duration = MediaTime(Rational(5))

    public init(bytes: Int = 268_435_456, elements: Int = 4, duration: MediaTime = MediaTime(Rational(5))) {
      self.bytes = bytes
      self.elements = elements
      self.duration = duration
    }
  }

  /// How the queue was used, for the report: a full queue means that the consumer is the bottleneck.
  public struct Statistics: Hashable, Sendable {
    public var elements = 0
    public var peakBytes = 0
    public var peakElements = 0
  }

  private let shared: Shared
  private let thread: Thread?

  /// Starts the thread at once.
  public init(bounds: Bounds = Bounds(), upstream: any Source<Element>) {
    let shared = Shared(bounds: bounds, upstream: upstream)
    self.shared = shared
    thread = try? Thread { shared.pump() }
  }

  deinit { stop() }

  public func next() throws(MediaError) -> Element? {
    guard thread != nil else { return try shared.pull() }
    switch shared.take() {
    case .success(let element): return element
    case .failure(let error): throw error
    }
  }

  /// Ends the upstream's thread and waits for it. Elements not yet taken are dropped.
  public func stop() {
    shared.stop()
    thread?.join()
  }

  public var statistics: Statistics { shared.condition.locked { shared.statistics } }

  private final class Shared: @unchecked Sendable {
    let condition = Condition()
    var statistics = Statistics()
    private let bounds: Bounds
    private let upstream: any Source<Element>
    /// Places that were taken are nil at once: an element that stayed here would keep its memory from its pool.
    private var buffer: [Element?] = []
    private var head = 0
    private var bytes = 0
    private var duration = MediaTime.zero
    private var failure: MediaError?
    private var isEnded = false
    private var isStopped = false

    init(bounds: Bounds, upstream: any Source<Element>) {
      self.bounds = bounds
      self.upstream = upstream
    }

    private var count: Int { buffer.count - head }

    func pump() {
      do throws(MediaError) {
        while let element = try upstream.next() {
          guard put(element) else { return }
        }
        finish(nil)
      } catch {
        finish(error)
      }
    }

    /// The upstream's next element, without a buffer.
    func pull() throws(MediaError) -> Element? {
      guard condition.locked({ !isStopped }), let element = try upstream.next() else { return nil }
      condition.locked {
        statistics.elements += 1
        statistics.peakBytes = max(statistics.peakBytes, element.byteCount)
        statistics.peakElements = 1
      }
      return element
    }

    private func put(_ element: Element) -> Bool {
      let weight = element.byteCount
      return condition.locked {
        while !isStopped, count > 0,
          count >= bounds.elements || bytes + weight > bounds.bytes || duration >= bounds.duration
        { condition.wait() }
        if isStopped { return false }
        buffer.append(element)
        bytes += weight
        duration = duration + element.mediaDuration
        statistics.elements += 1
        statistics.peakBytes = max(statistics.peakBytes, bytes)
        statistics.peakElements = max(statistics.peakElements, count)
        condition.wakeAll()
        return true
      }
    }

    private func finish(_ error: MediaError?) {
      condition.locked {
        isEnded = true
        failure = error
        condition.wakeAll()
      }
    }

    func take() -> Result<Element?, MediaError> {
      condition.locked {
        while count == 0 && !isEnded && !isStopped { condition.wait() }
        if count > 0, let element = buffer[head] {
          buffer[head] = nil
          head += 1
          if head >= 32 || head == buffer.count {
            buffer.removeFirst(head)
            head = 0
          }
          bytes -= element.byteCount
          duration = duration - element.mediaDuration
          condition.wakeAll()
          return .success(element)
        }
        if let failure { return .failure(failure) }
        return .success(nil)
      }
    }

    func stop() {
      condition.locked {
        isStopped = true
        buffer.removeAll()
        head = 0
        condition.wakeAll()
      }
    }
  }
}
