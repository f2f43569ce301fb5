/// What the plan needs to know of one packet.
struct PacketFacts: Equatable, Sendable {
  /// Presentation time in the stream's ticks.
  var pts: Int64
  /// Decode time; nil when the container does not give it.
  var dts: Int64?
  var isKeyframe = false
  /// Outside of the edit list, or a hidden frame: nobody can ask for it.
  var isHidden = false
  var dependency = PictureDependency.needed
  var byteCount = 0
}

/// Decides, packet by packet in decode order, what has to be decoded to get the last frame with pts ≤ t for every target t.
///
/// The owner pushes packets, asks for a `step` until it says `needsPacket`, and keeps the packets themselves in a queue of
/// its own whose head is always the plan's head. A packet's decode time is hardly ever after its presentation time, so a
/// target is settled once a packet with dts > t and `settleDelay` more have been seen (edit lists make files in which a
/// picture is decoded a few packets after it should be shown); the queue is seldom longer than reorder depth plus delay.
/// - Complexity: O(log targets + reorder depth) a packet.
struct PacketPlan {
  enum Step: Equatable {
    /// Push the next packet, or `end()`.
    case needsPacket
    /// Decode the head of the queue.
    case feed
    /// Drop the head of the queue.
    case skip
    /// Take what is left in the decoder and reset it: the head is a keyframe behind a gap.
    case restart
    /// Nothing else needs decoding: drain the decoder.
    case finished
  }

  /// How the packets arrive.
  struct Options {
    /// Look for later keyframes before decoding towards a target, to leave out whole groups of pictures. For inputs without an index.
    var skipsAhead = false
    /// Pictures that follow the first keyframe but are shown before it belong to the group before and are left out.
    var dropsLeading = false
    /// Bytes that may wait in the queue for a later keyframe.
    var holdLimit = 64 << 20
    /// Packets read after the first one with a decode time beyond a target before the target is settled.
    var settleDelay = 2
  }

  let targets: [Int64]
  private let options: Options
  /// For every target settled so far the pts of its frame; nil when there is none.
  private(set) var frames: [Int64?] = []

  private var queue: [PacketFacts] = []
  private var head = 0
  private var headSequence = 0
  private var queuedBytes = 0
  /// Shown frames seen, by pts, with their place in decode order; those before the last settled frame are forgotten.
  private var seen: [(pts: Int64, sequence: Int)] = []
  private var needed: Set<Int64> = []
  private var lastNeededSequence = -1
  /// The latest decode time of all packets but the last `settleDelay`.
  private var horizon = Int64.min
  private var recentDecodeTimes: [Int64] = []
  /// No more packets come: the last frame seen is the last there is.
  private(set) var isEnded = false
  private var hasFed = false
  private var jump: Int?
  private var leadingFloor: Int64?

  /// - Parameter targets: ascending, in the stream's ticks.
  init(targets: [Int64], options: Options = Options()) {
    self.targets = targets
    self.options = options
  }

  private var queued: Int { queue.count - head }

  mutating func push(_ facts: PacketFacts) {
    let sequence = headSequence + queued
    if sequence == 0 && options.dropsLeading { leadingFloor = facts.pts }
    queue.append(facts)
    queuedBytes += facts.byteCount
    recentDecodeTimes.append(facts.dts ?? .min)
    if recentDecodeTimes.count > options.settleDelay { horizon = max(horizon, recentDecodeTimes.removeFirst()) }
    if !facts.isHidden && facts.pts >= leadingFloor ?? .min {
      let place = seen.firstIndex { $0.pts > facts.pts } ?? seen.count
      seen.insert((facts.pts, sequence), at: place)
    }
    settle()
    if frames.count < targets.count, let best = seen.lastIndex(where: { $0.pts <= targets[frames.count] }) {
      seen.removeFirst(best)
    }
  }

  /// No more packets will come.
  mutating func end() {
    isEnded = true
    settle()
  }

