import FFmpegBridge
import Glibc
import MediaCore
import Pipeline

/// One sound on the output timeline: where it lies, how loud it is, how it comes and goes. Positions in samples.
final class AudioTrack {
  /// Where it can be heard, half-open.
  let span: Range<Int64>
  /// Linear gain.
  private let gain: Float
  /// Lengths of the fades at its ends; equal power, so that two that cross keep the loudness.
  private let fadeIn: Int64
  private let fadeOut: Int64
  private let loops: Bool
  let isVoice: Bool
  /// Gain while a voice speaks, as a part of `gain`.
  let duckedGain: Float
  private let reopen: () throws(MediaError) -> any Source<AudioBlock>
  private var source: (any Source<AudioBlock>)?
  private let passLength: Int64?
  private var held: AudioBlock?
  /// Where the current pass through the source began.
  private var origin: Int64
  private var isExhausted = false
  private var produced = false

  init(
    span: Range<Int64>, decibels: Double, fadeIn: Int64 = 0, fadeOut: Int64 = 0, loops: Bool = false, isVoice: Bool = false,
    duckDecibels: Double = 0, passLength: Int64? = nil, reopen: @escaping () throws(MediaError) -> any Source<AudioBlock>
  ) {
    self.passLength = passLength
    self.span = span
    gain = Float(pow(10, decibels / 20))
    self.fadeIn = fadeIn
    self.fadeOut = fadeOut
    self.loops = loops
    self.isVoice = isVoice
    duckedGain = Float(pow(10, -abs(duckDecibels) / 20))
    self.reopen = reopen
    origin = span.lowerBound
  }

  /// Adds what is heard in `range` to `mix` (one array a channel, `range.count` long). `duck` scales each sample.
  /// Ranges must be asked for in order.
  func add(_ range: Range<Int64>, to mix: inout [[Float]], duck: [Float]?) throws(MediaError) {
    let part = range.clamped(to: span)
    guard !part.isEmpty else {
      if range.lowerBound >= span.upperBound { source = nil }
      return
    }
    var position = part.lowerBound
    while position < part.upperBound {
      guard let block = try block(at: position) else { return }
      let start = max(origin + block.start, position)
      let end = min(origin + block.end, part.upperBound)
      if end > start {
        for channel in mix.indices {
          for sample in start..<end {
            var value = block.channels[channel][Int(sample - origin - block.start)] * gain * envelope(sample)
            if let duck { value *= duck[Int(sample - range.lowerBound)] }
            mix[channel][Int(sample - range.lowerBound)] += value
          }
        }
      }
      position = max(end, position)
      if origin + block.end <= position { held = nil }
      if end <= start && origin + block.start >= part.upperBound { return }
    }
  }

  /// The block that covers `position` or the first one after it; nil when the sound is over.
  private func block(at position: Int64) throws(MediaError) -> AudioBlock? {
    while !isExhausted {
      if let held, origin + held.end > position { return held }
      held = nil
      if source == nil { source = try reopen() }
      if let next = try source!.next() {
        produced = true
        held = next
      } else if loops && produced {
        source = nil
        produced = false
        origin = passLength.map { max(origin + $0, position) } ?? position
      } else {
        isExhausted = true
      }
    }
    return nil
  }

  private func envelope(_ sample: Int64) -> Float {
    var value: Float = 1
    if fadeIn > 0, sample < span.lowerBound + fadeIn {
      value *= sinf(Float(sample - span.lowerBound) / Float(fadeIn) * .pi / 2)
    }
    if fadeOut > 0, sample >= span.upperBound - fadeOut {
      value *= sinf(Float(span.upperBound - sample) / Float(fadeOut) * .pi / 2)
    }
    return value
  }
}
