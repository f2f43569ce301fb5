public import Composition
public import FFmpegBridge
import MediaCore
import Watermark

/// What a run did: the JSON that `--report` writes and sidecars hold.
public struct TaskReport: Codable, Sendable {
  public var schema = 1
  public var task: String
  public var inputs: [Input] = []
  public var outputs: [Output] = []
  public var warnings: [String] = []
  /// Frames by what became of them: decoded, encoded, repeated …
  public var frames: [String: Int64] = [:]
  /// What the isolation of the worker was; nil when the task ran in the caller's process.
  public var isolation: [String: String]?
  public var timings = Timings()
  /// Of a render: how each piece of the output was made.
  public var segments: [RenderPlan.Segment]?
  /// Of a render: why what could have been copied was encoded.
  public var notes: [String]?
  /// The mark that was put in; nil where none was asked for.
  public var watermark: Mark?

  public struct Mark: Codable, Sendable {
    /// 16 hex digits.
    public var id: String
    /// 8 hex digits.
    public var keyId: String
    public var pictures: Int
    /// Luma PSNR in dB of the change before encoding, over all pictures and for the worst.
    public var meanPSNR: Double?
    public var worstPSNR: Double?

    init(_ id: WatermarkID, _ key: WatermarkKeyID, _ statistics: MarkEmbedder.Statistics) {
      self.id = id.description
      keyId = key.description
      pictures = statistics.pictures
      meanPSNR = statistics.meanPSNR
      worstPSNR = statistics.worstPSNR
    }
  }

  public struct Input: Codable, Sendable {
    public var file: String
    public var bytes: Int64
    public var bytesRead: Int64
    public var framesDecoded: Int64
    /// Damage that was met, by kind.
    public var damage: [DamageLog.Entry] = []
    /// Why the input is thought to be cut short; empty when it is whole.
    public var incomplete: [String] = []
    /// What FFmpeg logged as errors about it.
    public var messages: [String] = []
  }

  public struct Output: Codable, Sendable {
    public var file: String
    public var bytes: Int64
    public var frames: Int64
    public var durationSeconds: Double
    public var width: Int?
    public var height: Int?
    public var videoCodec: String?
    public var audioCodec: String?
    public var audioSamples: Int64
  }

  public struct Timings: Codable, Sendable {
    public var wallSeconds: Double = 0
    public var cpuSeconds: Double = 0
  }

  public init(task: String) { self.task = task }

  /// Whether any input was damaged.
  public var isDamaged: Bool { inputs.contains { !$0.damage.isEmpty || !$0.messages.isEmpty } }
}
