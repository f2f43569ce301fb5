import Composition
import Glibc
import MediaCore
import PositionedJSON
import TestBasics
import Testing
import Text

/// Documents, timelines, captions and rows with random damage: whatever it is, they are read or refused in one precise line, and never
/// crash. The seeds are fixed; `REELWRIGHT_SLOW=1` tries twenty times as many.
@Suite struct MutationTests {
  static let rounds = getenv("REELWRIGHT_SLOW") != nil ? 20_000 : 1000

  /// What damages: single bytes, lengths, and what people and other programs get wrong.
  private static let tokens: [String] = [
    "null", "true", "-1", "0", "1e999", "99999999999999999999", "0.1", "\"\"", "{}", "[]", "\"{{x}}\"", "\"{{headline}}\"", "\"-5s\"",
    "\"1e9s\"",
    "\"99999999999f\"", "\u{FEFF}", "\u{0}", ",", "}", "]", "\"", "\\u0000", "\\ud800", "00:00:00,000 --> 00:00:00,000",
    "99:99:99,999 --> 00", "<b>", "{\\pos(1e9,-1)}", "{\\t(", "\r\n\r\n", "-->", "\u{202E}", "👩‍👩‍👧‍👦",
  ]

  static func damaged(_ bytes: [UInt8], _ generator: inout SplitMix) -> [UInt8] {
    var result = bytes
    func place() -> Int { Int(generator.next() % UInt64(max(1, result.count))) }
    for _ in 0...Int(generator.next() % 4) {
      guard !result.isEmpty else { break }
      switch generator.next() % 7 {
      case 0: result[place()] = UInt8(truncatingIfNeeded: generator.next())
      case 1: result[place()] ^= 1 << UInt8(generator.next() % 8)
      case 2: result.remove(at: place())
      case 3: result.insert(contentsOf: Array(tokens[Int(generator.next() % UInt64(tokens.count))].utf8), at: place())
      case 4:
        let (a, b) = (place(), place())
        result.removeSubrange(min(a, b)..<min(max(a, b), min(a, b) + 60))
      case 5:
        let start = place()
        result.insert(contentsOf: result[start..<min(result.count, start + 40)], at: place())
      default: result.removeSubrange(place()...)
      }
    }
    return result
  }

