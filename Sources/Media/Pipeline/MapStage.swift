public import MediaCore

/// A one-to-one stage made of a function: the shortest way to write a stage of one's own.
public final class MapStage<Input: Sendable, Output: Sendable>: Stage {
  private let transform: (Input) throws(MediaError) -> Output

  public init(_ transform: @escaping (Input) throws(MediaError) -> Output) { self.transform = transform }

  public func next(from upstream: any Source<Input>) throws(MediaError) -> Output? {
    guard let input = try upstream.next() else { return nil }
    return try transform(input)
  }
}
