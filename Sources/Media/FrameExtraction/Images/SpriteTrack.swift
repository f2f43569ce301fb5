public import MediaCore

/// Preview thumbnails for players: the text of a WebVTT file whose cues point into sprite sheets by media fragment
/// (`#xywh=`, W3C Media Fragments 1.0).
public struct SpriteTrack: Sendable {
  public struct Cue: Sendable, Hashable {
    public var start: MediaTime
    /// The sheet's file name as it is; the track's text has it percent-encoded.
    public var file: String
    public var x: Int
    public var y: Int
    public var size: FrameSize

    public init(start: MediaTime, file: String, x: Int, y: Int, size: FrameSize) {
      self.start = start
      self.file = file
      self.x = x
      self.y = y
      self.size = size
    }
  }

  /// In ascending order of start.
  public var cues: [Cue] = []
  /// When the last cue ends.
  public var end: MediaTime

  public init(end: MediaTime) { self.end = end }

  /// The file's text. A cue lasts to the start of the next; the first starts at 0.
  public var text: String {
    var text = "WEBVTT\n"
    for (place, cue) in cues.enumerated() {
      let start = place == 0 ? MediaTime.zero : cue.start
      let next = place + 1 < cues.count ? cues[place + 1].start : max(end, cue.start + MediaTime(Rational(1, 1000)))
      guard next > start else { continue }
      text += "\n\(Self.clock(start)) --> \(Self.clock(next))\n"
      text += "\(Self.escaped(cue.file))#xywh=\(cue.x),\(cue.y),\(cue.size.width),\(cue.size.height)\n"
    }
    return text
  }

  /// A file name as a relative URL: everything but RFC 3986's unreserved characters is percent-encoded.
  static func escaped(_ name: String) -> String {
    let digits = Array("0123456789ABCDEF")
    var text = ""
    for byte in name.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
        text.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        text.append("%")
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
      }
    }
    return text
  }

  /// `"00:01:02.345"`.
  static func clock(_ time: MediaTime) -> String {
    let milliseconds = max(0, (time.seconds * Rational(1000)).rounded)
    func padded(_ value: Int64, _ digits: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
    return "\(padded(milliseconds / 3_600_000, 2)):\(padded(milliseconds / 60_000 % 60, 2)):\(padded(milliseconds / 1000 % 60, 2))."
      + padded(milliseconds % 1000, 3)
  }
}
