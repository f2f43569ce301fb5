import MediaCore
import Testing
import Text

private func cues(_ text: String) throws -> [CaptionCue] {
  guard case .cues(let cues) = try CaptionFile(Array(text.utf8), name: "a.srt").content else { return [] }
  return cues
}

private func ms(_ value: Int64) -> MediaTime { MediaTime(Rational(value, 1000)) }

@Suite struct CaptionFileTests {
  @Test func subRip() throws {
    let text =
      "\u{FEFF}1\r\n00:00:01,000 --> 00:00:02,500\r\nHello <i>you</i>\r\n{\\an8}a < b & {c}\r\n\r\n2\r\n0:01:00.5 --> 00:01:01,25 X1:1\r\n"
      + "<font color=\"#ff8000\">x</font>y\r\n3\r\n00:02:00,000 --> 00:02:01,000\r\nlast"
    let cues = try cues(text)
    #expect(cues.map(\.start) == [ms(1000), ms(60500), ms(120_000)])
    #expect(cues.map(\.end) == [ms(2500), ms(61250), ms(121_000)])
    #expect(cues.map(\.text) == ["Hello you\na < b & {c}", "xy", "last"])
    #expect(cues[0].runs[1] == TextRun("you", italic: true))
    #expect(cues[1].runs[0].color == 0xFF80_00FF)
  }

  @Test func webVTT() throws {
    let text = """
      WEBVTT - title
      Kind: captions

      STYLE
      ::cue { color: red }

      NOTE a comment
      over lines

      one
      00:01.000 --> 00:04.000 align:start position:0%
      <v Bob>Never <00:02.000>drink <00:03.000><c.x>liquid</c> &amp; &lt;nitrogen&gt;

      01:00:00.000 --> 01:00:01.000
      later
      """
    let cues = try cues(text)
    #expect(cues.map(\.text) == ["Never drink liquid & <nitrogen>", "later"])
    #expect(cues[0].words.map(\.text) == ["Never", "drink", "liquid", "&", "<nitrogen>"])
    #expect(cues[0].words.prefix(3).map(\.start) == [ms(1000), ms(2000), ms(3000)])
    #expect(cues[1].start == ms(3_600_000))
  }

  @Test func wordTimings() throws {
    let flat =
      #"[{"word": " Hi", "start": 0.1, "end": 0.4}, {"word": "there.", "start": 0.4, "end": 0.9}, {"text": "So", "start": 1, "end": 1.2}]"#
    #expect(try cues(flat).map(\.text) == ["Hi there.", "So"])
    let whisper = """
      {"language": "en", "segments": [{"id": 0, "start": 0, "end": 2, "text": " a b", "words":
       [{"word": " a", "start": 0.0, "end": 0.30000001192092896, "probability": 0.9}, {"word": " b", "start": 0.5, "end": 2}]},
       {"start": 3, "end": 4, "text": " c"}]}
      """
    let cues = try cues(whisper)
    #expect(cues.map(\.text) == ["a b", "c"])
    #expect(cues[0].words[1] == CaptionCue.Word("b", start: ms(500), end: ms(2000)))
  }

  @Test(arguments: [
    ("1\n00:00:01,000 -> 00:00:02,000\nx", "line 1: expected a number or a time"),
    ("1\n00:00:01,000 --> 00:00:61,000\nx", "line 2: the time is not of the form"),
    ("1\n00:00:02,000 --> 00:00:01,000\nx", "line 2: the caption ends before it starts"),
    ("1\n00:00:01,000 --> 00:00:02,000\nx\n\nstray\n", "line 5: expected a number or a time"),
    ("WEBVTT\n\nstray\ntext\n", "line 3: expected a time"),
    ("WEBVTT\n\n00:01.000 --> 1.000\ntext\n", "line 3: the time is not of the form"),
    ("[{\"word\": \"a\", \"start\": 2, \"end\": 1}]", "line 1, column 2 ([0]): the word ends before it starts"),
    ("[{\"word\": \"a\", \"start\": \"2\", \"end\": 1}]", "line 1, column 25 ([0].start): expected a number of seconds, found the string"),
    ("[{\"word\": \"a\", \"start\": 1e300, \"end\": 1e301}]", "line 1, column 25 ([0].start): the time is out of range"),
    ("[\u{2028}]", "line 1, column 2 ([0]): expected a value, found the character U+2028"),
    ("{\"word\": 1}", "line 1, column 1 (top level): expected an array of words"),
  ])
  func saysWhatIsWrongAndWhere(_ text: String, _ expected: String) {
    let error = #expect(throws: MediaError.self) { try CaptionFile(Array(text.utf8), name: "a.srt") }
    #expect(error?.reason.hasPrefix(expected) == true, "\(error?.reason ?? "")")
    #expect(error?.code == .usage)
  }

