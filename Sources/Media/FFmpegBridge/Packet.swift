import CFFmpeg
import CShims
public import MediaCore
public import Pipeline

/// One compressed unit of one stream. Its bytes are shared and immutable once the packet has been handed on.
public final class Packet: @unchecked Sendable, Weighted {
  let raw: UnsafeMutablePointer<AVPacket>
  /// The unit of `presentationTicks`, `decodeTicks` and `durationTicks`.
  public internal(set) var timeBase: Rational

  /// An empty packet, to be filled by a demuxer or an encoder.
  public init() {
    guard let raw = av_packet_alloc() else { fatalError("out of memory") }
    self.raw = raw
    timeBase = Rational(1)
  }

  deinit {
    var packet: UnsafeMutablePointer<AVPacket>? = raw
    av_packet_free(&packet)
  }

  /// Another reference to the same bytes, with times of its own.
  public func copy() -> Packet {
    let copy = Packet()
    av_packet_ref(copy.raw, raw)
    copy.timeBase = timeBase
    return copy
  }

  /// Drops the contents so that the packet can be filled again.
  public func reset() { av_packet_unref(raw) }

  public var streamIndex: Int {
    get { Int(raw.pointee.stream_index) }
    set { raw.pointee.stream_index = Int32(newValue) }
  }
  public var isKeyframe: Bool { raw.pointee.flags & AV_PKT_FLAG_KEY != 0 }
  /// Decoded for the sake of others but not shown: it lies outside of the edit list.
  public var isDiscarded: Bool { raw.pointee.flags & AV_PKT_FLAG_DISCARD != 0 }
  public var isCorrupt: Bool { raw.pointee.flags & AV_PKT_FLAG_CORRUPT != 0 }
  public var byteCount: Int { Int(raw.pointee.size) }
  /// Byte position in the file; nil when unknown.
  public var position: Int64? { raw.pointee.pos >= 0 ? raw.pointee.pos : nil }

  public var presentationTicks: Int64? {
    get { raw.pointee.pts == rw_no_timestamp ? nil : raw.pointee.pts }
    set { raw.pointee.pts = newValue ?? rw_no_timestamp }
  }
  public var decodeTicks: Int64? {
    get { raw.pointee.dts == rw_no_timestamp ? nil : raw.pointee.dts }
    set { raw.pointee.dts = newValue ?? rw_no_timestamp }
  }
  public var durationTicks: Int64 {
    get { raw.pointee.duration }
    set { raw.pointee.duration = newValue }
  }
  public var mediaDuration: MediaTime { MediaTime(ticks: raw.pointee.duration, timeBase: timeBase) }

  /// Moves both times by `ticks`.
  func delay(by ticks: Int64) {
    if let time = presentationTicks { presentationTicks = time + ticks }
    if let time = decodeTicks { decodeTicks = time + ticks }
  }

  /// Gives `body` the packet's bytes.
  public func withBytes<Result, Failure: Error>(_ body: (Span<UInt8>) throws(Failure) -> Result) throws(Failure) -> Result {
    guard let data = raw.pointee.data else { return try body(Span()) }
    return try body(Span(_unsafeStart: UnsafePointer(data), count: Int(raw.pointee.size)))
  }

  /// Converts all times to another unit.
  public func rescale(to timeBase: Rational) {
    av_packet_rescale_ts(raw, self.timeBase.avRational, timeBase.avRational)
    self.timeBase = timeBase
  }
}
