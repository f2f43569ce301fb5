import FFmpegBridge
import FileAccess
import MediaCore

/// Runs one group of targets on a reader.
struct GroupRun {
  let reader: StreamReader
  let index: KeyframeIndex?
  let allowsDamagedFrames: Bool
  /// Told of every frame that is looked at in a search that may find none for long.
  let examined: (@Sendable (MediaTime) -> Void)?

  /// What a group produces: the place of the target within the group, the frame or why there is none.
  struct Item {
    var target: Int
    var result: Result<VideoFrame, MediaError>
    /// The file ended at or before this target's frame: it is the last.
    var isLast = false
    /// The first frame, taken for want of one at or before the target.
    var isBeforeStart = false
  }

  /// Gets an item; false when nobody wants more.
  typealias Emit = (Item) throws(MediaError) -> Bool

  private enum Outcome {
    case done
    /// From this target on the group must be decoded in full.
    case mustRepeat(from: Int)
  }

  /// Runs the group. Throws only for what concerns the whole request: cancellation, an unreadable file.
  func run(_ group: TargetGroup, _ emit: Emit) throws(MediaError) {
    switch group.work {
    case .targets(let targets):
      guard case .mustRepeat(let first) = try sparse(group.start, targets, emit) else { return }
      reader.counters.retries += 1
      try full(earlier(group.start), targets, from: first, emit)
    case .keyframe: try keyframe(group.start, emit)
    case .allKeyframes: try allKeyframes(emit)
    case .range(let range):
      var count = 0
      try frames(group.start, range) { frame throws(MediaError) in
        defer { count += 1 }
        return try emit(item(count, frame))
      }
    case .scenes(let range, let threshold):
      var count = 0
      var detector = SceneDetector()
      try frames(group.start, range) { frame throws(MediaError) in
        examined?(frame.time)
        guard try detector.score(frame) >= threshold else { return true }
        defer { count += 1 }
        return try emit(item(count, frame))
      }
    case .sharpest(let range):
      var best: (score: Double, frame: VideoFrame)?
      try frames(group.start, range) { frame throws(MediaError) in
        let score = try Sharpness.score(frame)
        if score > best?.score ?? -.infinity { best = (score, frame) }
        return true
      }
      if let best {
        _ = try emit(item(0, best.frame))
      } else {
        // No frame starts within the window: the one that is shown there.
        try run(TargetGroup(start: group.start, work: .targets([(range.lowerBound + range.upperBound) / 2])), emit)
      }
    }
  }

  private func item(_ target: Int, _ frame: VideoFrame) -> Item {
    Item(target: target, result: frame.isDamaged && !allowsDamagedFrames ? .failure(damagedError(frame.time)) : .success(frame))
  }

  private func damagedError(_ time: MediaTime?) -> MediaError {
    MediaError(
      .damaged, "cannot extract a frame of \(reader.demuxer.input.displayName)", path: reader.demuxer.input.displayName,
      reason: "the picture\(time.map { " at \($0)" } ?? "") is damaged", advice: "give --allow-incomplete to get it as far as it decodes")
  }

  private var nothingDecodes: MediaError {
    MediaError(
      .damaged, "cannot extract a frame of \(reader.demuxer.input.displayName)", path: reader.demuxer.input.displayName,
      reason: "no picture of it can be decoded", advice: "check that the file is complete")
  }

  // MARK: Sparse

  private func position(_ start: TargetGroup.Start) throws(MediaError) {
    switch start {
    case .keyframe(let entry) where index != nil: try reader.seek(ticks: index!.ticks[entry])
    default: try reader.rewind()
    }
  }

  private func earlier(_ start: TargetGroup.Start) -> TargetGroup.Start {
    if case .keyframe(let entry) = start, entry > 1 { return .keyframe(entry - 1) }
    return .beginning
  }

