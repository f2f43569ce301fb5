import MediaCore
import PositionedJSON

/// Reads the sound of a document.
struct AudioReader {
  let items: ItemReader

  func read(_ node: JSONNode) throws(MediaError) -> AudioMix {
    var fields = try node.fields("an object with voice, music, clips and loudness")
    var mix = AudioMix()
    if let node = fields.optional("voice") { mix.voice = try tracks(node, mayDuck: false) }
    if let node = fields.optional("music") { mix.music = try tracks(node, mayDuck: true) }
    if let node = fields.optional("clips") { mix.clips = try node.volume() }
    if let node = fields.optional("loudness") { mix.loudness = try node.number(in: Rational(-70)...Rational(-5)) }
    if let node = fields.optional("truePeak") { mix.truePeak = try node.number(in: Rational(-20)...Rational(0)) }
    try fields.finish()
    return mix
  }

  /// One file, one object, or an array of either.
  private func tracks(_ node: JSONNode, mayDuck: Bool) throws(MediaError) -> [AudioMix.Track] {
    guard let elements = node.asArray else { return [try track(node, mayDuck: mayDuck)] }
    var result: [AudioMix.Track] = []
    for element in elements { result.append(try track(element, mayDuck: mayDuck)) }
    return result
  }

  private func track(_ node: JSONNode, mayDuck: Bool) throws(MediaError) -> AudioMix.Track {
    let place = DocumentPlace(node)
    if node.asString != nil { return AudioMix.Track(file: try node.file(), place: place) }
    var fields = try node.fields("a sound file or an object with \"file\"")
    var track = AudioMix.Track(file: try fields.required("file").file(), place: place)
    let rate = items.rate
    if let node = fields.optional("volume") { track.volume = try node.decibels() }
    if let node = fields.optional("from") { track.from = try node.time(rate: rate) }
    if let node = fields.optional("to") {
      let end = try node.time(rate: rate)
      guard end > track.from else { throw node.error("the sound ends before it starts (from \(track.from) to \(end))") }
      track.to = end
    }
    if let node = fields.optional("trim") {
      let trim = try node.trim()
      guard case .time(let start) = trim.start else { throw node.error("sound is trimmed by time, not by frame") }
      track.trimStart = start
      switch trim.end {
      case .time(let end)?: track.trimEnd = end
      case .frame?: throw node.error("sound is trimmed by time, not by frame")
      case nil: break
      }
    }
    if let node = fields.optional("fadeIn") { track.fadeIn = try node.time(rate: rate) }
    if let node = fields.optional("fadeOut") { track.fadeOut = try node.time(rate: rate) }
    if let node = fields.optional("loop") { track.loop = try node.bool() }
    if mayDuck, let node = fields.optional("duck") { track.duck = try node.number(in: .zero...Rational(60)) }
    try fields.finish()
    return track
  }
}
