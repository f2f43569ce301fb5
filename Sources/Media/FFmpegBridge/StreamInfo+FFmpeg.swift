import CFFmpeg
import CShims
import MediaCore

extension StreamInfo {
  init(_ stream: UnsafeMutablePointer<AVStream>, of context: UnsafeMutablePointer<AVFormatContext>) {
    let p = stream.pointee.codecpar.pointee
    index = Int(stream.pointee.index)
    let timeBase = Rational(stream.pointee.time_base)
    self.timeBase = timeBase
    if stream.pointee.disposition & AV_DISPOSITION_ATTACHED_PIC != 0 {
      kind = .attachedPicture
    } else {
      switch p.codec_type {
      case AVMEDIA_TYPE_VIDEO: kind = .video
      case AVMEDIA_TYPE_AUDIO: kind = .audio
      case AVMEDIA_TYPE_SUBTITLE: kind = .subtitle
      case AVMEDIA_TYPE_ATTACHMENT: kind = .attachment
      default: kind = .data
      }
    }
    codec = p.codec_id == AV_CODEC_ID_NONE ? "none" : String(cString: avcodec_get_name(p.codec_id))
    profile = avcodec_profile_name(p.codec_id, p.profile).map { String(cString: $0) }
    func time(_ ticks: Int64) -> MediaTime? { ticks == rw_no_timestamp ? nil : MediaTime(ticks: ticks, timeBase: timeBase) }
    startTime = time(stream.pointee.start_time)
    duration = time(stream.pointee.duration)
    declaredFrameCount = max(0, stream.pointee.nb_frames)
    bitRate = p.bit_rate
    func tag(_ key: String) -> String? {
      av_dict_get(stream.pointee.metadata, key, nil, 0).map { String(cString: $0.pointee.value) }
    }
    language = tag("language").flatMap { $0 == "und" ? nil : $0 }
    title = tag("title")
    isDefault = stream.pointee.disposition & AV_DISPOSITION_DEFAULT != 0
    isForced = stream.pointee.disposition & AV_DISPOSITION_FORCED != 0

    size = FrameSize(Int(p.width), Int(p.height))
    let sar = Rational(av_guess_sample_aspect_ratio(context, stream, nil))
    sampleAspectRatio = sar.isPositive ? sar : Rational(1)
    averageFrameRate = Rational(stream.pointee.avg_frame_rate)
    nominalFrameRate = Rational(stream.pointee.r_frame_rate)
    let isVideo = p.codec_type == AVMEDIA_TYPE_VIDEO
    let format = PixelFormat(AVPixelFormat(p.format))
    pixelFormat = isVideo && format.isKnown ? format : nil
    color = ColorTags(
      matrix: .init(rawValue: Int32(p.color_space.rawValue)), range: .init(rawValue: Int32(p.color_range.rawValue)) ?? .unspecified,
      primaries: .init(rawValue: Int32(p.color_primaries.rawValue)), transfer: .init(rawValue: Int32(p.color_trc.rawValue)),
      chromaLocation: .init(rawValue: Int32(p.chroma_location.rawValue)) ?? .unspecified)
    orientation = isVideo ? StreamInfo.orientation(of: stream) : .upright
    switch p.field_order {
    case AV_FIELD_PROGRESSIVE: fieldOrder = .progressive
    case AV_FIELD_TT, AV_FIELD_TB: fieldOrder = .topFirst
    case AV_FIELD_BB, AV_FIELD_BT: fieldOrder = .bottomFirst
    default: fieldOrder = .unknown
    }
    reorderDepth = Int(p.video_delay)

    sampleRate = Int(p.sample_rate)
    channels = Int(p.ch_layout.nb_channels)
    var layout = p.ch_layout
    channelLayout = p.codec_type == AVMEDIA_TYPE_AUDIO ? ChannelLayout.name(&layout) : nil
    sampleFormat =
      p.codec_type == AVMEDIA_TYPE_AUDIO ? av_get_sample_fmt_name(AVSampleFormat(p.format)).map { String(cString: $0) } : nil
    parameters = CodecParameters(copying: stream.pointee.codecpar)
    sideData = (0..<Int(stream.pointee.nb_side_data)).compactMap { index in
      let entry = stream.pointee.side_data[index]
      guard let data = entry.data, entry.size > 0 else { return nil }
      return (entry.type.rawValue, Array(UnsafeBufferPointer(start: data, count: Int(entry.size))))
    }
    disposition = stream.pointee.disposition
    statesAspect = Rational(stream.pointee.sample_aspect_ratio).isPositive
    metadata = Demuxer.dictionary(stream.pointee.metadata)
  }

  private static func orientation(of stream: UnsafeMutablePointer<AVStream>) -> Orientation {
    var size = 0
    guard let data = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size), size >= 36 else { return .upright }
    return data.withMemoryRebound(to: Int32.self, capacity: 9) { Orientation(displayMatrix: $0) }
  }
}

enum ChannelLayout {
  static func name(_ layout: inout AVChannelLayout) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
      av_channel_layout_describe(&layout, buffer.baseAddress!, buffer.count) >= 0 ? String(cString: buffer.baseAddress!) : nil
    }
  }
}

extension Orientation {
  /// The 3×3 display matrix of this orientation in 16.16, without translation (players place the picture anyway).
  var displayMatrix: [Int32] {
    let one: Int32 = 1 << 16
    // Images of the x and the y axis under clockwise turns; a mirror turns the x axis round first.
    let axes: [(Int32, Int32)] = [(1, 0), (0, 1), (-1, 0), (0, -1)]
    let x = axes[quarterTurns]
    let y = axes[(quarterTurns + 1) % 4]
    let sign: Int32 = mirrored ? -1 : 1
    return [sign * x.0 * one, sign * x.1 * one, 0, y.0 * one, y.1 * one, 0, 0, 0, 1 << 30]
  }

  /// From a 3×3 display matrix in 16.16 (ISO/IEC 14496-12, 8.3.2). Turns that are no multiple of 90° are rounded to one.
  init(displayMatrix m: UnsafePointer<Int32>) {
    let (a, b, c, d) = (Double(m[0]), Double(m[1]), Double(m[3]), Double(m[4]))
    let mirrored = a * d - b * c < 0
    // The image of the x axis; mirrored pictures have it turned round before the rotation.
    let (x, y) = mirrored ? (-a, -b) : (a, b)
    guard x != 0 || y != 0 else {
      self = .upright
      return
    }
    let turns: Int = abs(x) >= abs(y) ? (x > 0 ? 0 : 2) : (y > 0 ? 1 : 3)
    self.init(quarterTurns: turns, mirrored: mirrored)
  }
}
