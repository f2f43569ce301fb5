public import FFmpegBridge
import Glibc
public import MediaCore
public import Pipeline

/// What the first of two passes left for the second.
struct LearntStatistics {
  let place: StatisticsPlace
  let statistics: [UInt8]
}

extension MediaWriter {
  /// The first of two passes: encodes `video` for what the encoder learns of it; nothing is kept of what comes out. `write` is the second
  /// pass then, and must be given the same pictures.
  ///
  /// - Throws: `refused` when the statistics of a sealed process would take too much memory; whatever the source and the encoder report.
  public mutating func learn(from video: any Source<VideoFrame>) throws(MediaError) {
    // Without a picture the second pass has nothing to write, either, and says so.
    guard let first = try video.next() else { return }
    var encoding = encoding(of: first)
    try checkMemory(encoding)
    let place = try StatisticsPlace(environment)
    encoding.pass = .first(path: place.path)
    let (meter, total) = (meter, expectedDuration?.doubleValue)
    let source = try VideoEncodeSource(
      first: first, rest: video, settings: encoding, keyframes: keyframes, ledger: Ledger(), environment: environment,
      onFrame: { time in meter?.advance(fraction: total.flatMap { $0 > 0 ? min(1, time.doubleValue / $0) : nil }) })
    while try source.next() != nil { try environment.cancellation.check("learning from the pictures") }
    learnt = LearntStatistics(place: place, statistics: source.statistics)
    meter?.finish()
  }

  /// What the statistics of a sealed process may take, in bytes.
  static let statisticsLimit: Int64 = 1 << 30

  /// x264 and x265 keep two bytes for each block of 16x16 samples of every picture.
  private func checkMemory(_ encoding: Encoder.VideoSettings) throws(MediaError) {
    guard environment.statisticsPath != nil else { return }
    guard let seconds = expectedDuration?.doubleValue else {
      throw MediaError(
        .refused, "cannot encode in two passes",
        reason: "the input does not say how long it is, nor so how much memory the statistics take",
        advice: "use --isolation none, which keeps them in files, or one pass")
    }
    let rate = frameRate.isPositive ? frameRate : typicalFrameRate.isPositive ? typicalFrameRate : Rational(30)
    let blocks = Int64((encoding.size.width + 15) / 16) * Int64((encoding.size.height + 15) / 16)
    let bytes = Double(blocks * 2) * seconds * rate.doubleValue
    guard bytes > Double(MediaWriter.statisticsLimit) else { return }
    throw MediaError(
      .refused, "cannot encode in two passes",
      reason: "the statistics of \(Int(seconds)) s would take about \(Int(bytes) >> 20) MiB of memory; at most "
        + "\(MediaWriter.statisticsLimit >> 20) are allowed in an isolated process",
      advice: "use --isolation none, which keeps them in files, or one pass")
  }
}

/// Where the encoders of two passes keep their statistics: what the environment offers, or a folder of its own, which is removed with it.
final class StatisticsPlace {
  /// What the names of the statistics begin with.
  let path: String
  private let folder: String?

  init(_ environment: MediaEnvironment) throws(MediaError) {
    if let path = environment.statisticsPath {
      (self.path, folder) = (path, nil)
      return
    }
    let parent = getenv("TMPDIR").map { String(cString: $0) }.flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/tmp"
    // Encoders take the path among options that are parted by colons.
    guard !parent.contains(where: { ":'\\=".contains($0) }) else {
      throw MediaError(
        .io, "cannot encode in two passes", path: parent, reason: "the name of the folder for temporary files holds one of : ' = \\",
        advice: "set TMPDIR to another folder")
    }
    var template = Array("\(parent)/reelwright-passes-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw MediaError(
        .io, "cannot encode in two passes", reason: "no folder can be made in \(parent): \(String(cString: strerror(errno)))",
        advice: "set TMPDIR to a folder that can be written")
    }
    let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    (path, self.folder) = (folder + "/statistics", folder)
  }

  deinit {
    guard let folder else { return }
    for suffix in ["", ".temp", ".mbtree", ".mbtree.temp", ".cutree", ".cutree.temp"] { unlink(path + suffix) }
    rmdir(folder)
  }
}