  /// Decodes what the plan says and nothing else.
  private func sparse(_ start: TargetGroup.Start, _ targets: [Int64], _ emit: Emit) throws(MediaError) -> Outcome {
    var start = start
    try position(start)
    reader.counters.gops += 1
    var first: (packet: Packet, facts: PacketFacts)?
    // The index may hold decode times, or none for some keyframes: step back until the run starts before its first target.
    while true {
      guard let packet = try reader.readPacket() else { break }
      guard let facts = reader.facts(of: packet) else { return .mustRepeat(from: 0) }
      first = (packet, facts)
      guard start != .beginning, !facts.isKeyframe || facts.pts > targets[0] else { break }
      start = earlier(start)
      reader.recycle(packet)
      first = nil
      try position(start)
    }

    var options = PacketPlan.Options()
    options.dropsLeading = start != .beginning
    options.skipsAhead = index == nil
    options.settleDelay = max(options.settleDelay, reader.stream.reorderDepth)
    var plan = PacketPlan(targets: targets, options: options)
    var collector = FrameCollector(targets: targets)
    var packets: [Packet] = []
    var head = 0
    if let first {
      packets.append(first.packet)
      plan.push(first.facts)
    } else {
      plan.end()
    }
    defer { for packet in packets[head...] { reader.recycle(packet) } }
    let clock = reader
    let damage = reader.damageCount
    func add(_ frame: VideoFrame, _ collector: inout FrameCollector) { collector.add(frame, ticks: clock.ticks(of: frame)) }

    while true {
      switch plan.step() {
      case .needsPacket:
        if let packet = try reader.readPacket() {
          packets.append(packet)
          // Without presentation times only the decoder can put frames in order.
          guard let facts = reader.facts(of: packet) else { return .mustRepeat(from: 0) }
          plan.push(facts)
        } else {
          plan.end()
        }
      case .feed:
        try reader.decode(packets[head]) { frame throws(MediaError) in add(frame, &collector) }
        reader.recycle(packets[head])
        head += 1
      case .skip:
        reader.counters.packetsSkipped += 1
        reader.recycle(packets[head])
        head += 1
      case .restart:
        reader.counters.gops += 1
        try reader.drain { frame throws(MediaError) in add(frame, &collector) }
      case .finished:
        try reader.drain { frame throws(MediaError) in add(frame, &collector) }
        while let (target, match) = collector.take(settled: plan.frames, isDrained: true) {
          guard case .some(let outcome) = try deliver(target, match, plan, damage, emit) else { continue }
          return outcome
        }
        return .done
      }
      if head >= 64 {
        packets.removeFirst(head)
        head = 0
      }
      while let (target, match) = collector.take(settled: plan.frames, isDrained: false) {
        guard case .some(let outcome) = try deliver(target, match, plan, damage, emit) else { continue }
        return outcome
      }
    }
  }

  /// Nil to go on. Damage in any picture so far may have spread by reference, so it makes the run repeat in full.
  private func deliver(
    _ target: Int, _ match: FrameCollector.Match, _ plan: PacketPlan, _ damageBefore: Int, _ emit: Emit
  ) throws(MediaError) -> Outcome? {
    guard case .frame(let frame) = match, !frame.isDamaged, reader.damageCount == damageBefore else { return .mustRepeat(from: target) }
    let ticks = reader.ticks(of: frame)
    let item = Item(
      target: target, result: .success(frame), isLast: plan.isEnded && plan.frames[target] == ticks,
      isBeforeStart: ticks > plan.targets[target])
    return try emit(item) ? nil : .done
  }

  // MARK: Full

