import MediaCore
import PositionedJSON

/// Reads the output settings and the watermark of a document.
enum OutputReader {
  static func read(_ node: JSONNode) throws(MediaError) -> OutputSettings {
    if node.asString != nil { return OutputSettings(preset: try name(node), place: DocumentPlace(node)) }
    var fields = try node.fields("a preset's name or an object")
    var output = OutputSettings(place: DocumentPlace(node))
    if let node = fields.optional("preset") { output.preset = try name(node) }
    if let node = fields.optional("codec") { output.codec = try name(node) }
    if let node = fields.optional("speed") { output.speed = try name(node) }
    if let node = fields.optional("crf") { output.crf = try node.number(in: .zero...Rational(63)) }
    if let node = fields.optional("bitrate") { output.bitrate = try bitrate(node) }
    if let node = fields.optional("maxBitrate") { output.maxBitrate = try bitrate(node) }
    if let node = fields.optional("keyframeInterval") {
      let time = try node.position()
      guard case .time(let interval) = time, interval > .zero else { throw node.mismatch("a duration in seconds above zero") }
      output.keyframeInterval = interval
    }
    if let node = fields.optional("profile") { output.profile = try name(node) }
    if let node = fields.optional("pixelFormat") { output.pixelFormat = try name(node) }
    if let node = fields.optional("audioCodec") { output.audioCodec = try name(node) }
    if let node = fields.optional("audioBitrate") { output.audioBitrate = try bitrate(node) }
    if let node = fields.optional("twoPass") { output.twoPass = try node.bool() }
    if let node = fields.optional("container") { output.container = try name(node) }
    if let node = fields.optional("fragmented") { output.fragmented = try node.bool() }
    try fields.finish()
    if output.crf != nil, output.bitrate != nil { throw node.error("\"crf\" and \"bitrate\" exclude each other") }
    return output
  }

  static func watermark(_ node: JSONNode) throws(MediaError) -> WatermarkRequest {
    var fields = try node.fields("an object with \"id\"")
    let idNode = try fields.required("id")
    guard let text = idNode.asString ?? idNode.asNumber?.text, let id = WatermarkRequest.id(text) else {
      throw idNode.mismatch("an id (16 hexadecimal digits or a decimal number)")
    }
    var request = WatermarkRequest(id: id, place: DocumentPlace(node))
    if let node = fields.optional("psnr") { request.psnr = try node.number(in: Rational(20)...Rational(80)) }
    try fields.finish()
    return request
  }

  /// A word such as encoders and presets are called by.
  private static func name(_ node: JSONNode) throws(MediaError) -> String {
    let text = try node.string("a name")
    guard !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { throw node.mismatch("a name") }
    return text
  }

  /// Bits a second: `6000000`, `"6M"`, `"128k"`.
  private static func bitrate(_ node: JSONNode) throws(MediaError) -> Int64 {
    if node.asNumber != nil { return try node.integer(in: 1000...10_000_000_000) }
    let expected = "a bit rate (6000000, \"6M\", \"128k\")"
    guard let text = node.asString, let unit = text.last, let scale = ["k": 1000, "K": 1000, "M": 1_000_000][unit],
      let value = Rational.decimal(text.dropLast()), value.isPositive
    else { throw node.mismatch(expected) }
    let bits = (value * Rational(Int64(scale))).rounded
    guard (1000...10_000_000_000).contains(bits) else { throw node.error("the bit rate is out of range") }
    return bits
  }
}
