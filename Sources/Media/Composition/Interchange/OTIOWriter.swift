import FFmpegBridge
public import MediaCore
import PositionedJSON

/// Writes the cut of a document as an OpenTimelineIO timeline (`.otio`, schema versions of OpenTimelineIO 0.15 and later).
///
/// A join becomes a cut in its middle with a transition of as many frames on each side; what OpenTimelineIO has no place for goes into
/// `metadata.reelwright`, or is listed there as left out. Files are named as the document names them.
struct OTIOWriter {
  let document: ReelDocument
  let timeline: Timeline
  let inputs: RenderInputs

  private var rate: Double { timeline.frameRate.doubleValue }

  func text() throws(MediaError) -> String {
    var tracks = [track("Video", "Video", try pictures())]
    if let own = try ownSound() { tracks.append(track("Audio", "clips", own)) }
    for (index, voice) in document.audio.voice.enumerated() { tracks.append(track("Audio", "voice \(index + 1)", try sound(voice))) }
    for (index, music) in document.audio.music.enumerated() { tracks.append(track("Audio", "music \(index + 1)", try sound(music))) }
    var notes: [(String, JSON)] = [
      (
        "canvas",
        .object([
          ("width", JSON(document.canvas.width)), ("height", JSON(document.canvas.height)),
          (
            "frameRate",
            .string(
              document.canvas.frameRate.denominator == 1 ? "\(document.canvas.frameRate.numerator)" : document.canvas.frameRate.description)
          ),
        ])
      )
    ]
    if !leftOut.isEmpty { notes.append(("leftOut", .array(leftOut.map { .string($0) }))) }
    let root: JSON = .object([
      ("OTIO_SCHEMA", .string("Timeline.1")), ("metadata", .object([("reelwright", .object(notes))])),
      ("name", .string(document.source.name)), ("global_start_time", .null),
      (
        "tracks",
        .object([
          ("OTIO_SCHEMA", .string("Stack.1")), ("metadata", .object([])), ("name", .string("tracks")), ("source_range", .null),
          ("effects", .array([])), ("markers", .array([])), ("enabled", .bool(true)), ("children", .array(tracks)),
        ])
      ),
    ])
    return root.text() + "\n"
  }

  /// Parts of the document that a timeline cannot carry.
  var leftOut: [String] {
    var parts: [String] = []
    if !document.overlays.isEmpty { parts.append("overlays") }
    if document.captions != nil { parts.append("captions") }
    if document.audio.loudness != nil { parts.append("loudness") }
    if document.watermark != nil { parts.append("watermark") }
    return parts
  }

  /// The frame at which the clip before a join gives way to the one after it.
  private func cut(_ join: Timeline.Join) -> Int { join.frames.lowerBound + join.frames.count / 2 }

  private func shown(_ index: Int) -> Range<Int> {
    let frames = timeline.clips[index].frames
    let start = timeline.joins.first { $0.incoming == index }.map(cut) ?? frames.lowerBound
    let end = timeline.joins.first { $0.outgoing == index }.map(cut) ?? frames.upperBound
    return start..<end
  }

  private func pictures() throws(MediaError) -> [JSON] {
    var children: [JSON] = []
    for (index, placed) in timeline.clips.enumerated() {
      if let join = timeline.joins.first(where: { $0.incoming == index }) { children.append(transition(join)) }
      let range = shown(index)
      let reference: JSON
      switch placed.clip.content {
      case .media(let file):
        let facts = try inputs.entry(file).facts
        reference = external(file.name, range: self.range(0, facts.duration.doubleValue * rate))
      case .image(let file): reference = external(file.name, range: .null)
      case .color(let color):
        reference = .object([
          ("OTIO_SCHEMA", .string("GeneratorReference.1")), ("metadata", .object([])), ("name", .string("")), ("available_range", .null),
          ("available_image_bounds", .null), ("generator_kind", .string("SolidColor")),
          ("parameters", .object([("color", .string(color.hex))])),
        ])
      }
      let offset = Double(range.lowerBound - placed.frames.lowerBound) * placed.clip.speed.doubleValue
      var effects: [JSON] = []
      if placed.clip.speed != Rational(1) {
        effects.append(
          .object([
            ("OTIO_SCHEMA", .string("LinearTimeWarp.1")), ("metadata", .object([])), ("name", .string("")),
            ("effect_name", .string("LinearTimeWarp")), ("enabled", .bool(true)), ("time_scalar", JSON(placed.clip.speed)),
          ]))
      }
      // A colour has neither shape nor sound.
      var notes: [(String, JSON)] = placed.clip.reference == nil ? [] : [("fit", .string(placed.clip.fit.rawValue))]
      if placed.clip.volume == nil { notes.append(("volume", .bool(false))) }
      if let volume = placed.clip.volume, volume != .zero { notes.append(("volume", JSON(volume))) }
      children.append(
        clip(
          placed.clip.reference?.name ?? "color", range: self.range(placed.sourceStart.doubleValue * rate + offset, Double(range.count)),
          reference: reference, effects: effects, notes: notes))
    }
    return children
  }

