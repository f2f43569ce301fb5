import CFFmpeg
import CShims
public import MediaCore
public import Pipeline

/// A piece of sound: samples (a reference, shared and immutable) and the time of the first one.
public final class AudioFrame: @unchecked Sendable, Weighted {
  let raw: UnsafeMutablePointer<AVFrame>
  /// Presentation time of the first sample; 0 is the start of the file.
  public let time: MediaTime

  init(owning raw: UnsafeMutablePointer<AVFrame>, time: MediaTime) {
    self.raw = raw
    self.time = time
  }

  deinit {
    var frame: UnsafeMutablePointer<AVFrame>? = raw
    av_frame_free(&frame)
  }

  public var sampleCount: Int { Int(raw.pointee.nb_samples) }
  public var sampleRate: Int { Int(raw.pointee.sample_rate) }
  public var channels: Int { Int(raw.pointee.ch_layout.nb_channels) }
  /// FFmpeg's name of the sample format: `"fltp"`, `"s16"` …
  public var sampleFormat: String {
    av_get_sample_fmt_name(AVSampleFormat(raw.pointee.format)).map { String(cString: $0) } ?? "none"
  }
  public var byteCount: Int {
    sampleCount * channels * Int(av_get_bytes_per_sample(AVSampleFormat(raw.pointee.format)))
  }
  public var mediaDuration: MediaTime { MediaTime(Rational(Int64(sampleCount), Int64(max(1, sampleRate)))) }
  public var isDamaged: Bool { raw.pointee.decode_error_flags != 0 || raw.pointee.flags & AV_FRAME_FLAG_CORRUPT != 0 }
}

/// Sound as the mixer wants it: 32-bit float samples of each channel, one array a channel, at a known rate.
public struct AudioBlock: Sendable, Weighted {
  /// One array for each channel, all of one length; nominal range -1...1.
  public var channels: [[Float]]
  public var sampleRate: Int
  /// Position of the first sample on the stage's own timeline, in samples.
  public var start: Int64

  public init(channels: [[Float]], sampleRate: Int, start: Int64) {
    self.channels = channels
    self.sampleRate = sampleRate
    self.start = start
  }

  /// Silence.
  public init(silence count: Int, channels: Int, sampleRate: Int, start: Int64) {
    self.init(channels: Array(repeating: Array(repeating: 0, count: count), count: channels), sampleRate: sampleRate, start: start)
  }

  public var sampleCount: Int { channels.first?.count ?? 0 }
  public var end: Int64 { start + Int64(sampleCount) }
  public var byteCount: Int { sampleCount * channels.count * 4 }
  public var mediaDuration: MediaTime { MediaTime(Rational(Int64(sampleCount), Int64(max(1, sampleRate)))) }
}

extension AudioFrame {
  /// The same samples at another time.
  convenience init(_ frame: AudioFrame, at time: MediaTime) {
    self.init(owning: VideoFrame.reference(frame.raw), time: time)
  }
}
