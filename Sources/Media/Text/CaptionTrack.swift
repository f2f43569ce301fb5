public import MediaCore

/// Captions laid out in frames: what is shown when, and its picture.
///
/// Times are rounded to the frame once, like every edit point, so that a caption appears and goes on exact frames whatever the format's own
/// resolution. One thread at a time.
public final class CaptionTrack {
  /// A stretch of frames with one text.
  public struct Segment: Hashable, Sendable {
    public var frames: Range<Int>
    public var runs: [TextRun]
  }

  /// For cues: not overlapping, in order. Empty for scripts.
  public let segments: [Segment]
  /// What is odd but not wrong: captions beyond the end.
  public let warnings: [String]
  private let style: TextStyle
  private let frameRate: Rational
  private let offset: MediaTime
  private let script: String?
  private var track: AssTrack?
  private var current: (key: Int, bitmap: TextBitmap?) = (-1, nil)

  /// `offset` is added to every time; what lies outside 0..<frameCount is cut away.
  public init(_ file: CaptionFile, style: TextStyle, offset: MediaTime = .zero, frameRate: Rational, frameCount: Int) {
    self.style = style
    self.frameRate = frameRate
    self.offset = offset
    switch file.content {
    case .script(let script):
      self.script = script
      segments = []
      warnings = file.warnings
    case .cues(let cues):
      script = nil
      let events = CaptionTrack.events(cues, style: style).map { event in
        (frames: event.frames(offset: offset, rate: frameRate), runs: event.runs)
      }
      segments = CaptionTrack.flatten(events, frameCount: frameCount)
      let late = events.filter { $0.frames.lowerBound >= frameCount }.count
      warnings = file.warnings + (late > 0 ? ["\(late) captions begin after the end and are not shown"] : [])
    }
  }

  /// The frames at which the picture changes. Scripts may change at any frame: nil.
  public var ranges: [Range<Int>]? { script == nil ? segments.map(\.frames) : nil }

  /// The frames at which one caption gives way to another or to nothing; words that light up one after another are one caption.
  public var cueFrames: [Int] {
    var frames: [Int] = []
    var last: (end: Int, text: String)?
    for segment in segments {
      let text = segment.runs.map(\.text).joined()
      if let last, last.end != segment.frames.lowerBound { frames.append(last.end) }
      if last?.end != segment.frames.lowerBound || last?.text != text { frames.append(segment.frames.lowerBound) }
      last = (segment.frames.upperBound, text)
    }
    return frames + (last.map { [$0.end] } ?? [])
  }

  /// Every character that is drawn, to look for fonts.
  public var text: String { script ?? segments.map { $0.runs.map(\.text).joined() }.joined(separator: "\n") }

  /// The picture at an output frame, nil when nothing is shown. `key` stays the same as long as the picture does.
  public func picture(at frame: Int, renderer: TextRenderer) -> (key: Int, bitmap: TextBitmap)? {
    if let script { return scriptPicture(script, at: frame, renderer) }
    var (low, high) = (0, segments.count)
    while low < high {
      let middle = (low + high) / 2
      if segments[middle].frames.upperBound <= frame { low = middle + 1 } else { high = middle }
    }
    guard low < segments.count, segments[low].frames.contains(frame) else { return nil }
    if current.key != low { current = (low, renderer.drawCaption(segments[low].runs, style: style)) }
    return current.bitmap.map { (low, $0) }
  }

  private func scriptPicture(_ script: String, at frame: Int, _ renderer: TextRenderer) -> (key: Int, bitmap: TextBitmap)? {
    if track == nil { track = AssTrack(script, renderer) }
    guard let track else { return nil }
    // libass shows an event when start ≤ time < end, in whole milliseconds. The last millisecond before the middle of the
    // frame makes that the same as rounding start and end to the nearest frame.
    let middle = (Rational(Int64(2 * frame + 1), 2) / frameRate - offset.seconds) * Rational(1000)
    let time = -(Rational.zero - middle).floor - 1
    if case .changed(let bitmap) = renderer.draw(track.pointer, atMilliseconds: time) { current = (current.key + 1, bitmap) }
    return current.bitmap.map { (current.key, $0) }
  }

  // MARK: Events

  private struct Event {
    var start: MediaTime
    var end: MediaTime
    var runs: [TextRun]

    func frames(offset: MediaTime, rate: Rational) -> Range<Int> {
      let from = Int(((start + offset).seconds * rate).rounded)
      return from..<max(from, Int(((end + offset).seconds * rate).rounded))
    }
  }

  private static func events(_ cues: [CaptionCue], style: TextStyle) -> [Event] {
    if style.highlight == .none, style.wordsPerCue == 0 { return cues.map { Event(start: $0.start, end: $0.end, runs: $0.runs) } }
    return cues.flatMap { cue -> [Event] in
      let words = cue.timedWords
      let size = style.wordsPerCue > 0 ? style.wordsPerCue : max(1, words.count)
      return stride(from: 0, to: words.count, by: size).flatMap { first -> [Event] in
        let last = min(first + size, words.count)
        let end = last < words.count ? words[last].start : max(cue.end, words[last - 1].end)
        return events(Array(words[first..<last]), from: first == 0 ? cue.start : words[first].start, to: end, style: style)
      }
    }
  }

  /// One event a word: from its start to the next word's.
  private static func events(_ words: [CaptionCue.Word], from start: MediaTime, to end: MediaTime, style: TextStyle) -> [Event] {
    func runs(_ current: Int) -> [TextRun] {
      if style.highlight == .single { return [TextRun(words[current].text)] }
      return words.indices.map { index in
        let isLit = style.highlight == .word ? index == current : style.highlight == .fill && index <= current
        return TextRun(words[index].text + space(after: index), color: isLit ? style.highlightColor : nil)
      }
    }
    func space(after index: Int) -> String {
      guard index + 1 < words.count, let last = words[index].text.last, let first = words[index + 1].text.first else { return "" }
      return WideText.isWide(last) && WideText.isWide(first) ? "" : " "
    }
    if style.highlight == .none { return [Event(start: start, end: end, runs: runs(0))] }
    return words.indices.map { index in
      Event(
        start: index == 0 ? start : words[index].start, end: index + 1 < words.count ? words[index + 1].start : end, runs: runs(index))
    }
  }

  /// Cuts overlapping events into stretches whose text is that of all events shown, one below the other.
  private static func flatten(_ events: [(frames: Range<Int>, runs: [TextRun])], frameCount: Int) -> [Segment] {
    let shown = events.map { (frames: $0.frames.clamped(to: 0..<max(0, frameCount)), runs: $0.runs) }.filter { !$0.frames.isEmpty }
    let points = Set(shown.flatMap { [$0.frames.lowerBound, $0.frames.upperBound] }).sorted()
    let starts = shown.sorted { $0.frames.lowerBound < $1.frames.lowerBound }
    var next = 0
    var active: [(frames: Range<Int>, runs: [TextRun])] = []
    var segments: [Segment] = []
    for (from, to) in zip(points, points.dropFirst()) {
      while next < starts.count, starts[next].frames.lowerBound <= from {
        active.append(starts[next])
        next += 1
      }
      active.removeAll { $0.frames.upperBound <= from }
      guard !active.isEmpty else { continue }
      let runs = active.dropFirst().reduce(active[0].runs) { $0 + [TextRun("\n")] + $1.runs }
      if let last = segments.last, last.frames.upperBound == from, last.runs == runs {
        segments[segments.count - 1].frames = last.frames.lowerBound..<to
      } else {
        segments.append(Segment(frames: from..<to, runs: runs))
      }
    }
    return segments
  }
}
