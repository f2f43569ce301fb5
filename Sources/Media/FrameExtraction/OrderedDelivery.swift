import MediaCore
import Pipeline

/// Carries results from several producers, each working on one numbered group at a time, to one consumer in the order of
/// the groups. Bounded: producers wait once `capacity` results are under way, but the group that the consumer is at may always have one,
/// so that there are never more than `capacity` and one.
///
/// One producer is always at the first group that is not finished, so nothing can lock up. The others take the longest group of those
/// whose results all find room until the consumer is there: a long group that begins last would leave the other producers idle
/// (longest processing time first; R. L. Graham, Bounds on multiprocessing timing anomalies, 1969).
final class OrderedDelivery<Element: Sendable>: @unchecked Sendable {
  private let condition = Condition()
  private let capacity: Int
  private let groups: [GroupEffort]
  private var waiting: [Int: [Element]] = [:]
  private var isTaken: [Bool]
  private var isFinished: [Bool]
  /// The first group that is not finished.
  private var front = 0
  /// The group that the consumer is at.
  private var current = 0
  private var underWay = 0
  private var isStopped = false
  private var failure: MediaError?

  init(groups: [GroupEffort], capacity: Int) {
    self.groups = groups
    self.capacity = max(1, capacity)
    isTaken = Array(repeating: false, count: groups.count)
    isFinished = isTaken
  }

  /// The group to work on next; nil when there is none or everything was stopped.
  func takeGroup() -> Int? {
    condition.locked {
      guard !isStopped, let group = nextGroup() else { return nil }
      isTaken[group] = true
      return group
    }
  }

  private func nextGroup() -> Int? {
    guard front < groups.count, isTaken[front] else { return front < groups.count ? front : nil }
    var room = capacity
    var best: Int?
    for group in current..<groups.count {
      if let results = groups[group].results { room -= results } else { room = -1 }
      // Beyond the room it is the order that counts.
      if room < 0 && best != nil { break }
      guard !isTaken[group] else { continue }
      if best.map({ groups[group].cost > groups[$0].cost }) ?? true { best = group }
      if room < 0 { break }
    }
    return best
  }

  /// Hands over a result; false when nobody wants it any more.
  func put(_ element: Element, group: Int) -> Bool {
    condition.locked {
      while !isStopped && underWay >= capacity && (group != current || waiting[group]?.isEmpty == false) { condition.wait() }
      if isStopped { return false }
      waiting[group, default: []].append(element)
      underWay += 1
      condition.wakeAll()
      return true
    }
  }

  func finish(group: Int) {
    condition.locked {
      isFinished[group] = true
      while front < groups.count, isFinished[front] { front += 1 }
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
        if current < groups.count, isFinished[current] {
          waiting[current] = nil
          current += 1
          condition.wakeAll()
          continue
        }
        if current == groups.count { return .success(nil) }
        condition.wait()
      }
    }
    return try result.get()
  }
}
