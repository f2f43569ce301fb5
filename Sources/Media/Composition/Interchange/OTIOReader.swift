public import MediaCore
import PositionedJSON

/// Reads an OpenTimelineIO timeline (`.otio`) as a reel document.
///
/// One track of pictures and any number of sound: clips, gaps, transitions, linear time warps and solid colours. What a reel cannot
/// show as the timeline says (a second track of pictures, a freeze frame, a nested stack) is an error at its line. A timeline has no
/// canvas: it is 1080x1920 unless the timeline was written by `reel`, at the rate of its first clip.
public struct OTIOReader {
  private let root: JSONNode
  private var rate: Rational?

  /// Whether a text looks like a timeline rather than a reel document.
  public static func recognises(_ text: String) -> Bool { text.prefix(65_536).contains("\"OTIO_SCHEMA\"") }

  /// The reel document (JSON) of a timeline.
  ///
  /// - Throws: `usage` at a line and column for what is no timeline, `unavailable` for what cannot be shown.
  public static func document(_ text: String, name: String) throws(MediaError) -> String {
    var reader = OTIOReader(root: try JSONParser.parse(text, source: JSONSource(name)))
    return try reader.read().text()
  }

  private init(root: JSONNode) { self.root = root }

  private mutating func read() throws(MediaError) -> JSON {
    guard try schema(root) == "Timeline" else { throw root.mismatch("an OpenTimelineIO timeline") }
    let stack = try member(root, "tracks", "a stack of tracks")
    var pictures: [JSONNode] = []
    var sounds: [JSONNode] = []
    for track in try children(stack) {
      guard try schema(track) == "Track" else { throw missing(track, "a \(try schema(track)) beside the tracks") }
      if try optional(track, "enabled")?.bool() == false { continue }
      switch try optional(track, "kind")?.string() ?? "Video" {
      case "Video": pictures.append(track)
      case "Audio": sounds.append(track)
      case let kind: throw missing(track, "a track of \(kind)")
      }
    }
    var filled: [JSONNode] = []
    for track in pictures where try !children(track).isEmpty { filled.append(track) }
    pictures = filled
    guard let first = pictures.first else { throw stack.error("there is no track of pictures") }
    if pictures.count > 1 { throw missing(pictures[1], "a second track of pictures") }
    let (sequence, uses) = try sequence(first)

    var document: [(String, JSON)] = [("reel", .integer(1))]
    let notes = optional(root, "metadata").flatMap { optional($0, "reelwright") }
    if let canvas = notes.flatMap({ optional($0, "canvas") }) {
      document.append(("canvas", JSON(canvas.value)))
    } else {
      let exact = rate ?? Rational(30)
      let text = exact.denominator == 1 ? "\(exact.numerator)" : exact.description
      document.append(
        ("canvas", .object([("width", .integer(1080)), ("height", .integer(1920)), ("frameRate", .string(text))])))
    }
    document.append(("sequence", .array(sequence)))
    var tracks: [JSON] = []
    var hasOwnSound = sounds.isEmpty
    for track in sounds { tracks += try sound(track, beside: uses, hasOwnSound: &hasOwnSound) }
    var audio: [(String, JSON)] = []
    if !tracks.isEmpty { audio.append(("music", .array(tracks))) }
    if !hasOwnSound { audio.append(("clips", .bool(false))) }
    if !audio.isEmpty { document.append(("audio", .object(audio))) }
    return .object(document)
  }

  /// A clip of pictures as the sound tracks may repeat it.
  private struct Use: Hashable {
    var file: String
    var start: Rational
  }

