import MediaCore
import Pipeline
import Synchronization
import Testing

private struct Item: Weighted, Equatable {
  var number: Int
  var byteCount = 1
  var mediaDuration = MediaTime.zero
}

/// Counts up to `limit`, then ends or fails, and remembers how far it was pulled.
private final class Counter: Source {
  let limit: Int
  let failure: MediaError?
  let pulled = Atomic<Int>(0)

  init(limit: Int, failure: MediaError? = nil) {
    self.limit = limit
    self.failure = failure
  }

  func next() throws(MediaError) -> Item? {
    let number = pulled.load(ordering: .relaxed)
    if number == limit {
      if let failure { throw failure }
      return nil
    }
    pulled.store(number + 1, ordering: .relaxed)
    return Item(number: number)
  }
}

@Suite struct QueueTests {
  @Test(arguments: [0, 1, 3, 1000])
  func handsOnEverythingInOrder(count: Int) throws {
    let queue = Queue(bounds: .init(elements: 3), upstream: Counter(limit: count))
    var numbers: [Int] = []
    while let item = try queue.next() { numbers.append(item.number) }
    #expect(numbers == Array(0..<count))
    #expect(queue.statistics.peakElements <= 3)
  }

  @Test func anErrorArrivesAfterTheElementsBeforeIt() throws {
    let error = MediaError(.damaged, "reading", reason: "test")
    let queue = Queue(upstream: Counter(limit: 5, failure: error))
    for number in 0..<5 { #expect(try queue.next()?.number == number) }
    #expect(throws: MediaError.self) { try queue.next() }
  }

  @Test func stopsInMidStreamWithoutRunningOn() throws {
    let counter = Counter(limit: 1_000_000)
    let queue = Queue(bounds: .init(elements: 2), upstream: counter)
    _ = try queue.next()
    queue.stop()
    #expect(counter.pulled.load(ordering: .relaxed) <= 4)
  }

  @Test func anElementAboveTheByteBoundStillPasses() throws {
    final class One: Source {
      var left = 2
      func next() -> Item? {
        left -= 1
        return left >= 0 ? Item(number: left, byteCount: 1000) : nil
      }
    }
    let queue = Queue(bounds: .init(bytes: 10), upstream: One())
    #expect(try queue.next() != nil)
    #expect(try queue.next() != nil)
    #expect(try queue.next() == nil)
  }
}

/// Counts how many of its kind are alive.
private final class Held: Weighted {
  static let alive = Mutex(0)
  let byteCount = 1
  let mediaDuration = MediaTime.zero
  init() { Held.alive.withLock { $0 += 1 } }
  deinit { Held.alive.withLock { $0 -= 1 } }
}

@Suite struct QueueMemoryTests {
  @Test func anElementThatWasTakenIsLetGo() throws {
    final class Endless: Source {
      func next() -> Held? { Held() }
    }
    let queue = Queue(bounds: .init(elements: 4), upstream: Endless())
    for _ in 0..<25 { _ = try queue.next() }
    // Four wait, one is in its producer's hand, one may just have been taken.
    #expect(Held.alive.withLock { $0 } <= 6)
    queue.stop()
  }
}

@Suite struct LedgerTests {
  @Test func aShortfallIsAnError() throws {
    let ledger = Ledger()
    ledger.book("decoded", 10)
    ledger.book("encoded", 8)
    ledger.book("dropped", 1)
    #expect(throws: MediaError.self) { try ledger.reconcile("run", given: ["decoded"], taken: ["encoded", "dropped"]) }
    ledger.book("dropped")
    try ledger.reconcile("run", given: ["decoded"], taken: ["encoded", "dropped"])
  }
}
