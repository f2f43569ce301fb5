import MediaCore

/// Runs `body` on `count` own threads at once and waits for all.
public func runThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) throws {
  let threads = try (0..<count).map { index throws(MediaError) in try NativeThread { body(index) } }
  for thread in threads { thread.join() }
}
