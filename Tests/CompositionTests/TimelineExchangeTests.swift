import Composition
import MediaCore
import PositionedJSON
import Testing

/// OpenTimelineIO timelines read as documents. What OpenTimelineIO itself makes of ours is in Benchmarks/otio_check.py.
@Suite struct TimelineExchangeTests {
  private func time(_ value: Double, rate: Double = 25) -> String {
    #"{"OTIO_SCHEMA": "RationalTime.1", "rate": \#(rate), "value": \#(value)}"#
  }

  private func range(_ start: Double, _ duration: Double) -> String {
    #"{"OTIO_SCHEMA": "TimeRange.1", "start_time": \#(time(start)), "duration": \#(time(duration))}"#
  }

  private func clip(_ url: String, _ start: Double, _ duration: Double, effects: String = "[]", available: String = "null") -> String {
    """
    {"OTIO_SCHEMA": "Clip.2", "metadata": {}, "name": "x", "source_range": \(range(start, duration)), "effects": \(effects), "markers": [],
     "enabled": true, "active_media_reference_key": "DEFAULT_MEDIA",
     "media_references": {"DEFAULT_MEDIA": {"OTIO_SCHEMA": "ExternalReference.1", "target_url": "\(url)", "available_range": \(available)}}}
    """
  }

  private func timeline(_ video: [String], audio: [String] = []) -> String {
    func track(_ kind: String, _ children: [String]) -> String {
      #"{"OTIO_SCHEMA": "Track.1", "kind": "\#(kind)", "children": [\#(children.joined(separator: ","))]}"#
    }
    let tracks = [track("Video", video)] + (audio.isEmpty ? [] : [track("Audio", audio)])
    return """
      {"OTIO_SCHEMA": "Timeline.1", "metadata": {}, "name": "t", "global_start_time": null,
       "tracks": {"OTIO_SCHEMA": "Stack.1", "children": [\(tracks.joined(separator: ","))]}}
      """
  }

  private func document(_ text: String) throws -> ReelDocument {
    #expect(OTIOReader.recognises(text))
    let written = try OTIOReader.document(text, name: "cut.otio")
    return try ReelDocument(parsing: Array(written.utf8), source: JSONSource("cut.otio"))
  }

  private let dissolve = """
    {"OTIO_SCHEMA": "Transition.1", "transition_type": "SMPTE_Dissolve",
     "in_offset": {"OTIO_SCHEMA": "RationalTime.1", "rate": 25, "value": 5},
     "out_offset": {"OTIO_SCHEMA": "RationalTime.1", "rate": 25, "value": 10}}
    """

  @Test func aTransitionTakesWhatLiesBeyondTheCut() throws {
    let read = try document(timeline([clip("a.mp4", 50, 100), dissolve, clip("file:///media/b%20c.mp4", 25, 75)]))
    #expect(read.canvas.frameRate == Rational(25))
    #expect(read.clips.count == 2)
    // 2 s to 6 s and ten frames more; 1 s less five frames to 4 s.
    #expect(read.clips[0].trimStart == .time(MediaTime(Rational(2))) && read.clips[0].trimEnd == .time(MediaTime(Rational(64, 10))))
    #expect(read.clips[1].trimStart == .time(MediaTime(Rational(8, 10))) && read.clips[1].trimEnd == .time(MediaTime(Rational(4))))
    #expect(read.clips[1].reference?.name == "/media/b c.mp4")
    let timeline = try Timeline(read) { _ in SourceFacts(duration: MediaTime(Rational(20))) }
    // The cut is as long as its clips say: 100 and 75 frames.
    #expect(timeline.frameCount == 175)
    #expect(timeline.joins[0].frames == 95..<110)
  }

  @Test func timeCodeWarpsGapsAndSoundAreUnderstood() throws {
    let warp = #"[{"OTIO_SCHEMA": "LinearTimeWarp.1", "time_scalar": 2.0}]"#
    let gap = #"{"OTIO_SCHEMA": "Gap.1", "source_range": \#(range(0, 25))}"#
    let read = try document(
      timeline(
        [clip("a.mp4", 90025, 50, effects: warp, available: range(90000, 500)), gap, clip("still.PNG", 0, 50)],
        audio: [clip("a.mp4", 90025, 50, available: range(90000, 500)), clip("voice.wav", 25, 75)]))
    #expect(read.clips[0].trimStart == .time(MediaTime(Rational(1))) && read.clips[0].trimEnd == .time(MediaTime(Rational(5))))
    #expect(read.clips[0].speed == Rational(2))
    #expect(read.clips[1].statedDuration == MediaTime(Rational(1)))
    #expect(read.clips[2].statedDuration == MediaTime(Rational(2)))
    #expect(read.audio.clips == .zero)
    #expect(read.audio.music.map(\.file.name) == ["voice.wav"])
    #expect(read.audio.music.first?.from == MediaTime(Rational(2)) && read.audio.music.first?.trimStart == MediaTime(Rational(1)))
  }

  @Test(arguments: [
    (#"{"OTIO_SCHEMA": "Clip.1"}"#, "OpenTimelineIO timeline"),
    (#"{"OTIO_SCHEMA": "Timeline.1"}"#, "tracks"),
    (#"{"OTIO_SCHEMA": "Timeline.1", "tracks": {"OTIO_SCHEMA": "Stack.1", "children": []}}"#, "no track of pictures"),
    (#"{"OTIO_SCHEMA": "Timeline.1", "tracks": 7}"#, "no track of pictures"),
  ]) func whatIsNoTimelineIsSaid(_ text: String, _ reason: String) {
    let error = #expect(throws: MediaError.self) { try OTIOReader.document(text, name: "bad.otio") }
    let message = error?.description ?? ""
    #expect(message.contains(reason), "\(message)")
  }

  @Test func whatCannotBeShownIsRefused() throws {
    let freeze = #"[{"OTIO_SCHEMA": "FreezeFrame.1"}]"#
    let error = #expect(throws: MediaError.self) {
      try OTIOReader.document(timeline([clip("a.mp4", 0, 50, effects: freeze)]), name: "bad.otio")
    }
    #expect(error?.code == .unavailable)
    #expect(error?.reason.contains("FreezeFrame") == true)
  }
}
