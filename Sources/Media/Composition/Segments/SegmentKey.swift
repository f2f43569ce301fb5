import Crypto
import Encoding
import FFmpegBridge
import MediaCore
import Text

/// Writes down everything that decides the packets of a piece, apart from where it stands on the timeline, and hashes it.
///
/// Equal pieces of different documents have equal keys: that is how variants share what they have in common.
struct SegmentKey {
  /// Raised whenever pictures or sound are composed differently.
  static let generation = 2

  let document: ReelDocument
  let timeline: Timeline
  let inputs: RenderInputs
  let text: DocumentText?
  let digests: SourceDigests

  /// The key of a composed piece, 64 hex digits.
  func key(of frames: Range<Int>, encoder: String) throws(MediaError) -> String {
    var lines = ["pictures \(SegmentKey.generation)", encoder, "\(frames.count) \(document.canvas) \(Render.color)"]
    for index in timeline.clips.indices where timeline.clips[index].frames.overlaps(frames) {
      lines.append(try describe(clip: index, in: frames))
    }
    for join in timeline.joins where join.frames.overlaps(frames) {
      var item = join.transition
      item.place = .none
      item.map = nil
      let map = try join.transition.map.map { (reference) throws(MediaError) in try digests.digest(reference.name) } ?? "-"
      lines.append("join \(join.frames.lowerBound - frames.lowerBound) \(join.frames.count) \(map) \(item)")
    }
    var hasText = false
    for layer in timeline.layers where layer.frames.overlaps(frames) {
      lines.append(try describe(layer, in: frames))
      if case .text = layer.overlay.content { hasText = true }
    }
    if let captions = text?.captions, let style = document.captions?.style {
      if captions.ranges == nil {
        // A script may change at any moment: what it shows depends on the time.
        lines.append("script \(frames.lowerBound) \(document.captions?.offset ?? .zero) \(captions.text)")
        hasText = true
      }
      for segment in captions.segments where segment.frames.overlaps(frames) {
        let shown = segment.frames.clamped(to: frames)
        lines.append("caption \(shown.lowerBound - frames.lowerBound) \(shown.count) \(style) \(segment.runs)")
        hasText = true
      }
    }
    if hasText {
      for name in text?.fontNames ?? [] { lines.append("font \(try digests.digest(name))") }
    }
    return SegmentKey.hash(lines)
  }

  /// The key of the whole sound.
  func soundKey(encoder: String) throws(MediaError) -> String {
    var lines = ["sound \(SegmentKey.generation)", encoder, "\(timeline.frameCount) \(timeline.frameRate)"]
    for (index, placed) in timeline.clips.enumerated() where placed.isAudible {
      guard let reference = placed.clip.reference else { continue }
      let before = timeline.joins.first { $0.incoming == index }?.frames.count ?? 0
      let after = timeline.joins.first { $0.outgoing == index }?.frames.count ?? 0
      lines.append(
        """
        clip \(try digests.digest(reference.name)) \(placed.frames) \(placed.sourceStart) \(String(describing: placed.sourceEnd)) \
        \(placed.clip.speed) \(String(describing: placed.clip.volume)) \(before) \(after)
        """)
    }
    for layer in timeline.layers where layer.isAudible {
      guard let reference = layer.overlay.reference else { continue }
      var overlay = layer.overlay
      overlay.place = .none
      overlay.content = .media(MediaReference(""))
      lines.append("overlay \(try digests.digest(reference.name)) \(layer.frames) \(layer.source) \(overlay)")
    }
    let audio = document.audio
    lines.append("mix \(String(describing: audio.clips)) \(String(describing: audio.loudness)) \(audio.truePeak)")
    for (track, kind) in audio.voice.map({ ($0, "voice") }) + audio.music.map({ ($0, "music") }) {
      var described = track
      described.place = .none
      described.file = MediaReference("")
      lines.append("\(kind) \(try digests.digest(track.file.name)) \(described)")
    }
    return SegmentKey.hash(lines)
  }

  private func describe(clip index: Int, in frames: Range<Int>) throws(MediaError) -> String {
    let placed = timeline.clips[index]
    let clip = placed.clip
    let shown = placed.frames.clamped(to: frames)
    let offset = shown.lowerBound - placed.frames.lowerBound
    var parts = ["clip \(shown.lowerBound - frames.lowerBound) \(shown.count) \(clip.fit) \(clip.speed)"]
    parts.append("\(String(describing: clip.background)) \(document.canvas.background)")
    // A moving window and a filter depend on how far the clip is.
    if let move = clip.kenBurns { parts.append("\(move) \(offset) \(placed.frames.count)") }
    if let filter = clip.filter { parts.append("filter \(offset) \(filter)") }
    switch clip.content {
    case .color(let color): parts.append("color \(color)")
    case .image(let reference): parts.append("image \(try digests.digest(reference.name))")
    case .media(let reference):
      parts.append("media \(try digests.digest(reference.name))")
      // The picture chosen for a frame depends on its exact time, and near the ends of the trim on where they are.
      let start = timeline.picture(index, at: shown.lowerBound).sourceTime
      let end = timeline.picture(index, at: shown.upperBound).sourceTime
      parts.append("\(start)")
      let margin = MediaTime(Rational(2))
      let isInterlaced = try inputs.entry(reference).video.map { $0.fieldOrder != .progressive && $0.fieldOrder != .unknown } ?? false
      if start < placed.sourceStart + margin || isInterlaced || clip.filter != nil { parts.append("from \(placed.sourceStart)") }
      if let limit = placed.sourceEnd, end + margin > limit { parts.append("to \(limit)") }
    }
    return parts.joined(separator: " ")
  }

  private func describe(_ layer: Timeline.Layer, in frames: Range<Int>) throws(MediaError) -> String {
    var overlay = layer.overlay
    // Where it comes and goes is told by the states below, so that a piece in which it rests does not depend on it.
    overlay.place = .none
    overlay.from = .zero
    overlay.to = nil
    let shown = layer.frames.clamped(to: frames)
    var content = ""
    if let reference = overlay.reference {
      content = try digests.digest(reference.name)
      // Moving pictures depend on how far they are.
      if try !inputs.entry(reference).isStill { content += " \(shown.lowerBound - layer.frames.lowerBound) \(layer.source)" }
      let isMedia = if case .media = overlay.content { true } else { false }
      overlay.content = isMedia ? .media(MediaReference("")) : .image(MediaReference(""))
    }
    var states: [String] = []
    for frame in shown { states.append("\(layer.state(at: frame, frameRate: timeline.frameRate))") }
    let isStill = Set(states).count == 1
    return """
      layer \(shown.lowerBound - frames.lowerBound) \(shown.count) \(content) \(overlay) \
      \(isStill ? states[0] : states.joined(separator: ";"))
      """
  }

  private static func hash(_ lines: [String]) -> String {
    var hash = SHA256()
    // Lengths keep apart what texts of a document could run together.
    for line in lines { hash.update("\(line.utf8.count):\(line)\n") }
    return hash.finish().hex
  }
}
