import CFFmpeg
public import FileAccess
public import MediaCore
public import Pipeline

/// The pictures of one video stream in presentation order, optionally of a part of it.
///
/// Opens the file for itself, so that pictures and sound of one file can be pulled independently without a queue that
/// could fill up with the wrong kind. Times start at 0 with the part. Use on one thread at a time.
public final class VideoDecodeSource: Source {
  public let stream: StreamInfo
  public let environment: MediaEnvironment
  private var demuxer: Demuxer
  private var decoder: Decoder
  private let packet = Packet()
  private let range: TimeRange
  /// Where the first picture is wanted, on the file's timeline.
  private let wantedStart: MediaTime
  private let ledger: Ledger?
  private var isDraining = false
  private var isEnded = false
  private var isSeeking: Bool
  /// Whether pictures that no other needs may be left undecoded well before the first one that is wanted.
  private let passesOver: Bool
  /// The last picture before the part, which is still shown when the part starts.
  private var earlier: VideoFrame?
  private var lastEnd = MediaTime.zero
  private var frameCount: Int64 = 0
  /// In a stream without a container: where the packet of the furthest picture lies, whether that picture is whole, and how many
  /// packets had failed before the last one.
  private var furthest: (position: Int64, isDamaged: Bool) = (-1, false)
  private var earlierFailures: Int64 = 0
  private var damagedCount = 0

  /// - Parameters:
  ///   - index: the stream; nil takes the first video stream that is no attached picture.
  ///   - range: which part; the frame that is shown at its start comes first, at time 0.
  ///   - ledger: where frames are booked: `"decoded"`, `"outsideTrim"`.
  /// - Throws: `damaged` when the file has no video.
  public convenience init(
    _ input: InputFile, stream index: Int? = nil, range: TimeRange = TimeRange(), environment: MediaEnvironment, ledger: Ledger? = nil,
    threads: Int? = nil
  ) throws(MediaError) {
    try self.init(
      input, stream: index, range: range, skipping: .zero, environment: environment, ledger: ledger, threads: threads)
  }

  /// The same, without the first pictures.
  ///
  /// - Parameter skipped: how much of the part to pass over: the first picture is the one on show then, and times still count from the
  ///   part's start.
  public init(
    _ input: InputFile, stream index: Int? = nil, range: TimeRange, skipping skipped: MediaTime, environment: MediaEnvironment,
    ledger: Ledger? = nil, threads: Int? = nil
  ) throws(MediaError) {
    var demuxer = try Demuxer(input, environment: environment)
    guard let stream = index.map({ demuxer.streams[$0] }) ?? demuxer.streams.first(where: { $0.kind == .video }) else {
      throw MediaError(.damaged, "cannot read \(input.displayName)", path: input.displayName, reason: "it has no video")
    }
    demuxer.select([stream.index])
    // Frame threads do not say which picture was concealed, and of these streams the last one tells whether they were cut short.
    let isBare = Demuxer.bareFormats.contains(demuxer.format)
    decoder = try Decoder(stream, of: demuxer, environment: environment, threads: isBare ? 1 : threads)
    isSeeking = false
    wantedStart = range.start + skipped
    // At a constant rate the picture on show half a second later cannot be one of them.
    passesOver =
      wantedStart.seconds.isPositive && stream.averageFrameRate == stream.nominalFrameRate && stream.averageFrameRate > Rational(4)
    if wantedStart.seconds.isPositive && demuxer.indexCount(of: stream.index) > 1 {
      // A little early: the frame shown at the start may begin before it.
      let target = wantedStart + demuxer.startTime
      isSeeking = (try? demuxer.seek(stream: stream.index, ticks: target.ticksRoundedDown(in: stream.timeBase))) != nil
    }
    self.demuxer = demuxer
    self.stream = stream
    self.range = range
    self.environment = environment
    self.ledger = ledger
  }

  /// Bytes read from the file so far.
  public var bytesRead: Int64 { demuxer.bytesRead }

  public func next() throws(MediaError) -> VideoFrame? {
    while !isEnded {
      guard let frame = try decodeNext() else {
        isEnded = true
        if let last = takeEarlier() { return last }
        break
      }
      // A seek that landed behind the start (an index that lies): read from the beginning instead.
      if isSeeking && frame.time > wantedStart && earlier == nil {
        isSeeking = false
        try demuxer.rewind()
        decoder.flush()
        continue
      }
      isSeeking = false
      if let end = range.end, frame.time >= end {
        isEnded = true
        ledger?.book("outsideTrim")
        if let last = takeEarlier() { return last }
        break
      }
      if frame.time < wantedStart {
        if earlier != nil { ledger?.book("outsideTrim") }
        earlier = frame
        continue
      }
      if frame.time > wantedStart, let first = takeEarlier() {
        pending = frame
        return first
      }
      return shifted(frame)
    }
    return nil
  }

  private var pending: VideoFrame?

  private func shifted(_ frame: VideoFrame) -> VideoFrame {
    if earlier != nil {
      ledger?.book("outsideTrim")
      earlier = nil
    }
    return range.start == .zero ? frame : frame.at(frame.time - range.start)
  }

  /// The frame that is on show when the part starts, moved to 0; nil when the part starts with a frame of its own.
  private func takeEarlier() -> VideoFrame? {
    guard let frame = earlier else { return nil }
    earlier = nil
    if frame.time > range.start { return frame.at(frame.time - range.start) }
    // A frame that ended before the part starts is shown in it only when nothing else follows within it.
    return frame.at(.zero, duration: max(frame.time + frame.duration - range.start, .zero))
  }

  private func send() throws(MediaError) {
    if passesOver {
      let isEarly = demuxer.time(of: packet).map { $0 + MediaTime(Rational(1, 2)) < wantedStart } ?? false
      decoder.skip(isEarly ? .nonReference : .nothing)
    }
    earlierFailures = decoder.failureCount
    try decoder.send(packet)
  }

  /// A bare stream states neither its size nor its end; that its last picture is broken off is all that can be known.
  private func noteEnd() {
    // Where more is damaged, the last picture says nothing of the end.
    let isBroken = furthest.isDamaged ? decoder.failureCount == 0 && damagedCount == 1 : damagedCount == 0 && earlierFailures == 0
    guard Demuxer.bareFormats.contains(demuxer.format), isBroken, furthest.isDamaged || decoder.failureCount > 0 else { return }
    environment.damage.noteIncomplete("it ends within its last picture")
  }

  private func decodeNext() throws(MediaError) -> VideoFrame? {
    if let frame = pending {
      pending = nil
      return frame
    }
    while true {
      try environment.cancellation.check("decoding \(demuxer.input.displayName)")
      switch try decoder.receiveVideo() {
      case .frame(let frame):
        frameCount += 1
        if frame.isDamaged { damagedCount += 1 }
        let position = frame.raw.pointee.pkt_pos
        if position >= furthest.position { furthest = (position, frame.isDamaged) }
        ledger?.book("decoded")
        environment.use?.addFrame()
        if frameCount > environment.limits.frames {
          throw environment.limits.refusal(
            "cannot read \(demuxer.input.displayName)", path: demuxer.input.displayName, name: "frames", found: frameCount, of: "frames")
        }
        try environment.checkDuration(frame.time, of: demuxer.input)
        return frame
      case .end:
        noteEnd()
        return nil
      case .needsInput:
        if isDraining { return nil }
        if try demuxer.read(into: packet) {
          if packet.streamIndex == stream.index { try send() }
        } else {
          isDraining = true
          try decoder.send(nil)
        }
      }
    }
  }
}
