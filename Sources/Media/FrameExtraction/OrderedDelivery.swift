import MediaCore
import Pipeline

/// Carries results from several producers, each working on one numbered group at a time, to one consumer in the order of
/// the groups. Bounded: producers of later groups wait once `capacity` results are under way, and the group that the
/// consumer is at may always go on, so nothing can lock up.
final class OrderedDelivery<Element: Sendable>: @unchecked Sendable {
  private let condition = Condition()
  private let capacity: Int
  private let groupCount: Int
  private var waiting: [Int: [Element]] = [:]
  private var finished: Set<Int> = []
  private var current = 0
  private var nextGroup = 0
  private var underWay = 0
  private var isStopped = false
  private var failure: MediaError?

  init(groups: Int, capacity: Int) {
    groupCount = groups
    self.capacity = max(1, capacity)
  }

  /// The next group that nobody works on; nil when there is none or everything was stopped.
  func takeGroup() -> Int? {
    condition.locked {
      guard !isStopped, nextGroup < groupCount else { return nil }
      defer { nextGroup += 1 }
      return nextGroup
    }
  }

  /// Hands over a result; false when nobody wants it any more.
  func put(_ element: Element, group: Int) -> Bool {
    condition.locked {
      while !isStopped && (group == current ? (waiting[group]?.count ?? 0) >= capacity : underWay >= capacity) { condition.wait() }
      if isStopped { return false }
      waiting[group, default: []].append(element)
      underWay += 1
      condition.wakeAll()
      return true
    }
  }

  func finish(group: Int) {
    condition.locked {
      finished.insert(group)
      condition.wakeAll()
    }
  }

  /// Ends everything with an error that the consumer gets.
  func fail(_ error: MediaError) {
    condition.locked {
      if failure == nil && !isStopped { failure = error }
      isStopped = true
      condition.wakeAll()
    }
  }

  func stop() {
    condition.locked {
      isStopped = true
      condition.wakeAll()
    }
  }

  /// The next result in order; nil at the end.
  func take() throws(MediaError) -> Element? {
    let result: Result<Element?, MediaError> = condition.locked {
      while true {
        if let failure { return .failure(failure) }
        if isStopped { return .success(nil) }
        if let first = waiting[current]?.first {
          waiting[current]?.removeFirst()
          underWay -= 1
          condition.wakeAll()
          return .success(first)
        }
        if finished.remove(current) != nil {
          waiting[current] = nil
          current += 1
          condition.wakeAll()
          continue
        }
        if current == groupCount { return .success(nil) }
        condition.wait()
      }
    }
    return try result.get()
  }
}
