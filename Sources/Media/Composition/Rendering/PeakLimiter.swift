import FFmpegBridge
import Glibc
import MediaCore
import Pipeline

/// Applies a gain and keeps peaks under a ceiling: looks 5 ms ahead, so that the gain is down before a peak comes.
///
/// The needed gain of each sample is the least within the look-ahead, smoothed over the same span by a mean, which can
/// not rise above it at the peak; it recovers within 100 ms. The output is not delayed and has the length of the input.
final class PeakLimiter: Source {
  private let upstream: any Source<AudioBlock>
  private let gain: Float
  private let ceiling: Float
  private let ahead: Int
  private let release: Float
  private let sampleRate: Int
  private let blockLength = 1024
  private var pending: [[Float]]
  private var needed: [Float] = []
  /// How many of `needed` are below 1.
  private var reductions = 0
  private var held: Float = 1
  private var window: [Float]
  private var windowSum: Double
  private var windowIndex = 0
  private var position: Int64 = 0
  private var isEnded = false

  /// - Parameters:
  ///   - gain: linear.
  ///   - ceiling: linear sample peak.
  init(_ upstream: any Source<AudioBlock>, gain: Double, ceiling: Double, channels: Int, sampleRate: Int) {
    self.upstream = upstream
    self.gain = Float(gain)
    self.ceiling = Float(ceiling)
    self.sampleRate = sampleRate
    ahead = sampleRate / 200
    release = 1 - expf(-1 / (0.1 * Float(sampleRate)))
    pending = Array(repeating: [], count: channels)
    window = Array(repeating: 1, count: sampleRate / 200)
    windowSum = Double(sampleRate / 200)
  }

  func next() throws(MediaError) -> AudioBlock? {
    while !isEnded && pending[0].count < blockLength + ahead {
      guard let block = try upstream.next() else {
        isEnded = true
        break
      }
      for (channel, samples) in block.channels.enumerated() { pending[channel] += samples.map { $0 * gain } }
      for index in 0..<block.sampleCount {
        let peak = block.channels.reduce(Float(0)) { max($0, abs($1[index] * gain)) }
        needed.append(peak > ceiling ? ceiling / peak : 1)
        if peak > ceiling { reductions += 1 }
      }
    }
    let count = min(blockLength, isEnded ? pending[0].count : pending[0].count - ahead)
    guard count > 0 else { return nil }
    var channels = pending.map { Array($0.prefix(count)) }
    for index in 0..<count {
      let envelope = envelope(at: index)
      for channel in channels.indices { channels[channel][index] = max(-ceiling, min(ceiling, channels[channel][index] * envelope)) }
    }
    for channel in pending.indices { pending[channel].removeFirst(count) }
    for value in needed.prefix(count) where value < 1 { reductions -= 1 }
    needed.removeFirst(count)
    defer { position += Int64(count) }
    return AudioBlock(channels: channels, sampleRate: sampleRate, start: position)
  }

  private func envelope(at index: Int) -> Float {
    var least: Float = 1
    // Peaks are rare: without one in sight there is nothing to look for.
    if reductions > 0 {
      for value in needed[index..<min(needed.count, index + ahead)] where value < least { least = value }
    }
    held = least < held ? least : held + (least - held) * release
    windowSum += Double(held - window[windowIndex])
    window[windowIndex] = held
    windowIndex = (windowIndex + 1) % window.count
    return Float(windowSum / Double(window.count))
  }
}
