public import MediaCore

/// Something that elements (packets, frames, samples) can be pulled from, in order.
///
/// Rules of the flow:
/// - A graph of sources and stages runs on one thread and moves only when its sink asks for an element.
/// - `next()` blocks until there is an element, the end, or an error; "no element yet" is never an answer.
/// - After `nil` (the end) or an error it must not be called again.
/// - An element is immutable once it has been handed on.
/// - Parallelism and buffering exist only where a `Queue` stands between two graphs.
public protocol Source<Element>: AnyObject {
  associatedtype Element: Sendable

  /// The next element; nil at the end.
  func next() throws(MediaError) -> Element?
}

/// A step between a source and whoever pulls from it.
///
/// A stage may pull none, one or many elements to make one, so one-to-one, one-to-many and many-to-one steps have
/// the same shape. At the end of its input it hands out what it still holds, then nil.
public protocol Stage<Input, Output>: AnyObject {
  associatedtype Input: Sendable
  associatedtype Output: Sendable

  /// The next output, made of as many elements of `upstream` as it takes; nil at the end.
  func next(from upstream: any Source<Input>) throws(MediaError) -> Output?
}

extension Source {
  /// This source followed by `stage`.
  public func through<S: Stage>(_ stage: S) -> any Source<S.Output> where S.Input == Element {
    StagedSource(upstream: self, stage: stage)
  }
}

/// A source with a stage behind it.
private final class StagedSource<S: Stage>: Source {
  typealias Element = S.Output
  private let upstream: any Source<S.Input>
  private let stage: S

  init(upstream: any Source<S.Input>, stage: S) {
    self.upstream = upstream
    self.stage = stage
  }

  func next() throws(MediaError) -> S.Output? { try stage.next(from: upstream) }
}