  private mutating func sequence(_ track: JSONNode) throws(MediaError) -> ([JSON], Set<Use>) {
    let items = try children(track)
    var result: [JSON] = []
    var uses: Set<Use> = []
    for (index, item) in items.enumerated() {
      let kind = try schema(item)
      if kind == "Transition" {
        guard index > 0, index + 1 < items.count else { throw item.error("a transition stands between two clips") }
        let (before, after) = try offsets(item)
        var fields: [(String, JSON)] = []
        let notes = reelwright(item)
        let name = try notes.flatMap { optional($0, "transition") }?.string() ?? "crossfade"
        fields.append(("transition", .string(name)))
        fields.append(("duration", JSON(before + after)))
        for (key, value) in notes?.asObject ?? [] where key != "transition" { fields.append((key, JSON(value.value))) }
        result.append(.object(fields))
        continue
      }
      // A transition takes from both clips what lies beyond the cut.
      var (head, tail) = (Rational.zero, Rational.zero)
      if index > 0, try schema(items[index - 1]) == "Transition" { head = try offsets(items[index - 1]).before }
      if index + 1 < items.count, try schema(items[index + 1]) == "Transition" { tail = try offsets(items[index + 1]).after }
      switch kind {
      case "Gap":
        let (_, duration) = try range(item)
        result.append(.object([("color", .string("black")), ("duration", JSON(duration + head + tail))]))
      case "Clip":
        let (clip, use) = try clip(item, head: head, tail: tail)
        result.append(clip)
        if let use { uses.insert(use) }
      default: throw missing(item, "a \(kind) in a track")
      }
    }
    return (result, uses)
  }

  private mutating func clip(_ item: JSONNode, head: Rational, tail: Rational) throws(MediaError) -> (JSON, Use?) {
    if try optional(item, "enabled")?.bool() == false { throw missing(item, "a clip that is switched off") }
    let reference = try reference(item)
    let (start, duration) = try range(item)
    var fields: [(String, JSON)] = []
    var use: Use?
    var speed = Rational(1)
    for effect in try optional(item, "effects")?.array() ?? [] {
      guard try schema(effect) == "LinearTimeWarp" else { throw missing(effect, "the effect \(try schema(effect))") }
      speed = try member(effect, "time_scalar", "a number").number(in: Rational(1, 10)...Rational(10))
    }
    switch try schema(reference) {
    case "GeneratorReference":
      let parameters = optional(reference, "parameters")
      let color = try parameters.flatMap { optional($0, "color") }?.string() ?? "black"
      fields = [("color", .string(color)), ("duration", JSON(duration + head + tail))]
    case "ExternalReference":
      let file = try path(reference)
      if OTIOReader.isImage(file) {
        fields = [("image", .string(file)), ("duration", JSON(duration + head + tail))]
      } else {
        let offset = (try availableStart(reference))
        let from = start - offset - head * speed
        guard from >= .zero else {
          throw item.error(
            "its transition takes \((head * speed).doubleValue) s before the source's start", advice: "shorten the transition")
        }
        fields = [("media", .string(file)), ("trim", .array([JSON(from), JSON(start - offset + (duration + tail) * speed)]))]
        if speed != Rational(1) { fields.append(("speed", JSON(speed))) }
        use = Use(file: file, start: start)
      }
    case let kind: throw missing(reference, kind == "MissingReference" ? "a clip without a file" : "a \(kind)")
    }
    for key in ["fit", "volume"] where try schema(reference) == "ExternalReference" {
      if let value = reelwright(item).flatMap({ optional($0, key) }) { fields.append((key, JSON(value.value))) }
    }
    return (.object(fields), use)
  }

  private mutating func sound(_ track: JSONNode, beside uses: Set<Use>, hasOwnSound: inout Bool) throws(MediaError) -> [JSON] {
    var position = Rational.zero
    var result: [JSON] = []
    for item in try children(track) {
      let kind = try schema(item)
      if kind == "Transition" { continue }
      let (start, duration) = try range(item)
      defer { position = position + duration }
      if kind == "Gap" { continue }
      guard kind == "Clip" else { throw missing(item, "a \(kind) in a track") }
      let reference = try reference(item)
      guard try schema(reference) == "ExternalReference" else { throw missing(reference, "sound that is no file") }
      let file = try path(reference)
      if uses.contains(Use(file: file, start: start)) {
        hasOwnSound = true
        continue
      }
      let offset = try availableStart(reference)
      var fields: [(String, JSON)] = [("file", .string(file)), ("from", JSON(position)), ("to", JSON(position + duration))]
      let loops = try reelwright(item).flatMap { optional($0, "loop") }?.bool() ?? false
      if !loops { fields.append(("trim", .array([JSON(start - offset), JSON(start - offset + duration)]))) }
      for key in ["volume", "duck", "fadeIn", "fadeOut", "loop"] {
        if let value = reelwright(item).flatMap({ optional($0, key) }) { fields.append((key, JSON(value.value))) }
      }
      result.append(.object(fields))
    }
    return result
  }

