import FFmpegBridge
import Glibc
import MediaCore
import Pipeline

/// The sound of a document: clips, voice and music mixed to stereo over the whole timeline, sample-exact in length.
final class AudioMixSource: Source {
  private let tracks: [AudioTrack]
  private let sampleRate: Int
  private let total: Int64
  private var position: Int64 = 0
  private var duckLevel: Float = 0
  private let cancellation: Cancellation
  private static let blockLength: Int64 = 1024

  private init(tracks: [AudioTrack], sampleRate: Int, total: Int64, cancellation: Cancellation) {
    self.tracks = tracks
    self.sampleRate = sampleRate
    self.total = total
    self.cancellation = cancellation
  }

  /// Nil when the document has no sound at all.
  static func make(
    _ document: ReelDocument, timeline: Timeline, inputs: RenderInputs, sampleRate: Int, cancellation: Cancellation
  ) throws(MediaError) -> AudioMixSource? {
    var tracks: [AudioTrack] = []
    let unit = Rational(1, Int64(sampleRate))
    func samples(_ frame: Int) -> Int64 { timeline.time(ofFrame: frame).ticks(in: unit) }
    for (index, placed) in timeline.clips.enumerated() where placed.isAudible {
      guard let reference = placed.clip.reference else { continue }
      let entry = try inputs.entry(reference)
      let before = timeline.joins.first { $0.incoming == index }
      let after = timeline.joins.first { $0.outgoing == index }
      let range = TimeRange(
        start: entry.firstPicture + placed.sourceStart, end: placed.sourceEnd.map { entry.firstPicture + $0 })
      let decibels = (document.audio.clips ?? .zero) + (placed.clip.volume ?? .zero)
      tracks.append(
        AudioTrack(
          span: samples(placed.frames.lowerBound)..<samples(placed.frames.upperBound), decibels: decibels.doubleValue,
          fadeIn: before.map { samples($0.frames.upperBound) - samples($0.frames.lowerBound) } ?? 0,
          fadeOut: after.map { samples($0.frames.upperBound) - samples($0.frames.lowerBound) } ?? 0,
          reopen: { () throws(MediaError) in
            try open(entry, stream: entry.audio?.index, range: range, speed: placed.clip.speed, sampleRate: sampleRate)
          }))
    }
    for layer in timeline.layers where layer.isAudible {
      guard let reference = layer.overlay.reference else { continue }
      let entry = try inputs.entry(reference)
      guard let stream = entry.audio else { continue }
      let range = TimeRange(
        start: entry.firstPicture + layer.source.start, end: layer.source.end.map { entry.firstPicture + $0 })
      let speed = layer.overlay.speed
      let pass = range.duration.map { MediaTime($0.seconds / speed).ticks(in: unit) }
      tracks.append(
        AudioTrack(
          span: samples(layer.frames.lowerBound)..<samples(layer.frames.upperBound),
          decibels: layer.overlay.volume?.doubleValue ?? 0, fadeIn: layer.overlay.fadeIn.ticks(in: unit),
          fadeOut: layer.overlay.fadeOut.ticks(in: unit), loops: layer.overlay.loop, passLength: pass,
          reopen: { () throws(MediaError) in
            try open(entry, stream: stream.index, range: range, speed: speed, sampleRate: sampleRate)
          }))
    }
    let total = samples(timeline.frameCount)
    for (track, isVoice) in document.audio.voice.map({ ($0, true) }) + document.audio.music.map({ ($0, false) }) {
      let entry = try inputs.entry(track.file)
      guard let stream = entry.audio else {
        throw MediaError(.damaged, "cannot use \(track.file.name)", path: track.file.name, reason: "it has no sound")
      }
      let range = TimeRange(start: track.trimStart, end: track.trimEnd)
      let start = track.from.ticks(in: unit)
      var end = min(total, track.to?.ticks(in: unit) ?? total)
      let length = (track.trimEnd ?? stream.duration ?? MediaTime(seconds: 86400)) - track.trimStart
      if !track.loop { end = min(end, start + length.ticks(in: unit)) }
      guard end > start else { continue }
      tracks.append(
        AudioTrack(
          span: start..<end, decibels: track.volume.doubleValue, fadeIn: track.fadeIn.ticks(in: unit),
          fadeOut: track.fadeOut.ticks(in: unit), loops: track.loop, isVoice: isVoice, duckDecibels: track.duck.doubleValue,
          reopen: { () throws(MediaError) in
            try open(entry, stream: stream.index, range: range, speed: Rational(1), sampleRate: sampleRate)
          }))
    }
    guard !tracks.isEmpty else { return nil }
    return AudioMixSource(tracks: tracks, sampleRate: sampleRate, total: total, cancellation: cancellation)
  }

  /// A part of a file's sound, at its own pitch whatever the speed.
  private static func open(
    _ entry: RenderInputs.Entry, stream: Int?, range: TimeRange, speed: Rational, sampleRate: Int
  ) throws(MediaError) -> any Source<AudioBlock> {
    let source = try AudioDecodeSource(
      entry.input, stream: stream, range: range, sampleRate: sampleRate, environment: entry.environment)
    return speed == Rational(1) ? source : AudioTempoSource(source, speed: speed, environment: entry.environment)
  }

  func next() throws(MediaError) -> AudioBlock? {
    guard position < total else { return nil }
    try cancellation.check("mixing sound")
    let range = position..<min(total, position + AudioMixSource.blockLength)
    var mix = [[Float]](repeating: [Float](repeating: 0, count: range.count), count: 2)
    for track in tracks where track.isVoice { try track.add(range, to: &mix, duck: nil) }
    let voice = tracks.contains { $0.isVoice } ? speech(mix[0], mix[1]) : nil
    for track in tracks where !track.isVoice {
      let duck = voice.map { voice in voice.map { 1 + (track.duckedGain - 1) * $0 } }
      try track.add(range, to: &mix, duck: track.duckedGain < 1 ? duck : nil)
    }
    position = range.upperBound
    return AudioBlock(channels: mix, sampleRate: sampleRate, start: range.lowerBound)
  }

  /// How much a voice is speaking, 0...1 for each sample: rises within 50 ms, falls within 500 ms.
  private func speech(_ left: [Float], _ right: [Float]) -> [Float] {
    let rise = 1 - expf(-1 / (0.05 * Float(sampleRate)))
    let fall = 1 - expf(-1 / (0.5 * Float(sampleRate)))
    return zip(left, right).map { a, b in
      let target: Float = max(abs(a), abs(b)) > 0.02 ? 1 : 0
      duckLevel += (target - duckLevel) * (target > duckLevel ? rise : fall)
      return duckLevel
    }
  }
}
