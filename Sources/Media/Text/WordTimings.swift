import MediaCore
import PositionedJSON

/// Times of words as speech recognisers write them: `[{"word": "Hi", "start": 0.1, "end": 0.4}, …]`, the same under `words`, or under the
/// `words` of each of `segments`. Other keys are ignored. Times are seconds.
enum WordTimings {
  static func parse(_ text: String, source: JSONSource) throws(MediaError) -> [CaptionCue] {
    let root = try JSONParser.parse(text, source: source)
    if let segments = member("segments", of: root) {
      var cues: [CaptionCue] = []
      for segment in try segments.array() {
        if let list = member("words", of: segment) {
          cues += try cue(list).map { [$0] } ?? []
        } else {
          var fields = try segment.fields("a segment")
          let start = try time(&fields, "start")
          let end = try time(&fields, "end")
          guard start < end else { throw segment.error("the segment ends before it starts") }
          let text = trimmed(try fields.required("text").string())
          if !text.isEmpty { cues.append(CaptionCue(start: start, end: end, runs: [TextRun(text)])) }
        }
      }
      return cues.sorted { $0.start < $1.start }
    }
    guard let list = member("words", of: root) ?? (root.asArray == nil ? nil : root) else {
      throw root.mismatch("an array of words, or an object with \"words\" or \"segments\"")
    }
    return phrases(try cue(list)?.words ?? [])
  }

  private static func member(_ key: String, of node: JSONNode) -> JSONNode? { node.asObject?.first { $0.key == key }?.node }

  private static func trimmed(_ text: String) -> String {
    String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
  }

  private static func time(_ fields: inout JSONFields, _ key: String) throws(MediaError) -> MediaTime {
    let node = try fields.required(key)
    guard let number = node.asNumber else { throw node.mismatch("a number of seconds") }
    // Recognisers print floats with more digits than mean anything.
    let time = number.exact.map { MediaTime($0) } ?? MediaTime(seconds: number.doubleValue)
    guard time >= .zero, time.doubleValue < 1e6 else { throw node.error("the time is out of range") }
    return time
  }

  private static func cue(_ list: JSONNode) throws(MediaError) -> CaptionCue? {
    var words: [CaptionCue.Word] = []
    for node in try list.array("an array of words") {
      var fields = try node.fields("a word ({\"word\": \"Hi\", \"start\": 0.1, \"end\": 0.4})")
      let textNode: JSONNode
      if let alternative = fields.optional("text") { textNode = alternative } else { textNode = try fields.required("word") }
      let text = trimmed(try textNode.string())
      let start = try time(&fields, "start")
      let end = try time(&fields, "end")
      guard start <= end else { throw node.error("the word ends before it starts") }
      if let last = words.last, start < last.start { throw node.error("the word starts before the one before it") }
      if !text.isEmpty { words.append(CaptionCue.Word(text, start: start, end: end)) }
    }
    guard let first = words.first, let last = words.last else { return nil }
    let text = words.map(\.text).joined(separator: " ")
    return CaptionCue(start: first.start, end: max(last.end, first.start), runs: [TextRun(text)], words: words)
  }

  /// A flat list of words becomes captions: a new one after the end of a sentence, after a pause of 0.6 s, or after eight words.
  private static func phrases(_ words: [CaptionCue.Word]) -> [CaptionCue] {
    var cues: [CaptionCue] = []
    var current: [CaptionCue.Word] = []
    func flush() {
      guard let first = current.first, let last = current.last else { return }
      cues.append(
        CaptionCue(start: first.start, end: last.end, runs: [TextRun(current.map(\.text).joined(separator: " "))], words: current))
      current = []
    }
    for word in words {
      if let last = current.last,
        current.count >= 8 || word.start - last.end > MediaTime(Rational(3, 5)) || ".!?…。！？".contains(last.text.last ?? " ")
      {
        flush()
      }
      current.append(word)
    }
    flush()
    return cues
  }
}
