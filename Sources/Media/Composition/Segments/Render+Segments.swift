public import Encoding
import FFmpegBridge
import FileAccess
public import MediaCore
import Pipeline
import PositionedJSON
import Text

extension Render {
  /// What a render need not encode again.
  public struct Reuse: Hashable, Sendable {
    /// Take pieces that an earlier render left in the segment cache, and leave new ones there. Needs `Files` with a cache. Default on.
    public var cache = true
    /// Copy packets of sources where they can stand in the output as they are. Default on.
    public var copies = true

    public init(cache: Bool = true, copies: Bool = true) {
      self.cache = cache
      self.copies = copies
    }
  }

  /// How one output is put together.
  struct Layout {
    var pieces: [SegmentedPictures.Piece]
    var encoder: SegmentEncoder
    var parameterSets: H264ParameterSets?
    /// Whether copied pieces carry parameter sets in their packets.
    var hasParameterSetsInBand = false
    var store: SegmentStore
    var soundKey: String?
    var notes: [String]
  }

  /// Nil with the reason when everything is to be encoded in one go.
  func layout(settings: Encoding.OutputSettings, reuse: Reuse, isMarked: Bool) throws(MediaError) -> (layout: Layout?, reason: String) {
    guard reuse.cache || reuse.copies else { return (nil, "nothing is to be reused") }
    if isMarked || document.watermark != nil { return (nil, "every picture is watermarked") }
    guard settings.codec.joinsSegments else { return (nil, "\(settings.codec.name) is encoded whole") }
    guard settings.preset.bitRate == nil else {
      return (nil, settings.preset.isTwoPass ? "a bit rate is spread over the whole in two passes" : "a bit rate is kept over the whole")
    }
    let store = SegmentStore(files, isEnabled: reuse.cache)
    let rate = timeline.frameRate
    let interval = settings.preset.keyframeSeconds.map { Int((Rational($0) * rate).rounded) } ?? Int((Rational(4) * rate).rounded)
    let isCopyable = reuse.copies && settings.codec.name == "h264" && ["mp4", "mov", "mkv"].contains(settings.container)

    var scans: [Int: (scan: CopyScan?, reason: String)] = [:]
    var plan = try SegmentPlan.make(
      timeline, captions: text.map { $0.captions.map(\.ranges) ?? [] } ?? [], cues: text?.captions?.cueFrames ?? [],
      keyframeInterval: interval,
      findCopy: isCopyable
        ? { (clip, range) throws(MediaError) in
          var known = scans[clip]
          if known == nil {
            known = try CopyScan.make(
              self.timeline, clip: clip, canvas: self.document.canvas, inputs: self.inputs, settings: settings)
          }
          scans[clip] = known
          guard let scan = known?.scan else { return (nil, known?.reason ?? "") }
          return try scan.run(in: range)
        } : nil)
    let sets = plan.settleParameterSets()
    // Without a cache, pieces pay only where something is copied.
    guard reuse.cache || !plan.copies.isEmpty else { return (nil, plan.notes.first ?? "nothing can be copied") }

    let identifier = plan.copies.isEmpty ? 0 : (1..<32).first { sets.sequences[$0] == nil && sets.pictures[$0] == nil } ?? 0
    let encoder = try SegmentEncoder(
      settings: settings, size: document.canvas.size, color: Render.color, frameRate: rate, parameterSetID: identifier,
      environment: environment)
    var merged: H264ParameterSets?
    if !plan.copies.isEmpty {
      guard let own = H264ParameterSets(annexB: encoder.stream.configuration), own.agrees(with: sets), own.merged(with: sets).record != nil
      else { return (nil, "the encoder's parameter sets cannot stand beside those of the sources") }
      merged = own.merged(with: sets)
    }
    let keys = SegmentKey(
      document: document, timeline: timeline, inputs: inputs, text: text,
      digests: SourceDigests(files: files, store: store, cancellation: environment.cancellation))
    var pieces: [SegmentedPictures.Piece] = []
    for segment in plan.segments {
      let key = segment.copy == nil && reuse.cache ? try keys.key(of: segment.frames, encoder: encoder.description) : nil
      pieces.append(.init(segment: segment, key: key, isCached: key.map(store.has) ?? false))
    }
    let soundKey = reuse.cache ? try keys.soundKey(encoder: SoundEncoder.description(settings)) : nil
    return (
      Layout(
        pieces: pieces, encoder: encoder, parameterSets: merged,
        hasParameterSetsInBand: plan.copies.contains(where: \.repeatsParameterSets),
        store: store, soundKey: soundKey, notes: plan.notes), ""
    )
  }

