import Composition
import MediaCore
import PositionedJSON
import Testing
import Text

/// The example of the format's description.
let exampleDocument = #"""
  { "reel": 1,
    "canvas": { "width": 1080, "height": 1920, "frameRate": "30", "background": "#101010" },
    "variables": { "hook": { "type": "media" }, "headline": { "type": "text", "default": "New in" }, "creatorId": { "type": "id" } },
    "metadata": { "prompt": "…", "generator": "…" },
    "sequence": [
      { "media": "{{hook}}", "trim": ["0s", "3s"], "fit": "cover" },
      { "transition": "wipe", "direction": "left", "duration": "0.5s", "easing": "ease-in-out", "softness": 0.1 },
      { "media": "demo.mp4", "trim": ["2.5s", "8s"], "speed": 1.25, "fit": "blur-fill" },
      { "transition": "crossfade", "duration": "0.4s" },
      { "image": "product.jpg", "duration": "3s", "kenBurns": { "from": "center", "to": { "zoom": 1.15, "x": 0.4, "y": 0.5 } } } ],
    "overlays": [ { "image": "logo.png", "anchor": "top-right", "margin": 48, "width": "18%", "opacity": 0.9, "from": "0s", "fadeIn": "0.3s" },
                  { "text": "{{headline}}", "anchor": "bottom", "style": "headline", "from": "1s", "to": "4s", "animation": "slide-up" } ],
    "captions": { "file": "voice.srt", "style": "word-highlight" },
    "audio": { "voice": "voice.mp3", "music": { "file": "song.ogg", "volume": -12, "duck": 9, "fadeOut": "1s" }, "clips": -6, "loudness": -14 },
    "watermark": { "id": "{{creatorId}}" },
    "output": { "preset": "tiktok" } }
  """#

func readDocument(_ text: String, values: [String: String] = [:]) throws(MediaError) -> ReelDocument {
  try ReelDocument(parsing: Array(text.utf8), source: JSONSource("ad.reel.json"), options: ReelDocument.Options(values: values))
}

/// A document whose sequence is `items`.
func sequenceDocument(_ items: String, rest: String = "") -> String { "{\"reel\": 1, \"sequence\": [\(items)]\(rest)}" }

private func reason(_ text: String, values: [String: String] = [:]) -> String {
  do {
    _ = try readDocument(text, values: values)
    return "accepted"
  } catch {
    #expect(error.code == .usage)
    return error.reason + (error.advice.map { " (\($0))" } ?? "")
  }
}

@Suite struct DocumentTests {
  @Test func readsTheExample() throws {
    let document = try readDocument(exampleDocument, values: ["hook": "a b.mp4", "creatorId": "00000000000003e8"])
    #expect(document.canvas == Canvas(width: 1080, height: 1920, frameRate: Rational(30), background: try #require(ReelColor("#101010"))))
    #expect(document.references.map(\.name) == ["a b.mp4", "demo.mp4", "product.jpg", "logo.png", "voice.srt", "voice.mp3", "song.ogg"])
    #expect(document.sequence.count == 5)
    guard case .transition(let wipe) = document.sequence[1] else { throw Failure() }
    #expect(wipe.name == "wipe" && wipe.direction == .left && wipe.easing == .easeInOut && wipe.softness == Rational(1, 10))
    let clips = document.clips
    #expect(clips[1].speed == Rational(5, 4) && clips[1].fit == .blurFill && clips[1].statedDuration == MediaTime(Rational(22, 5)))
    #expect(clips[2].kenBurns == KenBurns(to: KenBurns.Frame(zoom: Rational(23, 20), x: Rational(2, 5))))
    #expect(document.overlays[0].width?.pixels(of: 1080) == 194)
    guard case .text(let text, let style) = document.overlays[1].content else { throw Failure() }
    #expect(text == "New in" && style == TextStyle(named: "headline") && document.overlays[1].animationIn == .slideUp)
    #expect(document.captions?.style.highlight == .word)
    #expect(document.audio.voice.count == 1 && document.audio.music.first?.duck == Rational(9) && document.audio.clips == Rational(-6))
    #expect(document.watermark?.id == 1000)
    #expect(document.output.preset == "tiktok")
    #expect(document.metadata.map(\.key) == ["prompt", "generator"])
    #expect(document.warnings.isEmpty)
  }

  struct Failure: Error {}

  @Test(arguments: [
    ("{\n\"reel\": 1,\n\"sequence\": [,]}", "line 3, column 14 (sequence[0]): expected a value, found ,"),
    ("{\"reel\": 1, \"sequnce\": []}", "line 1, column 13 (sequnce): unknown key \"sequnce\" (did you mean \"sequence\"?)"),
    (
      "{\"reel\": 2, \"sequence\": []}", "line 1, column 10 (reel): version 2 of the reel document is not known (this reel reads version 1)"
    ),
    ("{\"reel\": 1}", "line 1, column 1 (top level): the key \"sequence\" is missing"),
    ("[]", "line 1, column 1 (top level): expected a reel document, found an empty array"),
    ("{\"reel\": 1, \"reel\": 1}", "line 1, column 13 (reel): the key \"reel\" is already given at line 1, column 2"),
    (
      sequenceDocument("{\"media\": \"a\", \"trim\": [\"-1s\", 3]}"),
      "line 1, column 50 (sequence[0].trim[0]): the time -1.000s is negative"
    ),
    (
      sequenceDocument("{\"media\": \"a\", \"trim\": [4, 3]}"),
      "line 1, column 49 (sequence[0].trim): the trim ends before it starts ([start, end] with start below end)"
    ),
    (
      sequenceDocument("{\"media\": \"a\", \"trim\": \"3s\"}"),
      "line 1, column 49 (sequence[0].trim): expected [start, end], two times, found the string \"3s\""
    ),
    (sequenceDocument("{\"media\": 3}"), "line 1, column 36 (sequence[0].media): expected a file name, found the number 3"),
    (
      sequenceDocument("{\"media\": \"a\", \"trimm\": [0, 3]}"),
      "line 1, column 41 (sequence[0].trimm): unknown key \"trimm\" (did you mean \"trim\"?)"
    ),
    (sequenceDocument("{\"image\": \"a\"}"), "line 1, column 26 (sequence[0]): the key \"duration\" is missing"),
    (
      sequenceDocument("{\"meda\": \"a\"}"), "line 1, column 26 (sequence[0]): unknown key \"meda\" (did you mean \"media\"?)"
    ),
    (sequenceDocument(""), "line 1, column 25 (sequence): the sequence is empty (it needs at least one clip)"),
    (
      sequenceDocument("{\"transition\": \"crossfade\", \"duration\": 1}, {\"media\": \"a\"}"),
      "line 1, column 26 (sequence[0]): a transition cannot begin the sequence (it joins the clips before and after it)"
    ),
    (
      sequenceDocument("{\"media\": \"a\"}, {\"transition\": \"crossfade\", \"duration\": 1}"),
      "line 1, column 42 (sequence[1]): a transition cannot end the sequence (it joins the clips before and after it)"
    ),
    (
      sequenceDocument(
        "{\"media\": \"a\"},\n{\"transition\": \"wipe\", \"duration\": 1},\n{\"transition\": \"wipe\", \"duration\": 1}, {\"media\": \"b\"}"
      ),
      "line 3, column 1 (sequence[2]): two transitions in a row (a clip stands between transitions)"
    ),
    (
      sequenceDocument("{\"media\": \"a\", \"trim\": [0, 1]},\n{\"transition\": \"wipe\", \"duration\": 1.5},\n{\"media\": \"b\"}"),
      "line 2, column 1 (sequence[1]): the transition lasts 1.500s, longer than the clip beside it at line 1, column 26, which lasts 1.000s "
        + "(shorten the transition or lengthen the clip)"
    ),
    (
      sequenceDocument("{\"media\": \"{{hook}}\"}"),
      "line 1, column 36 (sequence[0].media): the variable \"hook\" is not declared (declare it under variables)"
    ),
    (
      sequenceDocument("{\"media\": \"{{hok}}\"}", rest: ", \"variables\": {\"hook\": {\"type\": \"media\"}}"),
      "line 1, column 36 (sequence[0].media): the variable \"hok\" is not declared (did you mean \"hook\"?)"
    ),
    (
      sequenceDocument("{\"media\": \"{{hook}}\"}", rest: ", \"variables\": {\"hook\": {\"type\": \"media\"}}"),
      "line 1, column 36 (sequence[0].media): the variable \"hook\" has no value and no default (give one with --set hook=VALUE)"
    ),
    (
      sequenceDocument("{\"media\": \"a\"}", rest: ", \"variables\": {\"n\": {\"type\": \"number\", \"default\": \"x\"}}"),
      "line 1, column 92 (variables.n.default): expected a number, found the string \"x\""
    ),
    (
      sequenceDocument("{\"media\": \"a\"}", rest: ", \"canvas\": {\"width\": 1081, \"height\": 1920}"),
      "line 1, column 63 (canvas.width): 1081 is odd (4:2:0 video has even sides)"
    ),
    (
      sequenceDocument("{\"media\": \"a\"}", rest: ", \"overlays\": [{\"text\": \"a\", \"from\": 2, \"to\": 1}]"),
      "line 1, column 87 (overlays[0].to): the overlay ends before it starts (from 2.000s to 1.000s)"
    ),
  ])
  func saysWhatIsWrongAndWhere(_ text: String, _ expected: String) { #expect(reason(text) == expected) }

  @Test func reportsFurtherErrorsAsDetails() throws {
    let text = sequenceDocument("{\"media\": 1}, {\"media\": \"a\", \"fit\": \"x\"}, {\"image\": \"b\"}")
    let error = #expect(throws: MediaError.self) { try readDocument(text) }
    #expect(error?.reason.contains("sequence[0].media") == true)
    #expect(error?.details.map { $0.contains("sequence[1].fit") } == [true, false])
  }

  @Test func valuesAreTyped() throws {
    let text = """
      {"reel": 1, "variables": {"v": {"type": "number", "default": 1.5}, "c": {"type": "color", "default": "red"}, "t": {"type": "time"},
       "w": {"type": "text", "default": "x"}},
       "sequence": [{"media": "a-{{w}}.mp4", "speed": "{{v}}", "trim": [0, "{{ t }}"]}, {"color": "{{c}}", "duration": 1}],
       "overlays": [{"text": "{{w}} \\\\{{w}} {{w}}{{v}}"}]}
      """
    let document = try readDocument(text, values: ["t": "2s", "w": "é\"{{v}}"])
    #expect(document.clips[0].speed == Rational(3, 2))
    #expect(document.clips[0].reference?.name == "a-é\"{{v}}.mp4")
    #expect(document.clips[0].trimEnd == .time(MediaTime(Rational(2))))
    guard case .text(let content, _) = document.overlays[0].content else { throw Failure() }
    #expect(content == "é\"{{v}} {{w}} é\"{{v}}1.5")
    #expect(reason(text, values: ["t": "soon"]).contains("the variable \"t\" is \"soon\", which is not a time"))
    #expect(reason(text, values: ["t": "1", "v": "fast"]).contains("the variable \"v\" is \"fast\", which is not a number"))
    #expect(reason(text, values: ["tt": "1"]) == "the document declares no variable \"tt\" (did you mean \"t\"?)")
  }

  @Test func anUnusedVariableIsAWarning() throws {
    let document = try readDocument(sequenceDocument("{\"media\": \"a\"}", rest: ", \"variables\": {\"x\": {\"type\": \"text\"}}"))
    #expect(document.warnings == ["line 1, column 62 (variables.x): nothing uses this variable"])
  }

  @Test(arguments: [("29.97", 30000, 1001), ("30", 30, 1), ("24000/1001", 24000, 1001), ("12.5", 25, 2)])
  func frameRates(_ written: String, _ numerator: Int64, _ denominator: Int64) throws {
    let document = try readDocument(sequenceDocument("{\"media\": \"a\"}", rest: ", \"canvas\": {\"frameRate\": \"\(written)\"}"))
    #expect(document.canvas.frameRate == Rational(numerator, denominator))
  }

  /// Cut anywhere, and with any byte replaced, a document is read or refused with a position.
  @Test func survivesDamage() {
    let bytes = Array(exampleDocument.utf8)
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<150 {
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        damaged[Int.random(in: 0..<damaged.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      do throws(MediaError) {
        _ = try ReelDocument(
          parsing: damaged, source: JSONSource("a"), options: ReelDocument.Options(rowValues: ["hook": "a", "creatorId": "1"]))
      } catch {
        #expect(error.reason.hasPrefix("line "), "\(error.reason)")
      }
    }
  }
}

@Suite struct DocumentValueTests {
  @Test(arguments: [("#fff", "#ffffff"), ("#10203040", "#10203040"), ("Red", "#ff0000"), ("#ABCDEF", "#abcdef")])
  func colours(_ written: String, _ expected: String) { #expect(ReelColor(written)?.description == expected) }

  @Test(arguments: ["", "#", "#ff", "#fffff", "fff", "#ggg", "redd", "#1234567890"])
  func notColours(_ written: String) { #expect(ReelColor(written) == nil) }

  /// Reference values of the CSS curves, from the defining polynomials solved to 1e-6.
  @Test func easingFollowsCSS() {
    #expect(abs(Easing.easeInOut.value(at: 0.5) - 0.5) < 1e-6)
    #expect(abs(Easing.easeIn.value(at: 0.5) - 0.315357) < 1e-5)
    #expect(abs(Easing.easeOut.value(at: 0.5) - 0.684643) < 1e-5)
    for easing in [Easing.linear, .easeIn, .easeOut, .easeInOut, .bezier(x1: 0.2, y1: -0.5, x2: 0.7, y2: 1.5)] {
      #expect(easing.value(at: 0) == 0 && easing.value(at: 1) == 1)
      #expect(Easing(easing.description) == easing)
    }
    #expect(Easing("cubic-bezier(2,0,0,1)") == nil && Easing("bounce") == nil)
  }
}