  // MARK: Values

  /// `Clip` of `Clip.2`.
  private func schema(_ node: JSONNode) throws(MediaError) -> String {
    let text = try member(node, "OTIO_SCHEMA", "a schema").string()
    return String(text.prefix { $0 != "." })
  }

  private func optional(_ node: JSONNode, _ key: String) -> JSONNode? {
    guard let value = node.asObject?.first(where: { $0.key == key })?.node, !value.isNull else { return nil }
    return value
  }

  private func member(_ node: JSONNode, _ key: String, _ expected: String) throws(MediaError) -> JSONNode {
    guard let value = optional(node, key) else { throw node.error("the key \"\(key)\" (\(expected)) is missing") }
    return value
  }

  private func children(_ node: JSONNode) throws(MediaError) -> [JSONNode] { try optional(node, "children")?.array() ?? [] }

  private func reelwright(_ node: JSONNode) -> JSONNode? { optional(node, "metadata").flatMap { optional($0, "reelwright") } }

  /// Seconds. Rates such as 23.976 and 29.97 mean n × 1000/1001.
  private mutating func seconds(_ node: JSONNode) throws(MediaError) -> Rational {
    let value = try member(node, "value", "a number").number()
    let stated = try member(node, "rate", "a number").number()
    guard stated.isPositive else { throw node.error("the rate is not positive") }
    let nominal = stated.rounded
    let drop = Rational(nominal * 1000, 1001)
    let isDrop = abs(stated.doubleValue - drop.doubleValue) < 0.005 && stated != Rational(nominal)
    let exact = isDrop ? drop : stated
    if rate == nil, exact >= Rational(1), exact <= Rational(240) { rate = exact }
    return value / exact
  }

  private mutating func range(_ item: JSONNode) throws(MediaError) -> (start: Rational, duration: Rational) {
    var stated = optional(item, "source_range")
    if stated == nil { stated = optional(try reference(item), "available_range") }
    guard let range = stated else {
      throw item.error("it has neither a source range nor a file whose range is known")
    }
    return (
      try seconds(try member(range, "start_time", "a time")), try seconds(try member(range, "duration", "a time"))
    )
  }

  private mutating func offsets(_ item: JSONNode) throws(MediaError) -> (before: Rational, after: Rational) {
    (try seconds(try member(item, "in_offset", "a time")), try seconds(try member(item, "out_offset", "a time")))
  }

  /// Where the file's own clock begins: time code of a camera.
  private mutating func availableStart(_ reference: JSONNode) throws(MediaError) -> Rational {
    guard let range = optional(reference, "available_range") else { return .zero }
    return try seconds(try member(range, "start_time", "a time"))
  }

  private func reference(_ item: JSONNode) throws(MediaError) -> JSONNode {
    if let single = optional(item, "media_reference") { return single }
    let all = try member(item, "media_references", "the clip's files")
    let key = try optional(item, "active_media_reference_key")?.string() ?? "DEFAULT_MEDIA"
    return try member(all, key, "the clip's file")
  }

  /// A path: of a `file:` URL, or as it stands.
  private func path(_ reference: JSONNode) throws(MediaError) -> String {
    let node = try member(reference, "target_url", "a path or URL")
    let url = try node.string()
    guard url.hasPrefix("file:") else { return url }
    var rest = url.dropFirst("file:".count)
    if rest.hasPrefix("//") {
      rest = rest.dropFirst(2)
      if rest.hasPrefix("localhost/") { rest = rest.dropFirst("localhost".count) }
    }
    var bytes: [UInt8] = []
    var left = Array(rest.utf8)[...]
    while let byte = left.popFirst() {
      if byte == UInt8(ascii: "%"), left.count >= 2, let value = UInt8(String(decoding: left.prefix(2), as: UTF8.self), radix: 16) {
        bytes.append(value)
        left = left.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func isImage(_ file: String) -> Bool {
    let name = file.lowercased()
    return [".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".avif"].contains { name.hasSuffix($0) }
  }

  private func missing(_ node: JSONNode, _ what: String) -> MediaError {
    MediaError(
      .unavailable, "cannot read \(node.source.name)", path: node.source.name,
      reason: "\(node.position) (\(node.path)): \(what) cannot be shown",
      advice: "leave it out of the timeline")
  }
}