  private func check(_ error: MediaError, _ input: [UInt8]) {
    let isOneLine = !error.reason.contains { $0.isNewline }
    #expect(
      !error.reason.isEmpty && isOneLine && error.code != .bug,
      "\(String(reflecting: error.reason)) for \(String(decoding: input, as: UTF8.self))")
  }

  @Test func documentsAreReadOrRefusedAtALine() {
    var generator = SplitMix(state: 7)
    let original = Array(exampleDocument.utf8)
    var accepted = 0
    for _ in 0..<MutationTests.rounds {
      let input = MutationTests.damaged(original, &generator)
      do throws(MediaError) {
        let document = try ReelDocument(
          parsing: input, source: JSONSource("ad.reel.json"), options: .init(values: ["hook": "a.mp4", "creatorId": "1"]))
        let timeline = try Timeline(document) { _ throws(MediaError) in SourceFacts(duration: MediaTime(Rational(10)), hasAudio: true) }
        accepted += 1
        #expect(timeline.frameCount > 0 && timeline.clips.allSatisfy { !$0.frames.isEmpty && $0.frames.lowerBound >= 0 })
        #expect(timeline.layers.allSatisfy { !$0.frames.isEmpty && $0.frames.upperBound <= timeline.frameCount })
      } catch {
        check(error, input)
        #expect(error.reason.contains("line ") || error.reason.contains("variable"), "\(error.reason)")
      }
    }
    // Damage to names and numbers often leaves a document.
    #expect(accepted > 0 && accepted < MutationTests.rounds / 2)
  }

  private static let captions: [(name: String, text: String)] = [
    ("a.srt", "1\n00:00:00,200 --> 00:00:01,300\nThis is <i>the</i> one\n\n2\n00:00:01,400 --> 00:00:02,500\nשלום מרحبا 你好 🎉\n"),
    ("a.vtt", "WEBVTT\n\nSTYLE\n::cue { color: red }\n\n00:00.200 --> 00:01.300 line:80%\n<v Ann>This <00:00:00.800>is\n\nNOTE x\n"),
    (
      "a.ass",
      """
      [Script Info]
      PlayResX: 384
      PlayResY: 288
      [V4+ Styles]
      Format: Name, Fontname, Fontsize, PrimaryColour, Alignment
      Style: Default,Sans,20,&H00FFFFFF,2
      [Events]
      Format: Layer, Start, End, Style, Text
      Dialogue: 0,0:00:00.20,0:00:02.00,Default,{\\fad(200,200)\\t(0,500,\\frz30)}This is {\\p1}m 0 0 l 100 0 100 100{\\p0} the
      """
    ),
    ("a.json", "{\"words\": [{\"word\": \"This\", \"start\": 0.2, \"end\": 0.5}, {\"word\": \"is\", \"start\": 0.5, \"end\": 0.8}]}"),
  ]

  @Test(arguments: [0, 1, 2, 3]) func captionsAreReadOrRefused(_ kind: Int) throws {
    let (name, text) = MutationTests.captions[kind]
    var generator = SplitMix(state: UInt64(100 + kind))
    _ = try CaptionFile(Array(text.utf8), name: name)
    let renderer = try TextRenderer(canvas: FrameSize(96, 160), fonts: [], usesSystemFonts: true)
    for round in 0..<MutationTests.rounds {
      let input = MutationTests.damaged(Array(text.utf8), &generator)
      do throws(MediaError) {
        let file = try CaptionFile(input, name: name)
        let track = CaptionTrack(file, style: TextStyle(), frameRate: Rational(30), frameCount: 75)
        for segment in track.segments { #expect(segment.frames.lowerBound >= 0 && segment.frames.upperBound <= 75) }
        // Drawing costs more than reading.
        if round % 50 == 0 { for frame in [0, 8, 30, 74] { _ = track.picture(at: frame, renderer: renderer) } }
      } catch {
        check(error, input)
      }
    }
  }

  @Test func rowsAndTimelinesAreReadOrRefused() {
    var generator = SplitMix(state: 11)
    let csv = Array("headline,hook\n\"New, \"\"in\"\"\",a.mp4\nGrüße,b.mp4\n\"two\nlines\",c.mp4\n".utf8)
    let lines = Array("{\"headline\": \"New\", \"hook\": \"a.mp4\"}\n{\"headline\": 3}\n".utf8)
    let otio = """
      {"OTIO_SCHEMA": "Timeline.1", "tracks": {"OTIO_SCHEMA": "Stack.1", "children": [{"OTIO_SCHEMA": "Track.1", "kind": "Video", "children": [
       {"OTIO_SCHEMA": "Clip.2", "source_range": {"OTIO_SCHEMA": "TimeRange.1", "start_time": {"OTIO_SCHEMA": "RationalTime.1", "rate": 25,
        "value": 10}, "duration": {"OTIO_SCHEMA": "RationalTime.1", "rate": 25, "value": 50}}, "media_references": {"DEFAULT_MEDIA":
        {"OTIO_SCHEMA": "ExternalReference.1", "target_url": "file:///a%20b.mp4"}}}]}]}}
      """
    for _ in 0..<MutationTests.rounds {
      for (bytes, name) in [(csv, "rows.csv"), (lines, "rows.jsonl")] {
        let input = MutationTests.damaged(bytes, &generator)
        do throws(MediaError) {
          for row in try DataRows(input, name: name).rows { if let error = row.error { check(error, input) } }
        } catch {
          check(error, input)
        }
      }
      let input = MutationTests.damaged(Array(otio.utf8), &generator)
      do throws(MediaError) {
        let text = try OTIOReader.document(String(decoding: input, as: UTF8.self), name: "cut.otio")
        // What it writes is a document, whether or not it makes sense.
        _ = try readDocument(text)
      } catch {
        check(error, input)
      }
    }
  }
}