  @Test func encodings() throws {
    let text = "1\n00:00:01,000 --> 00:00:02,000\nGrüße"
    var utf16: [UInt8] = [0xFF, 0xFE]
    for unit in text.utf16 { utf16 += [UInt8(truncatingIfNeeded: unit), UInt8(unit >> 8)] }
    guard case .cues(let cues) = try CaptionFile(utf16, name: "a").content else { return }
    #expect(cues.first?.text == "Grüße")
    let error = #expect(throws: MediaError.self) {
      try CaptionFile(Array("1\n00:00:01,000 --> 00:00:02,000\nGr".utf8) + [0xFC], name: "a")
    }
    #expect(error?.reason == "line 3: the text is not valid UTF-8")
    #expect(throws: MediaError.self) { try CaptionFile([0, 1, 2], name: "a") }
  }

  /// Damaged files are read or refused; nothing traps.
  @Test func survivesDamage() {
    let originals = [
      "1\n00:00:01,000 --> 00:00:02,500\nHello <i>you</i> {\\an8}<font color=\"#ff8000\">x</font>\n\n2\n00:00:03,000 --> 00:00:04,000\ny",
      "WEBVTT\n\n00:01.000 --> 00:04.000 align:start\n<v Bob>Never <00:02.000>drink &amp;\n",
      #"{"segments": [{"start": 0, "end": 2, "words": [{"word": " a", "start": 0.0, "end": 0.3}]}]}"#,
    ]
    var random = SystemRandomNumberGenerator()
    var read = 0
    for original in originals {
      for _ in 0..<300 {
        var bytes = Array(original.utf8)
        for _ in 0..<3 { bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random) }
        if (try? CaptionFile(bytes, name: "a")) != nil { read += 1 }
      }
    }
    #expect(read > 0)
  }
}

@Suite struct CaptionTrackTests {
  private func track(_ text: String, style: TextStyle = TextStyle(), offset: MediaTime = .zero) throws -> CaptionTrack {
    CaptionTrack(try CaptionFile(Array(text.utf8), name: "a"), style: style, offset: offset, frameRate: Rational(30), frameCount: 300)
  }

  @Test func timesAreExactToTheFrame() throws {
    let text =
      "00:00:01,016 --> 00:00:02,017\na\n\n00:00:01,500 --> 00:00:02,500\nb\n\n00:00:09,900 --> 00:00:20,000\nc\n\n00:01:00,000 --> 00:01:01,000\nd"
    let track = try track(text)
    // 1.016 s × 30 = 30.48, 2.017 × 30 = 60.51
    #expect(track.segments.map(\.frames) == [30..<45, 45..<61, 61..<75, 297..<300])
    #expect(track.segments.map { $0.runs.map(\.text).joined() } == ["a", "a\nb", "b", "c"])
    #expect(track.warnings.count == 1)
    #expect(try self.track(text, offset: MediaTime(Rational(-1))).segments.first?.frames == 0..<15)
  }

  @Test func wordsAreHighlightedInTurn() throws {
    let words = #"[{"word": "a", "start": 0, "end": 0.5}, {"word": "b", "start": 0.5, "end": 1}, {"word": "c", "start": 1.2, "end": 2}]"#
    var style = TextStyle(highlight: .word, wordsPerCue: 2)
    let lit = try track(words, style: style).segments
    #expect(lit.map(\.frames) == [0..<15, 15..<36, 36..<60])
    #expect(lit[1].runs == [TextRun("a "), TextRun("b", color: style.highlightColor)])
    #expect(lit[2].runs == [TextRun("c", color: style.highlightColor)])
    style.highlight = .fill
    #expect(try track(words, style: style).segments[1].runs.map(\.color) == [style.highlightColor, style.highlightColor])
    style.highlight = .single
    #expect(try track(words, style: style).segments.map(\.runs.count) == [1, 1, 1])
    // Without times of words the cue is shared out by their lengths.
    #expect(try track("00:00:00,000 --> 00:00:01,000\naa bbb", style: style).segments.map(\.frames) == [0..<13, 13..<30])
  }
}
