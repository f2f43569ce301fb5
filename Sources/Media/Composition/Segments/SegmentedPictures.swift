import Encoding
import FFmpegBridge
import MediaCore
import Pipeline

/// The packets of a whole output, piece after piece: from the cache, copied from a source, or composed and encoded.
///
/// Presentation times are frame numbers. Decoding times follow from the order alone: packet n is decoded `reorderDepth` frames before
/// frame n is shown, whichever encoder it comes from.
final class SegmentedPictures: Source {
  /// One piece and what is to be done about it.
  struct Piece {
    var segment: SegmentPlan.Segment
    /// Of its cache entry; nil for copies.
    var key: String?
    var isCached: Bool
  }

  private(set) var pieces: [Piece]
  private let encoder: SegmentEncoder
  private let store: SegmentStore
  private let reorderDepth: Int
  /// Whether packets carry lengths, because copied ones do.
  private let isLengthPrefixed: Bool
  private let timeBase: Rational
  private let ledger: Ledger
  private let inputs: RenderInputs
  private let compose: (Range<Int>) throws(MediaError) -> Queue<VideoFrame>
  private let onFrame: () -> Void
  private var ready: [Packet] = []
  private var upcoming = 0
  private var order: Int64 = 0
  private var composing: (pictures: Queue<VideoFrame>, end: Int)?

  init(
    _ pieces: [Piece], encoder: SegmentEncoder, store: SegmentStore, inputs: RenderInputs, ledger: Ledger,
    compose: @escaping (Range<Int>) throws(MediaError) -> Queue<VideoFrame>, onFrame: @escaping () -> Void
  ) throws(MediaError) {
    self.pieces = pieces
    self.encoder = encoder
    self.store = store
    self.inputs = inputs
    self.ledger = ledger
    self.compose = compose
    self.onFrame = onFrame
    timeBase = encoder.stream.timeBase
    isLengthPrefixed = pieces.contains { $0.segment.copy != nil }
    var depth = encoder.stream.reorderDepth
    for piece in pieces {
      if let name = piece.segment.copy?.name { depth = max(depth, try inputs.entry(MediaReference(name)).video?.reorderDepth ?? 0) }
    }
    reorderDepth = depth
  }

  deinit { composing?.pictures.stop() }

  func next() throws(MediaError) -> Packet? {
    while ready.isEmpty {
      guard upcoming < pieces.count else { return nil }
      try make(upcoming)
      upcoming += 1
    }
    return ready.removeFirst()
  }

  private func make(_ index: Int) throws(MediaError) {
    let piece = pieces[index]
    if let copy = piece.segment.copy { return try copyPackets(copy) }
    if piece.isCached, let key = piece.key, let segment = store.segment(key), fits(segment, piece.segment.frames.count) {
      ledger.book("fromCache", Int64(segment.packets.count))
      for _ in segment.packets { onFrame() }
      return try hand(on: segment.packets, at: piece.segment.frames)
    }
    // What the cache promised and does not hold is composed like the rest.
    pieces[index].isCached = false
    let pictures = try pictures(from: index)
    let segment = try encoder.encode(pictures, count: piece.segment.frames.count, ledger: ledger, onFrame: onFrame)
    if let key = piece.key { store.save(segment, as: key, timeBase: timeBase) }
    try hand(on: segment.packets, at: piece.segment.frames)
  }

  private func fits(_ segment: EncodedSegment, _ count: Int) -> Bool {
    segment.configuration == encoder.stream.configuration && segment.packets.count == count
  }

  /// Composed pictures from the start of a piece on: one source goes on through neighbours, so that clips are not opened anew.
  private func pictures(from index: Int) throws(MediaError) -> Queue<VideoFrame> {
    let start = pieces[index].segment.frames.lowerBound
    if let composing, composing.end > start { return composing.pictures }
    composing?.pictures.stop()
    var last = index
    while last + 1 < pieces.count, pieces[last + 1].segment.copy == nil, !pieces[last + 1].isCached { last += 1 }
    let end = pieces[last].segment.frames.upperBound
    let pictures = try compose(start..<end)
    composing = (pictures, end)
    return pictures
  }

  private func copyPackets(_ run: CopyRun) throws(MediaError) {
    var packets: [Packet] = []
    try CopyScan.read(run, inputs: inputs) { (packet) throws(MediaError) in packets.append(packet) }
    ledger.book("copied", Int64(packets.count))
    // Their own times give way to those of the output, in the same order.
    let shown = packets.compactMap(\.presentationTicks).sorted()
    let ranks = Dictionary(zip(shown, 0..<Int64(shown.count)), uniquingKeysWith: { first, _ in first })
    for packet in packets {
      guard let ticks = packet.presentationTicks, let rank = ranks[ticks] else {
        throw MediaError(.damaged, "cannot copy \(run.name)", path: run.name, reason: "a packet has no time")
      }
      packet.setTimes(presentation: rank, decode: nil, duration: 1, timeBase: timeBase)
      onFrame()
    }
    try place(packets, at: run.frames)
  }

  private func hand(on packets: [Packet], at frames: Range<Int>) throws(MediaError) {
    guard isLengthPrefixed else { return try place(packets, at: frames) }
    try place(
      packets.map { packet in
        let bytes = packet.withBytes { span in span.withUnsafeBufferPointer { Array($0) } }
        let result = Packet(H264ParameterSets.lengthPrefixed(annexB: bytes).span, isKeyframe: packet.isKeyframe, timeBase: timeBase)
        result.presentationTicks = packet.presentationTicks
        return result
      }, at: frames)
  }

  private func place(_ packets: [Packet], at frames: Range<Int>) throws(MediaError) {
    for packet in packets {
      let presentation = (packet.presentationTicks ?? 0) + Int64(frames.lowerBound)
      let decode = order - Int64(reorderDepth)
      guard decode <= presentation else {
        throw MediaError(.bug, "cannot join pieces", reason: "frame \(presentation) is decoded after it is shown")
      }
      packet.setTimes(presentation: presentation, decode: decode, duration: 1, timeBase: timeBase)
      order += 1
    }
    ready += packets
  }
}
