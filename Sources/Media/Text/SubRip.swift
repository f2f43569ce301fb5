import MediaCore
import PositionedJSON

/// SubRip (.srt): numbered blocks of a time line and text lines. Numbers may be missing or wrong, as in the wild.
enum SubRip {
  static func parse(_ text: String, source: JSONSource) throws(MediaError) -> [CaptionCue] {
    let lines = SourceText.lines(text)
    var cues: [CaptionCue] = []
    var index = 0
    while index < lines.count {
      guard lines[index].contains("-->") else {
        let line = lines[index].filter { !$0.isWhitespace }
        let isNumber = !line.isEmpty && line.allSatisfy(\.isNumber)
        guard line.isEmpty || isNumber && index + 1 < lines.count && lines[index + 1].contains("-->") else {
          throw CueText.error(source, line: index + 1, "expected a number or a time (00:00:01,000 --> 00:00:02,000)")
        }
        index += 1
        continue
      }
      guard let (start, end) = CueText.range(lines[index]) else {
        throw CueText.error(source, line: index + 1, "the time is not of the form 00:00:01,000 --> 00:00:02,000")
      }
      guard start < end else { throw CueText.error(source, line: index + 1, "the caption ends before it starts") }
      index += 1
      var body: [Substring] = []
      while index < lines.count, lines[index].contains(where: { !$0.isWhitespace }) {
        // A file without blank lines between blocks: the next number and time line begin the next caption.
        if lines[index].contains("-->") {
          if body.last?.allSatisfy(\.isNumber) == true { body.removeLast() }
          break
        }
        body.append(lines[index])
        index += 1
      }
      let cue = CueText.parse(body.joined(separator: "\n"), start: start, end: end, entities: false)
      if cue.text.contains(where: { !$0.isWhitespace }) { cues.append(cue) }
    }
    return cues.sorted { $0.start < $1.start }
  }
}
