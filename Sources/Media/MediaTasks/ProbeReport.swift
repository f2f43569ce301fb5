/// What `reel probe` says of files; its JSON form is part of the command contract.
public struct ProbeReport: Codable, Sendable {
  public var schema = 1
  public var files: [File]

  public init(files: [File]) { self.files = files }

  public struct File: Codable, Sendable {
    public var file: String
    public var format: String?
    public var durationSeconds: Double?
    public var bytes: Int64
    public var video: [Video] = []
    public var audio: [Audio] = []
    /// Other streams: subtitles, data, attachments, attached pictures.
    public var other: [Other] = []
    public var chapters: [Chapter] = []
    public var title: String?
    /// What is unusual or wrong with the file, in plain words.
    public var problems: [String] = []
    public var error: Failure?
  }

  public struct Failure: Codable, Sendable {
    public var code: String
    public var message: String
    public var exitStatus: Int32
  }

  public struct Video: Codable, Sendable {
    public var index: Int
    public var codec: String
    public var profile: String?
    public var width: Int
    public var height: Int
    /// Size as shown: upright and with square samples.
    public var displayWidth: Int
    public var displayHeight: Int
    /// Clockwise degrees by which the stored pixels must be turned.
    public var rotation: Int
    public var mirrored: Bool
    public var sar: String
    public var frameRate: String
    public var variableFrameRate: Bool
    public var frameCount: Int64
    public var pixelFormat: String?
    public var color: Color
    /// `"pq"`, `"hlg"` or null.
    public var hdr: String?
    public var interlaced: Bool
    /// How many keyframes there are.
    public var keyframes: Int64
    public var startSeconds: Double
    public var durationSeconds: Double?
    public var language: String?
  }

  public struct Color: Codable, Sendable {
    public var matrix: String
    public var range: String
    public var primaries: String
    public var transfer: String
  }

  public struct Audio: Codable, Sendable {
    public var index: Int
    public var codec: String
    public var sampleRate: Int
    public var channels: Int
    public var layout: String?
    public var startSeconds: Double
    public var durationSeconds: Double?
    public var language: String?
    public var isDefault: Bool
  }

  public struct Other: Codable, Sendable {
    public var index: Int
    public var kind: String
    public var codec: String
    public var language: String?
  }

  public struct Chapter: Codable, Sendable {
    public var startSeconds: Double
    public var endSeconds: Double
    public var title: String?
  }
}
