import MediaCore
import PositionedJSON
import Text

/// Reads the parts of a document that are pictures: clips, transitions, overlays, captions.
struct ItemReader {
  let canvas: Canvas

  var rate: Rational { canvas.frameRate }

  // MARK: Sequence

  func sequenceItem(_ node: JSONNode) throws(MediaError) -> SequenceItem {
    let fields = try node.fields("a clip or a transition")
    let kinds = ["media", "image", "color", "transition"].filter { fields.contains($0) }
    // A transition has a colour too.
    if kinds.contains("transition"), !kinds.contains("media"), !kinds.contains("image") { return .transition(try transition(node)) }
    guard kinds.count == 1, let kind = kinds.first else {
      if kinds.isEmpty {
        for key in fields.keys {
          if let nearest = NearestMatch.find(key, among: ["media", "image", "transition"]) {
            throw node.error("unknown key \"\(key)\"", advice: "did you mean \"\(nearest)\"?")
          }
        }
        throw node.error("one of \"media\", \"image\", \"color\", \"transition\" must be given")
      }
      throw node.error("only one of \(kinds.map { "\"\($0)\"" }.joined(separator: ", ")) can be given")
    }
    return .clip(try clip(node, kind: kind))
  }

  private func clip(_ node: JSONNode, kind: String) throws(MediaError) -> Clip {
    var fields = try node.fields()
    let source = try fields.required(kind)
    let content: Clip.Content =
      switch kind {
      case "media": .media(try source.file())
      case "image": .image(try source.file())
      default: .color(try source.color())
      }
    var clip = Clip(content, place: DocumentPlace(node))
    if kind == "media" {
      if let node = fields.optional("trim") { (clip.trimStart, clip.trimEnd) = try node.trim() }
      if let node = fields.optional("speed") { clip.speed = try node.number(in: Rational(1, 10)...Rational(10)) }
      if let node = fields.optional("volume") { clip.volume = try node.volume() }
      if let node = fields.optional("duration") {
        guard clip.trimEnd == nil else { throw node.error("a duration and the end of a trim are both given", advice: "give one") }
        clip.duration = try node.duration(rate: rate)
      }
    } else {
      clip.duration = try fields.required("duration").duration(rate: rate)
    }
    if kind != "color" {
      if let node = fields.optional("fit") { clip.fit = try node.choice(Fit.self) }
      if let node = fields.optional("background") { clip.background = try node.color() }
      if let node = fields.optional("kenBurns") { clip.kenBurns = try kenBurns(node) }
    }
    if let node = fields.optional("filter") { clip.filter = try filter(node) }
    try fields.finish()
    return clip
  }

  private func filter(_ node: JSONNode) throws(MediaError) -> String {
    let text = try node.string("a libavfilter graph")
    guard text.contains(where: { !$0.isWhitespace }), !text.utf8.contains(0) else { throw node.mismatch("a libavfilter graph") }
    return text
  }

  private func kenBurns(_ node: JSONNode) throws(MediaError) -> KenBurns {
    var fields = try node.fields("an object with from and to")
    var move = KenBurns()
    guard fields.contains("from") || fields.contains("to") else { throw node.error("\"from\" or \"to\" must be given") }
    if let node = fields.optional("from") { move.from = try window(node) }
    if let node = fields.optional("to") { move.to = try window(node) }
    if let node = fields.optional("easing") { move.easing = try node.easing() }
    try fields.finish()
    return move
  }

  private func window(_ node: JSONNode) throws(MediaError) -> KenBurns.Frame {
    if node.asString != nil {
      let point = try node.choice(Anchor.self).point
      return KenBurns.Frame(x: point.x, y: point.y)
    }
    var fields = try node.fields("a window ({\"zoom\": 1.15, \"x\": 0.4, \"y\": 0.5} or \"center\")")
    var frame = KenBurns.Frame()
    if let node = fields.optional("zoom") { frame.zoom = try node.number(in: Rational(1)...Rational(10)) }
    if let node = fields.optional("x") { frame.x = try node.part() }
    if let node = fields.optional("y") { frame.y = try node.part() }
    try fields.finish()
    return frame
  }

  private func transition(_ node: JSONNode) throws(MediaError) -> TransitionItem {
    var fields = try node.fields()
    let nameNode = try fields.required("transition")
    let name = try nameNode.string("a transition's name")
    do {
      _ = try Transition(name)
    } catch {
      throw nameNode.error(error.reason, advice: error.advice)
    }
    let duration = try fields.required("duration").duration(rate: rate)
    var item = TransitionItem(name, duration: duration, place: DocumentPlace(node))
    if let node = fields.optional("easing") { item.easing = try node.easing() }
    if let node = fields.optional("direction") { item.direction = try node.choice(TransitionDirection.self) }
    if let node = fields.optional("softness") { item.softness = try node.part() }
    if let node = fields.optional("color") { item.color = try node.color() }
    if let node = fields.optional("center") { item.center = try node.point() }
    if let node = fields.optional("seed") { item.seed = UInt64(try node.integer(in: 0 ... .max)) }
    if let node = fields.optional("count") { item.count = try node.number(in: Rational(1)...Rational(1000)) }
    if let node = fields.optional("strength") { item.strength = try node.number(in: Rational(1, 20)...Rational(4)) }
    if let node = fields.optional("map") { item.map = try node.file() }
    if let node = fields.optional("expression") { item.expression = try node.string("an expression") }
    try fields.finish()
    if name == "luma-map", item.map == nil { throw node.error("the transition \"luma-map\" needs a \"map\"", advice: "name a grey image") }
    if name == "custom", item.expression == nil {
      throw node.error("the transition \"custom\" needs an \"expression\"", advice: "for example \"A*P+B*(1-P)\"")
    }
    return item
  }

  // MARK: Layers

  func overlay(_ node: JSONNode) throws(MediaError) -> Overlay {
    var fields = try node.fields("an overlay")
    let kinds = ["image", "media", "text"].filter { fields.contains($0) }
    guard kinds.count == 1, let kind = kinds.first else { throw node.error("exactly one of \"image\", \"media\", \"text\" must be given") }
    let source = try fields.required(kind)
    let content: Overlay.Content
    switch kind {
    case "image": content = .image(try source.file())
    case "media": content = .media(try source.file())
    default:
      var style = TextStyle()
      if let node = fields.optional("style") { style = try TextStyleReader.read(node) }
      content = .text(try source.string(), style: style)
    }
    var overlay = Overlay(content, place: DocumentPlace(node))
    try placement(&fields, &overlay, isText: kind == "text")
    try timing(&fields, &overlay)
    if kind == "media" { try playback(&fields, &overlay) }
    try fields.finish()
    return overlay
  }

  private func placement(_ fields: inout JSONFields, _ overlay: inout Overlay, isText: Bool) throws(MediaError) {
    if let node = fields.optional("anchor") { overlay.anchor = try node.choice(Anchor.self) }
    if let node = fields.optional("margin") {
      if node.asObject != nil {
        var margins = try node.fields()
        if let node = margins.optional("x") { overlay.marginX = try node.length() }
        if let node = margins.optional("y") { overlay.marginY = try node.length() }
        try margins.finish()
      } else {
        overlay.marginX = try node.length()
        overlay.marginY = overlay.marginX
      }
    }
    if !isText {
      if let node = fields.optional("width") { overlay.width = try positive(node) }
      if let node = fields.optional("height") { overlay.height = try positive(node) }
    }
    if let node = fields.optional("opacity") { overlay.opacity = try node.part() }
    if let node = fields.optional("rotation") { (overlay.rotation, overlay.rotationEnd) = try rotation(node) }
  }

  /// Degrees, or `{"from": 0, "to": 360}`.
  private func rotation(_ node: JSONNode) throws(MediaError) -> (Rational, Rational?) {
    let range = Rational(-36000)...Rational(36000)
    guard node.asObject != nil else { return (try node.number(in: range), nil) }
    var fields = try node.fields()
    let from = try fields.optional("from").map { (node) throws(MediaError) in try node.number(in: range) } ?? .zero
    let to = try fields.required("to").number(in: range)
    try fields.finish()
    return (from, to)
  }

  private func positive(_ node: JSONNode) throws(MediaError) -> Length {
    let length = try node.length()
    guard length.pixels(of: 1 << 20) > 0 else { throw node.error("the size is zero") }
    return length
  }

  private func timing(_ fields: inout JSONFields, _ overlay: inout Overlay) throws(MediaError) {
    if let node = fields.optional("from") { overlay.from = try node.time(rate: rate) }
    if let node = fields.optional("to") {
      let end = try node.time(rate: rate)
      guard end > overlay.from else { throw node.error("the overlay ends before it starts (from \(overlay.from) to \(end))") }
      overlay.to = end
    }
    if let node = fields.optional("fadeIn") { overlay.fadeIn = try node.time(rate: rate) }
    if let node = fields.optional("fadeOut") { overlay.fadeOut = try node.time(rate: rate) }
    if let node = fields.optional("animation") { overlay.animationIn = try node.choice(Overlay.Animation.self) }
    if let node = fields.optional("animationOut") { overlay.animationOut = try node.choice(Overlay.Animation.self) }
    if let node = fields.optional("animationDuration") { overlay.animationDuration = try node.duration(rate: rate) }
    if let node = fields.optional("easing") { overlay.easing = try node.easing() }
  }

  private func playback(_ fields: inout JSONFields, _ overlay: inout Overlay) throws(MediaError) {
    if let node = fields.optional("trim") { (overlay.trimStart, overlay.trimEnd) = try node.trim() }
    if let node = fields.optional("speed") { overlay.speed = try node.number(in: Rational(1, 10)...Rational(10)) }
    if let node = fields.optional("loop") { overlay.loop = try node.bool() }
    if let node = fields.optional("volume") { overlay.volume = try node.volume() }
  }

  func captions(_ node: JSONNode) throws(MediaError) -> Captions {
    let standard = TextStyle(named: "subtitle") ?? TextStyle()
    if node.asString != nil { return Captions(file: try node.file(), style: standard, place: DocumentPlace(node)) }
    var fields = try node.fields("a captions file or an object with \"file\"")
    var captions = Captions(file: try fields.required("file").file(), style: standard, place: DocumentPlace(node))
    if let node = fields.optional("style") { captions.style = try TextStyleReader.read(node) }
    if let node = fields.optional("offset") {
      // A caption file may have to move either way.
      captions.offset = node.asNumber != nil ? MediaTime(try node.number(in: Rational(-86400)...Rational(86400))) : try offset(node)
    }
    try fields.finish()
    return captions
  }

  private func offset(_ node: JSONNode) throws(MediaError) -> MediaTime {
    guard let text = node.asString, case .time(let time)? = TimePosition(text) else { throw node.mismatch("a time (\"-0.2s\")") }
    return time
  }
}
