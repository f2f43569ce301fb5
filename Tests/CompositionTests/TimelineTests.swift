import Composition
import MediaCore
import TestBasics
import Testing

private func timeline(_ document: ReelDocument, lasting seconds: Rational = Rational(10)) throws -> Timeline {
  try Timeline(document) { _ throws(MediaError) in SourceFacts(duration: MediaTime(seconds), frameTimes: [45: MediaTime(Rational(3, 2))]) }
}

private func seconds(_ n: Int64, _ d: Int64 = 1) -> MediaTime { MediaTime(Rational(n, d)) }

@Suite struct TimelineTests {
  @Test func example() throws {
    let document = try readDocument(exampleDocument, values: ["hook": "a.mp4", "creatorId": "1"])
    let timeline = try timeline(document)
    // 3 − 0.5 + 4.4 − 0.4 + 3 = 9.5 s
    #expect(timeline.frameCount == 285)
    #expect(timeline.clips.map(\.frames) == [0..<90, 75..<207, 195..<285])
    #expect(timeline.joins.map(\.frames) == [75..<90, 195..<207])
    #expect(timeline.layers.map(\.frames) == [0..<285, 30..<120])
    #expect(timeline.editPoints() == [30, 75, 90, 120, 195, 207])
    guard case .joined(let a, let b, let join, let progress) = timeline.composite(at: 75) else { throw DocumentTests.Failure() }
    #expect(a.clip == 0 && a.sourceTime == seconds(5, 2) && b.sourceTime == seconds(5, 2) && join == 0 && progress == Rational(1, 30))
    guard case .single(let picture) = timeline.composite(at: 100) else { throw DocumentTests.Failure() }
    #expect(picture.clip == 1 && picture.offset == 25 && picture.sourceTime == seconds(5, 2) + seconds(25, 24))
    #expect(timeline.layers(at: 29).count == 1 && timeline.layers(at: 30).count == 2)
  }

  /// No drift: whatever the lengths and the rate, the total is the rounded exact sum, every point is within half a frame of its exact place,
  /// and every frame is made of exactly one clip or of the two that overlap there.
  @Test(arguments: [Rational(30), Rational(30000, 1001), Rational(24000, 1001), Rational(25), Rational(60), Rational(25, 2)], 0..<2)
  func neverDrifts(_ rate: Rational, _ seed: UInt64) throws {
    var random = SplitMix(state: seed)
    var items: [SequenceItem] = []
    var exact = MediaTime.zero
    var starts: [MediaTime] = []
    for index in 0..<60 {
      let duration = MediaTime(Rational(Int64.random(in: 500...5000, using: &random), 1001))
      if index > 0, Bool.random(using: &random) {
        let overlap = MediaTime(Rational(Int64.random(in: 1...249, using: &random), 1001))
        items.append(.transition(TransitionItem("crossfade", duration: overlap)))
        exact = exact - overlap
      }
      starts.append(exact)
      items.append(.clip(Clip(.color(.black), duration: duration)))
      exact = exact + duration
    }
    let document = ReelDocument(canvas: Canvas(width: 64, height: 64, frameRate: rate), sequence: items)
    let timeline = try timeline(document)
    #expect(timeline.frameCount == Int((exact.seconds * rate).rounded))
    for (clip, start) in zip(timeline.clips, starts) {
      let error = Rational(Int64(clip.frames.lowerBound)) - start.seconds * rate
      #expect(error <= Rational(1, 2) && error >= Rational(-1, 2))
    }
    for frame in 0..<timeline.frameCount {
      let showing = timeline.clips.indices.filter { timeline.clips[$0].frames.contains(frame) }
      switch timeline.composite(at: frame) {
      case .single(let picture): #expect(showing == [picture.clip])
      case .joined(let a, let b, let join, let progress):
        #expect(showing == [a.clip, b.clip] && timeline.joins[join].outgoing == a.clip)
        #expect(progress > .zero && progress < Rational(1))
      }
    }
    for join in timeline.joins {
      let values = join.frames.map { join.progress(at: $0) }
      #expect(values == values.sorted() && values.first.map { $0 + (values.last ?? .zero) } == Rational(1))
    }
  }

  @Test func sourcesAreResolved() throws {
    let document = try readDocument(
      sequenceDocument("{\"media\": \"a\", \"trim\": [\"45f\", null], \"speed\": 2}, {\"media\": \"b\", \"duration\": \"30f\"}"))
    let timeline = try timeline(document)
    #expect(timeline.clips[0].sourceStart == seconds(3, 2) && timeline.clips[0].sourceEnd == seconds(10))
    #expect(timeline.clips[0].frames == 0..<128)
    #expect(timeline.picture(0, at: 3).sourceTime == seconds(3, 2) + seconds(1, 5))
    #expect(timeline.clips[1].frames.count == 30 && timeline.clips[1].sourceEnd == seconds(1))
    #expect(document.namedFrames == ["a": [45]])
  }

  @Test(arguments: [
    ("{\"media\": \"a\", \"trim\": [11, 12]}", "the trim starts at 11.000s, but a lasts 10.000s"),
    ("{\"media\": \"a\", \"trim\": [1, 12]}", "the trim ends at 12.000s, but a lasts 10.000s"),
    ("{\"media\": \"a\", \"duration\": 10.1}", "the trim ends at 10.100s, but a lasts 10.000s"),
    ("{\"media\": \"a\", \"trim\": [\"46f\", null]}", "a has no frame 46"),
    ("{\"media\": \"a\", \"trim\": [0, 0.001]}", "the clip lasts 0.001 s, less than a frame of the canvas"),
    ("{\"media\": \"a\"}, {\"transition\": \"wipe\", \"duration\": 11}, {\"media\": \"b\"}", "longer than the clip beside it"),
    (
      "{\"media\": \"a\"}, {\"transition\": \"wipe\", \"duration\": 6}, {\"media\": \"b\"}, {\"transition\": \"wipe\", \"duration\": 6}, {\"media\": \"b\"}",
      "shorter than the transitions on both of its sides together (6.000s + 6.000s)"
    ),
  ])
  func refusesWhatTheMediaCannotGive(_ items: String, _ expected: String) throws {
    let document = try readDocument(sequenceDocument(items))
    let error = #expect(throws: MediaError.self) { try timeline(document) }
    #expect(error?.reason.contains(expected) == true, "\(error?.reason ?? "")")
    #expect(error?.reason.hasPrefix("line 1, column ") == true)
  }

  @Test func overlaysBeyondTheEndAreWarnings() throws {
    let document = try readDocument(
      sequenceDocument(
        "{\"media\": \"a\"}", rest: ", \"overlays\": [{\"text\": \"a\", \"from\": 11}, {\"text\": \"b\", \"from\": 9, \"to\": 99}]"))
    let timeline = try timeline(document)
    #expect(timeline.layers.map(\.frames) == [270..<300])
    #expect(timeline.warnings.count == 1 && timeline.warnings[0].contains("overlays[0]"))
  }
}
