/// How much of a video stands still, from the block statistics of successive pictures.
struct Stillness {
  private var activity: [Int16]
  private var mean: [UInt8]
  private var hasPicture = false
  /// Share of equal blocks between the last two pictures, and its running mean; nil before the second picture.
  private var last = 0.0
  private var running: Double?

  init(count: Int) {
    activity = [Int16](repeating: 0, count: count)
    mean = [UInt8](repeating: 0, count: count)
  }

  /// Takes a picture to compare the next one with.
  mutating func look(_ activity: [Int16], _ mean: [UInt8]) {
    (self.activity, self.mean, hasPicture) = (activity, mean, true)
  }

  /// 0 for moving pictures to 1 for those that stand still. Nine of ten blocks must be equal for a half: films and
  /// cameras stay below eight.
  mutating func share(_ activity: [Int16], _ mean: [UInt8]) -> Double {
    defer { look(activity, mean) }
    guard hasPicture else { return 0 }
    var equal = 0
    for block in mean.indices where mean[block] == self.mean[block] && abs(Int(activity[block]) - Int(self.activity[block])) <= 16 {
      equal += 1
    }
    let now = Double(equal) / Double(mean.count)
    // A cut is one picture that differs: it does not count.
    let steady = max(now, last)
    let mean = running.map { $0 + (steady - $0) / 8 } ?? now
    (running, last) = (mean, now)
    return min(max((mean - 0.8) / 0.15, 0), 1)
  }
}
