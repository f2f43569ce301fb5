import MediaCore
import Pipeline
import Synchronization
import TestBasics
import Testing

@testable import FrameExtraction

/// Which group a producer gets, and that the order of results does not depend on it.
@Suite struct OrderedDeliveryTests {
  static func groups(_ shape: [(results: Int?, cost: Int64)]) -> [GroupEffort] {
    shape.map { GroupEffort(results: $0.results, cost: $0.cost) }
  }

  @Test("A second producer takes the longest group whose results find room; the first group that is open is always taken first")
  func longestFirst() {
    let shape: [(results: Int?, cost: Int64)] = [(1, 36), (2, 203), (4, 515), (1, 3), (1, 77), (1, 779)]
    let roomy = OrderedDelivery<Int>(groups: Self.groups(shape), capacity: 16)
    #expect(roomy.takeGroup() == 0)
    #expect(roomy.takeGroup() == 5)
    roomy.finish(group: 0)
    #expect(roomy.takeGroup() == 1)
    #expect(roomy.takeGroup() == 2)
    // The results up to group 4 need 9 places.
    let close = OrderedDelivery<Int>(groups: Self.groups(shape), capacity: 9)
    #expect([close.takeGroup(), close.takeGroup(), close.takeGroup()] == [0, 2, 1])
    // Where nothing finds room, or nobody knows how much it needs, they are taken in order.
    let full = OrderedDelivery<Int>(groups: Self.groups(shape), capacity: 1)
    #expect((0..<7).map { _ in full.takeGroup() } == [0, 1, 2, 3, 4, 5, nil])
    let unknown = OrderedDelivery<Int>(groups: Self.groups([(nil, 1), (nil, 2), (nil, 3)]), capacity: 16)
    #expect((0..<4).map { _ in unknown.takeGroup() } == [0, 1, 2, nil])
  }

  @Test("Results come in order whatever the groups, the room and the producers are", arguments: 0..<24)
  func order(_ seed: Int) throws {
    var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
    func draw(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    let shape = (0..<40).map { _ in (results: draw(5) == 0 ? nil : draw(4), cost: Int64(draw(100))) }
    // A group may give fewer results than it promised, or more than there is room for.
    let results = shape.map { $0.results.map { max(0, $0 - draw(2)) } ?? draw(9) }
    let capacity = 1 + draw(6)
    let delivery = OrderedDelivery<Int>(groups: Self.groups(shape), capacity: capacity)
    let handedOver = Mutex(0)
    let producers = try (0..<1 + draw(4)).map { _ throws(MediaError) in
      try Thread {
        while let group = delivery.takeGroup() {
          for place in 0..<results[group] {
            guard delivery.put(group * 100 + place, group: group) else { return }
            handedOver.withLock { $0 += 1 }
          }
          delivery.finish(group: group)
        }
      }
    }
    var taken: [Int] = []
    while let next = try delivery.take() {
      taken.append(next)
      // One more than there is room for where the consumer is.
      #expect(handedOver.withLock { $0 } - taken.count <= capacity + 1)
    }
    for producer in producers { producer.join() }
    #expect(taken == results.enumerated().flatMap { group, count in (0..<count).map { group * 100 + $0 } })
  }
}
