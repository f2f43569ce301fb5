/// Upper bounds that keep a hostile or absurd input from taking the machine. Each is an option
/// (`--limit NAME=VALUE`); a refusal names the limit, the value found and the option.
public struct Limits: Hashable, Sendable, Codable {
  /// Pixels in one frame. Default 8192 × 8192.
  public var pixelsPerFrame: Int64 = 67_108_864
  /// Streams in one file. Default 64.
  public var streams: Int64 = 64
  /// Video frames read from one input. Default 4 million (37 hours at 30 fps).
  public var frames: Int64 = 4_000_000
  /// Declared or observed duration of one input in seconds. Default 24 hours.
  public var durationSeconds: Int64 = 86_400
  /// Bytes the demuxer may read to find out what a file is. Default 32 MiB.
  public var probeBytes: Int64 = 33_554_432
  /// Entries of a container's sample tables. Default 10 million (a day of picture and sound); each takes 24 bytes of memory.
  public var samples: Int64 = 10_000_000
  /// Address space of the worker process in MiB. Default 8192.
  public var memoryMebibytes: Int64 = 8192
  /// Wall-clock seconds of one task. Default 6 hours.
  public var wallSeconds: Int64 = 21_600
  /// Bytes of one input file. Default 1 TiB.
  public var inputBytes: Int64 = 1_099_511_627_776
  /// Bytes of one output. Default 64 GiB.
  public var outputBytes: Int64 = 68_719_476_736

  public init() {}

  /// The name of every limit as it stands in options and refusals, with its place.
  public static let all: [(name: String, path: any WritableKeyPath<Limits, Int64> & Sendable)] = [
    ("pixels", \.pixelsPerFrame), ("streams", \.streams), ("frames", \.frames),
    ("duration", \.durationSeconds), ("probe-bytes", \.probeBytes), ("samples", \.samples),
    ("memory", \.memoryMebibytes), ("wall", \.wallSeconds), ("input-bytes", \.inputBytes), ("output-bytes", \.outputBytes),
  ]

  /// The refusal of a value above the limit called `name`.
  public func refusal(_ operation: String, path: String? = nil, name: String, found: Int64, of unit: String) -> MediaError {
    let bound: Int64 = Limits.all.first { $0.name == name }.map { self[keyPath: $0.path] } ?? 0
    return MediaError(
      .refused, operation, path: path, reason: "\(found) \(unit) exceed the limit \(name)=\(bound)",
      advice: "raise it with --limit \(name)=\(found) if you trust this file")
  }
}
