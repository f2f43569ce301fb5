import CEBUR128
import FFmpegBridge
import MediaCore
import Pipeline

/// Measures sound by EBU R 128 (ITU-R BS.1770-4) with libebur128.
struct LoudnessMeter: ~Copyable {
  private var state: UnsafeMutablePointer<ebur128_state>?

  /// - Throws: `bug` for a rate or channel count that the library does not take.
  init(channels: Int, sampleRate: Int) throws(MediaError) {
    let modes = Int32(EBUR128_MODE_I.rawValue)
    guard let state = ebur128_init(UInt32(channels), UInt(sampleRate), modes) else {
      throw MediaError(.bug, "cannot measure loudness", reason: "\(channels) channels at \(sampleRate) Hz")
    }
    self.state = state
  }

  deinit {
    var state = state
    ebur128_destroy(&state)
  }

  mutating func add(_ block: AudioBlock) {
    var interleaved = [Float](repeating: 0, count: block.sampleCount * block.channels.count)
    for (channel, samples) in block.channels.enumerated() {
      for index in samples.indices { interleaved[index &* block.channels.count &+ channel] = samples[index] }
    }
    ebur128_add_frames_float(state, interleaved, block.sampleCount)
  }

  /// Integrated loudness in LUFS; nil for silence.
  var loudness: Double? {
    var value = 0.0
    guard ebur128_loudness_global(state, &value) == Int32(EBUR128_SUCCESS.rawValue), value.isFinite, value > -70 else { return nil }
    return value
  }
}
