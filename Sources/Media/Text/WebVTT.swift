import MediaCore
import PositionedJSON

/// WebVTT (W3C): cues with optional identifiers; NOTE, STYLE and REGION blocks and cue settings are passed over.
enum WebVTT {
  static func parse(_ text: String, source: JSONSource) throws(MediaError) -> [CaptionCue] {
    let lines = SourceText.lines(text)
    var cues: [CaptionCue] = []
    var index = lines.firstIndex { $0.contains("WEBVTT") } ?? 0
    // The header block.
    while index < lines.count, !lines[index].isEmpty, !lines[index].contains("-->") { index += 1 }
    while index < lines.count {
      if lines[index].isEmpty {
        index += 1
        continue
      }
      let first = index
      var block: [Substring] = []
      while index < lines.count, !lines[index].isEmpty {
        block.append(lines[index])
        index += 1
      }
      guard let timing = block.prefix(2).firstIndex(where: { $0.contains("-->") }) else {
        let isComment = ["NOTE", "STYLE", "REGION"].contains { block[0].hasPrefix($0) }
        guard isComment else { throw CueText.error(source, line: first + 1, "expected a time (00:01.000 --> 00:02.000)") }
        continue
      }
      guard let (start, end) = CueText.range(block[timing]) else {
        throw CueText.error(source, line: first + timing + 1, "the time is not of the form 00:01.000 --> 00:02.000")
      }
      guard start < end else { throw CueText.error(source, line: first + timing + 1, "the caption ends before it starts") }
      let cue = CueText.parse(block[(timing + 1)...].joined(separator: "\n"), start: start, end: end, entities: true)
      if cue.text.contains(where: { !$0.isWhitespace }) { cues.append(cue) }
    }
    return cues.sorted { $0.start < $1.start }
  }
}