  /// The sound of the clips beside their pictures; nil when none has any.
  private func ownSound() throws(MediaError) -> [JSON]? {
    guard timeline.clips.contains(where: \.isAudible) else { return nil }
    var children: [JSON] = []
    for (index, placed) in timeline.clips.enumerated() {
      let range = shown(index)
      guard placed.isAudible, let file = placed.clip.reference else {
        children.append(gap(Double(range.count)))
        continue
      }
      let offset = Double(range.lowerBound - placed.frames.lowerBound) * placed.clip.speed.doubleValue
      children.append(
        clip(
          file.name, range: self.range(placed.sourceStart.doubleValue * rate + offset, Double(range.count)),
          reference: external(file.name, range: .null), effects: [], notes: [("soundOf", JSON(index))]))
    }
    return children
  }

  private func sound(_ track: AudioMix.Track) throws(MediaError) -> [JSON] {
    let start = track.from.doubleValue * rate
    let entry = try inputs.entry(track.file)
    let length = ((track.trimEnd ?? entry.audio?.duration ?? entry.facts.duration) - track.trimStart).doubleValue * rate
    let end = min(Double(timeline.frameCount), track.to.map { $0.doubleValue * rate } ?? Double(timeline.frameCount))
    var notes: [(String, JSON)] = [("volume", JSON(track.volume))]
    if track.duck != .zero { notes.append(("duck", JSON(track.duck))) }
    if track.fadeIn != .zero { notes.append(("fadeIn", JSON(track.fadeIn))) }
    if track.fadeOut != .zero { notes.append(("fadeOut", JSON(track.fadeOut))) }
    if track.loop { notes.append(("loop", .bool(true))) }
    let duration = track.loop ? end - start : min(length, end - start)
    let piece = clip(
      track.file.name, range: range(track.trimStart.doubleValue * rate, duration), reference: external(track.file.name, range: .null),
      effects: [], notes: notes)
    return (start > 0 ? [gap(start)] : []) + [piece]
  }

  // MARK: Schemas

  private func time(_ value: Double) -> JSON {
    .object([("OTIO_SCHEMA", .string("RationalTime.1")), ("rate", .double(rate)), ("value", .double(value))])
  }

  private func range(_ start: Double, _ duration: Double) -> JSON {
    .object([("OTIO_SCHEMA", .string("TimeRange.1")), ("duration", time(duration)), ("start_time", time(start))])
  }

  private func external(_ name: String, range: JSON) -> JSON {
    .object([
      ("OTIO_SCHEMA", .string("ExternalReference.1")), ("metadata", .object([])), ("name", .string("")), ("available_range", range),
      ("available_image_bounds", .null), ("target_url", .string(name)),
    ])
  }

  private func gap(_ duration: Double) -> JSON {
    .object([
      ("OTIO_SCHEMA", .string("Gap.1")), ("metadata", .object([])), ("name", .string("")), ("source_range", range(0, duration)),
      ("effects", .array([])), ("markers", .array([])), ("enabled", .bool(true)),
    ])
  }

  private func clip(_ name: String, range: JSON, reference: JSON, effects: [JSON], notes: [(String, JSON)]) -> JSON {
    .object([
      ("OTIO_SCHEMA", .string("Clip.2")), ("metadata", .object([("reelwright", .object(notes))])), ("name", .string(name)),
      ("source_range", range), ("effects", .array(effects)), ("markers", .array([])), ("enabled", .bool(true)),
      ("media_references", .object([("DEFAULT_MEDIA", reference)])), ("active_media_reference_key", .string("DEFAULT_MEDIA")),
    ])
  }

  private func transition(_ join: Timeline.Join) -> JSON {
    let item = join.transition
    var notes: [(String, JSON)] = [("transition", .string(item.name))]
    if let direction = item.direction { notes.append(("direction", .string(direction.rawValue))) }
    if let softness = item.softness { notes.append(("softness", JSON(softness))) }
    if let color = item.color { notes.append(("color", .string(color.hex))) }
    if item.seed != 0, let seed = Int64(exactly: item.seed) { notes.append(("seed", .integer(seed))) }
    if let count = item.count { notes.append(("count", JSON(count))) }
    if let strength = item.strength { notes.append(("strength", JSON(strength))) }
    if let map = item.map { notes.append(("map", .string(map.name))) }
    if let expression = item.expression { notes.append(("expression", .string(expression))) }
    let before = cut(join) - join.frames.lowerBound
    return .object([
      ("OTIO_SCHEMA", .string("Transition.1")), ("metadata", .object([("reelwright", .object(notes))])), ("name", .string(item.name)),
      ("in_offset", time(Double(before))), ("out_offset", time(Double(join.frames.count - before))),
      ("transition_type", .string(item.name == "crossfade" ? "SMPTE_Dissolve" : "Custom_Transition")),
    ])
  }

  private func track(_ kind: String, _ name: String, _ children: [JSON]) -> JSON {
    .object([
      ("OTIO_SCHEMA", .string("Track.1")), ("metadata", .object([])), ("name", .string(name)), ("source_range", .null),
      ("effects", .array([])), ("markers", .array([])), ("enabled", .bool(true)), ("children", .array(children)), ("kind", .string(kind)),
    ])
  }
}

extension Render {
  /// The cut as an OpenTimelineIO timeline.
  public func otio() throws(MediaError) -> String { try OTIOWriter(document: document, timeline: timeline, inputs: inputs).text() }

  /// Parts of the document that a timeline cannot carry.
  public var otioLeftOut: [String] { OTIOWriter(document: document, timeline: timeline, inputs: inputs).leftOut }
}

extension ReelColor {
  /// `#rrggbb`, or `#rrggbbaa` where it is not opaque.
  var hex: String {
    let parts = alpha == 255 ? [red, green, blue] : [red, green, blue, alpha]
    return "#" + parts.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