  /// Puts an output together as laid out.
  func assemble(_ layout: Layout, settings: Encoding.OutputSettings, to output: OutputFile, meter: ProgressMeter) throws(MediaError)
    -> MediaWriter.Summary
  {
    let pictures = try SegmentedPictures(
      layout.pieces, encoder: layout.encoder, store: layout.store, inputs: inputs, ledger: ledger,
      compose: { (frames) throws(MediaError) in
        Queue(
          upstream: try RenderSource(
            self.document, timeline: self.timeline, frames: frames, color: Render.color, inputs: self.inputs, text: self.text,
            ledger: self.ledger))
      }, onFrame: { meter.advance() })
    var stream = layout.encoder.stream
    if let record = layout.parameterSets?.record { stream = stream.with(configuration: record, timeBase: stream.timeBase) }
    var settings = settings
    // ISO/IEC 14496-15, 5.4.2.1: parameter sets may stand in the samples of an avc3 track, not in those of an avc1 track.
    if layout.hasParameterSetsInBand, settings.container != "mkv" { settings.videoTags.codecTag = "avc3" }
    var writer = MediaWriter(settings: settings, environment: environment, ledger: ledger)
    writer.frameRate = timeline.frameRate
    writer.expectedDuration = timeline.duration
    writer.meter = meter

    var sound: MediaWriter.Packets?
    var encoding: SoundEncoder?
    var queue: Queue<Packet>?
    var samples: Int64 = 0
    var isSoundCached = false
    defer { queue?.stop() }
    let soundStream = try SoundEncoder.stream(settings: settings, globalHeader: true, environment: environment)
    if let key = layout.soundKey, let stored = layout.store.segment(key), stored.configuration == soundStream.configuration {
      isSoundCached = true
      if !stored.packets.isEmpty {
        samples = MediaTime(Rational(Int64(timeline.frameCount)) / timeline.frameRate).ticks(in: soundStream.timeBase)
        sound = .init(PacketList(stored.packets), stream: soundStream)
      }
    } else if let mix = try self.sound(sampleRate: settings.audioSampleRate),
      let encoder = try SoundEncoder(mix, settings: settings, globalHeader: true, environment: environment)
    {
      encoding = encoder
      let packets = Queue(bounds: .init(elements: 4096, duration: MediaTime(Rational(60))), upstream: encoder)
      queue = packets
      sound = .init(packets, stream: encoder.stream)
    }
    var summary = try writer.write(
      pictures: .init(pictures, stream: stream), sound: sound, size: document.canvas.size, to: output)
    summary.audioSamples = encoding?.sampleCount ?? samples
    if let key = layout.soundKey, !isSoundCached {
      layout.store.save(encoding?.made ?? EncodedSegment(configuration: soundStream.configuration), as: key, timeBase: soundStream.timeBase)
    }
    ledger.book("planned", Int64(timeline.frameCount))
    try ledger.reconcile("cannot render \(output.displayName)", given: ["planned"], taken: ["encoded", "fromCache", "copied"])
    try ledger.reconcile("cannot render \(output.displayName)", given: ["planned"], taken: ["muxed"])
    segments = Render.describe(pictures.pieces)
    cacheWarnings = Array(Set(layout.store.warnings)).sorted()
    notes = layout.notes
    return summary
  }

  static func describe(_ pieces: [SegmentedPictures.Piece]) -> [RenderPlan.Segment] {
    pieces.map { piece in
      .init(
        from: piece.segment.frames.lowerBound, to: piece.segment.frames.upperBound,
        action: piece.segment.copy != nil ? "copy" : piece.isCached ? "cache" : "encode", reason: piece.segment.reason)
    }
  }

  /// What a run with these settings would do, piece by piece.
  public func plan(settings: Encoding.OutputSettings, reuse: Reuse = Reuse()) throws(MediaError) -> RenderPlan {
    let (layout, reason) = try layout(settings: settings, reuse: reuse, isMarked: document.watermark != nil)
    guard let layout else { return unsegmentedPlan(reason) }
    return plan(Render.describe(layout.pieces), notes: layout.notes)
  }

  private func plan(_ segments: [RenderPlan.Segment], notes: [String]) -> RenderPlan {
    RenderPlan(
      durationSeconds: timeline.duration.doubleValue, frames: timeline.frameCount, segments: segments,
      inputs: inputs.opened.map {
        .init(name: $0.name, durationSeconds: $0.facts.duration.doubleValue, hasAudio: $0.facts.hasAudio)
      }, warnings: warnings, notes: notes)
  }

  /// One segment between any two edit points, all encoded by one encoder; `reason` says why.
  public func unsegmentedPlan(_ reason: String) -> RenderPlan {
    let points = [0] + timeline.editPoints() + [timeline.frameCount]
    let segments = zip(points, points.dropFirst()).map { from, to in
      let reason: String =
        switch timeline.composite(at: from) {
        case .joined(_, _, let join, _): "transition \(timeline.joins[join].transition.name)"
        case .single(let picture):
          timeline.layers(at: from).isEmpty ? "clip \(picture.clip)" : "clip \(picture.clip) under an overlay"
        }
      return RenderPlan.Segment(from: from, to: to, action: "encode", reason: reason)
    }
    return plan(segments, notes: [reason])
  }
}

/// Packets that are in memory.
private final class PacketList: Source {
  private var packets: ArraySlice<Packet>

  init(_ packets: [Packet]) { self.packets = packets[...] }

  func next() -> Packet? { packets.popFirst() }
}