  private mutating func settle() {
    while frames.count < targets.count {
      let target = targets[frames.count]
      guard isEnded || horizon > target else { return }
      var choice = seen.last { $0.pts <= target }
      if choice == nil, let first = seen.first {
        // Before the first frame: the first, once nothing earlier can come.
        guard isEnded || horizon > first.pts else { return }
        choice = first
      }
      guard choice != nil || isEnded else { return }
      frames.append(choice?.pts)
      guard let choice else { continue }
      if choice.sequence >= headSequence { needed.insert(choice.pts) }
      lastNeededSequence = max(lastNeededSequence, choice.sequence)
      seen.removeAll { $0.pts < choice.pts }
    }
  }

  /// What to do next. After `feed` and `skip` the head has moved on.
  mutating func step() -> Step {
    let allSettled = frames.count == targets.count
    if allSettled && lastNeededSequence < headSequence { return .finished }
    guard queued > 0 else { return isEnded ? .finished : .needsPacket }
    let packet = queue[head]
    if let jump {
      if headSequence < jump { return advance(.skip) }
      self.jump = nil
      leadingFloor = packet.pts
      if hasFed {
        hasFed = false
        return .restart
      }
    }
    if let leadingFloor, packet.pts < leadingFloor { return advance(.skip) }
    if options.skipsAhead && !allSettled && lastNeededSequence < headSequence {
      switch lookAhead() {
      case .needsPacket: return .needsPacket
      case .skip: return step()
      default: break
      }
    }
    switch isNeeded(packet) {
    case true?: return advance(.feed)
    case false?: return advance(.skip)
    case nil: return isEnded ? .finished : .needsPacket
    }
  }

  /// Whether the head must be decoded; nil while that cannot be said yet.
  private func isNeeded(_ packet: PacketFacts) -> Bool? {
    let hasLaterNeed = lastNeededSequence >= headSequence
    let unsettled = targets[frames.count...]
    if packet.dependency.isDisposable {
      if !packet.isHidden {
        if needed.contains(packet.pts) { return true }
        if let target = Self.firstTarget(in: unsettled, from: packet.pts) {
          guard let best = seen.last(where: { $0.pts <= target }), best.pts > packet.pts else { return nil }
        }
      }
      // The picture is left out only when the one that is decoded next does not miss what it would leave behind.
      guard head + 1 < queue.count else { return isEnded ? false : nil }
      if queue[head + 1].dependency.startsClean { return false }
    }
    if hasLaterNeed { return true }
    guard let target = unsettled.first else { return false }
    guard let best = seen.last(where: { $0.pts <= target }) else { return seen.isEmpty ? true : nil }
    return best.sequence >= headSequence ? true : nil
  }

  /// For a head with no settled need at or after it: `.skip` has set a jump to a later keyframe.
  private mutating func lookAhead() -> Step {
    let target = targets[frames.count]
    var index = queue.count - 1
    while index > head {
      if queue[index].isKeyframe && !queue[index].isHidden && queue[index].pts <= target {
        jump = headSequence + index - head
        return .skip
      }
      index -= 1
    }
    return isEnded || queuedBytes > options.holdLimit ? .feed : .needsPacket
  }

  private mutating func advance(_ step: Step) -> Step {
    if step == .feed { hasFed = true }
    queuedBytes -= queue[head].byteCount
    needed.remove(queue[head].pts)
    head += 1
    headSequence += 1
    if head >= 64 {
      queue.removeFirst(head)
      head = 0
    }
    return step
  }

  private static func firstTarget(in targets: ArraySlice<Int64>, from pts: Int64) -> Int64? {
    var low = targets.startIndex
    var high = targets.endIndex
    while low < high {
      let middle = (low + high) / 2
      if targets[middle] < pts { low = middle + 1 } else { high = middle }
    }
    return low < targets.endIndex ? targets[low] : nil
  }
}
