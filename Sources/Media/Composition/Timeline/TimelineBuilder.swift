import MediaCore

/// Sums a sequence exactly and rounds each point once.
struct TimelineBuilder {
  let document: ReelDocument
  private(set) var clips: [Timeline.Placed] = []
  private(set) var joins: [Timeline.Join] = []
  /// The exact end of what has been placed.
  private var end = MediaTime.zero
  private var pending: TransitionItem?
  /// How much of the last clip its transition before it takes.
  private var lastOverlap = MediaTime.zero
  private var lastDuration = MediaTime.zero

  init(document: ReelDocument) { self.document = document }

  private var rate: Rational { document.canvas.frameRate }

  var frameCount: Int { frame(end) }

  private func frame(_ time: MediaTime) -> Int { Int((time.seconds * rate).rounded) }

  mutating func place(facts: (MediaReference) throws(MediaError) -> SourceFacts) throws(MediaError) {
    if let error = SequenceRules.violations(of: document.sequence, in: .none).first { throw error }
    for item in document.sequence {
      switch item {
      case .transition(let transition): pending = transition
      case .clip(let clip): try place(clip, facts: facts)
      }
    }
  }

  private mutating func place(_ clip: Clip, facts: (MediaReference) throws(MediaError) -> SourceFacts) throws(MediaError) {
    var sourceStart = MediaTime.zero
    var sourceEnd: MediaTime?
    var isAudible = false
    let duration: MediaTime
    if case .media(let reference) = clip.content {
      let known = try facts(reference)
      let range = try SourceTrim(start: clip.trimStart, end: clip.trimEnd, duration: clip.duration, speed: clip.speed, place: clip.place)
        .range(in: known, name: reference.name, frameDuration: MediaTime(rate.reciprocal))
      sourceStart = range.start
      sourceEnd = range.end
      isAudible = known.hasAudio && clip.volume != nil && document.audio.clips != nil
      duration = clip.duration ?? (range.end - range.start) / clip.speed
    } else {
      guard let stated = clip.duration else { throw clip.place.error("a still needs a duration") }
      duration = stated
    }
    try append(
      Timeline.Placed(clip: clip, frames: 0..<0, sourceStart: sourceStart, sourceEnd: sourceEnd, isAudible: isAudible), duration: duration)
  }

  private mutating func append(_ placed: Timeline.Placed, duration: MediaTime) throws(MediaError) {
    var placed = placed
    var start = end
    let overlap = pending?.duration ?? .zero
    if let pending {
      start = end - overlap
      let shorter = min(duration, lastDuration)
      guard overlap <= shorter else {
        throw pending.place.error(
          "the transition lasts \(overlap), longer than the clip beside it, which lasts \(shorter)",
          advice: "shorten the transition or lengthen the clip")
      }
      guard overlap + lastOverlap <= lastDuration, let last = clips.last else {
        throw pending.place.error(
          "the clip before lasts \(lastDuration), shorter than the transitions on both of its sides together (\(lastOverlap) + \(overlap))",
          advice: "shorten a transition or lengthen the clip")
      }
      let window = frame(start)..<frame(end)
      // A transition that rounds to no frame at all is a cut.
      if !window.isEmpty, window.upperBound == last.frames.upperBound {
        joins.append(Timeline.Join(transition: pending, outgoing: clips.count - 1, frames: window))
      }
    }
    let frames = frame(start)..<frame(start + duration)
    guard !frames.isEmpty else {
      throw placed.clip.place.error(
        "the clip lasts \(duration.doubleValue) s, less than a frame of the canvas", advice: "lengthen it or remove it")
    }
    placed.frames = frames
    clips.append(placed)
    end = start + duration
    pending = nil
    lastOverlap = overlap
    lastDuration = duration
  }

  static func layers(
    of document: ReelDocument, frameCount: Int, facts: (MediaReference) throws(MediaError) -> SourceFacts
  ) throws(MediaError) -> ([Timeline.Layer], [String]) {
    var layers: [Timeline.Layer] = []
    var warnings: [String] = []
    let rate = document.canvas.frameRate
    for (index, overlay) in document.overlays.enumerated() {
      let from = Int((overlay.from.seconds * rate).rounded)
      var to = min(overlay.to.map { Int(($0.seconds * rate).rounded) } ?? frameCount, frameCount)
      let place = "\(overlay.place.position) (\(overlay.place.path))"
      var source = TimeRange()
      if case .media(let reference) = overlay.content {
        let range = try SourceTrim(start: overlay.trimStart, end: overlay.trimEnd, speed: overlay.speed, place: overlay.place)
          .range(in: try facts(reference), name: reference.name, frameDuration: MediaTime(rate.reciprocal))
        source = TimeRange(start: range.start, end: range.end)
        let end = from + max(1, Int(((range.end - range.start).seconds / overlay.speed * rate).rounded))
        if !overlay.loop, end < to {
          if overlay.to != nil { warnings.append("\(place): the overlay ends with its source; \"loop\" would begin it again") }
          to = end
        }
      }
      guard from < to else {
        warnings.append(
          from >= frameCount ? "\(place): the overlay begins after the end" : "\(place): the overlay is shorter than a frame")
        continue
      }
      layers.append(Timeline.Layer(overlay: overlay, index: index, frames: from..<to, source: source))
    }
    return (layers, warnings)
  }
}

/// The part of a source that a clip uses.
struct SourceTrim {
  var start: TimePosition
  var end: TimePosition?
  var duration: MediaTime?
  var speed: Rational
  var place: DocumentPlace

  /// Resolves frame numbers and checks the ends. An end beyond the source by less than `frameDuration` is cut to it: containers round
  /// durations, and people write what their player shows.
  func range(in facts: SourceFacts, name: String, frameDuration: MediaTime) throws(MediaError) -> (start: MediaTime, end: MediaTime) {
    let start = try time(start, facts, name)
    guard start < facts.duration else {
      throw place.error("the trim starts at \(start), but \(name) lasts \(facts.duration)")
    }
    var end = facts.duration
    if let written = self.end { end = try time(written, facts, name) } else if let duration { end = start + duration * speed }
    guard end <= facts.duration + frameDuration else {
      throw place.error(
        "the trim ends at \(end), but \(name) lasts \(facts.duration)", advice: "leave the end out to use all of it")
    }
    guard start < end else { throw place.error("the trim ends before it starts (\(start) to \(end))") }
    // A stated duration is kept as it is; the last picture is held for the missing part of a frame.
    return (start, duration == nil && self.end == nil ? facts.duration : min(end, facts.duration))
  }

  private func time(_ position: TimePosition, _ facts: SourceFacts, _ name: String) throws(MediaError) -> MediaTime {
    switch position {
    case .time(let time): return time
    case .frame(let frame):
      guard let time = facts.frameTimes[frame] else { throw place.error("\(name) has no frame \(frame)") }
      return time
    }
  }
}