  /// Decodes every packet from `start` on and goes by the times of the frames alone. A target whose frame is damaged or does
  /// not decode becomes an error; the others are delivered.
  private func full(_ start: TargetGroup.Start, _ targets: [Int64], from first: Int, _ emit: Emit) throws(MediaError) {
    try position(start)
    reader.counters.gops += 1
    var next = first
    var pending: VideoFrame?
    var seen: [Int64] = []
    let damageBefore = reader.damageCount
    var spread = DamageSpread()
    var wantsMore = true

    func deliver(_ frame: VideoFrame?, isLast: Bool) throws(MediaError) {
      let target = targets[next]
      guard let frame else {
        wantsMore = try emit(Item(target: next, result: .failure(nothingDecodes)))
        next += 1
        return
      }
      let ticks = reader.ticks(of: frame)
      // A packet that should have given a later frame did not: say so instead of handing out a neighbour.
      let expected = seen.filter { $0 <= target }.max()
      let isLost = expected.map { $0 > ticks } ?? false && reader.damageCount > damageBefore
      var item = item(next, frame)
      if spread.reaches(ticks) && !allowsDamagedFrames { item.result = .failure(damagedError(frame.time)) }
      if isLost && !allowsDamagedFrames { item.result = .failure(damagedError(expected.map { reader.time(ticks: $0) })) }
      item.isLast = isLast
      item.isBeforeStart = ticks > target
      wantsMore = try emit(item)
      next += 1
    }
    func accept(_ frame: VideoFrame) throws(MediaError) {
      let ticks = reader.ticks(of: frame)
      while wantsMore && next < targets.count && ticks > targets[next] { try deliver(pending ?? frame, isLast: false) }
      pending = frame
      if frame.isDamaged { spread.noteDamage(at: ticks) }
      if next < targets.count { seen.removeAll { $0 < ticks && $0 < targets[next] } }
    }

    while wantsMore && next < targets.count, let packet = try reader.readPacket() {
      if let pts = packet.presentationTicks, !packet.isDiscarded { seen.append(pts) }
      spread.add(packet.presentationTicks, isKeyframe: packet.isKeyframe)
      let damage = reader.damageCount
      try reader.decode(packet, accept)
      if reader.damageCount > damage { spread.noteDamage(at: nil) }
      reader.recycle(packet)
    }
    guard wantsMore && next < targets.count else { return }
    try reader.drain(accept)
    while wantsMore && next < targets.count { try deliver(pending, isLast: true) }
  }

  // MARK: Ranges and keyframes

  /// Every frame that starts within the range, in order; `body` answers whether it wants more.
  private func frames(
    _ start: TargetGroup.Start, _ range: Range<Int64>, _ body: (VideoFrame) throws(MediaError) -> Bool
  ) throws(MediaError) {
    try position(start)
    reader.counters.gops += 1
    var wantsMore = true
    let reader = reader
    func accept(_ frame: VideoFrame) throws(MediaError) {
      let ticks = reader.ticks(of: frame)
      if ticks >= range.upperBound { wantsMore = false }
      if wantsMore && ticks >= range.lowerBound { wantsMore = try body(frame) }
    }
    while wantsMore, let packet = try reader.readPacket() {
      try reader.decode(packet, accept)
      reader.recycle(packet)
    }
    if wantsMore { try reader.drain(accept) }
  }

  /// The one picture of a keyframe.
  private func keyframe(_ start: TargetGroup.Start, _ emit: Emit) throws(MediaError) {
    try position(start)
    reader.counters.gops += 1
    var frame: VideoFrame?
    while frame == nil, let packet = try reader.readPacket() {
      defer { reader.recycle(packet) }
      guard packet.isKeyframe else { continue }
      // A seek may land one keyframe early.
      if case .keyframe(let entry) = start, let index, let time = index.time(of: packet), time < index.ticks[entry] { continue }
      try reader.decode(packet) { frame = $0 }
      try reader.drain { frame = frame ?? $0 }
    }
    _ = try emit(frame.map { item(0, $0) } ?? Item(target: 0, result: .failure(nothingDecodes)))
  }

  private func allKeyframes(_ emit: Emit) throws(MediaError) {
    try reader.rewind()
    var count = 0
    var wantsMore = true
    func accept(_ frame: VideoFrame) throws(MediaError) {
      guard wantsMore else { return }
      wantsMore = try emit(item(count, frame))
      count += 1
    }
    while wantsMore, let packet = try reader.readPacket() {
      defer { reader.recycle(packet) }
      guard packet.isKeyframe && !packet.isDiscarded else {
        reader.counters.packetsSkipped += 1
        continue
      }
      reader.counters.gops += 1
      try reader.decode(packet, accept)
      try reader.drain(accept)
    }
  }
}
