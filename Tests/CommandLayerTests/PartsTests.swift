import MediaCore
import PositionedJSON
import Testing

@testable import CommandLayer

@Suite("Parts")
struct PartsTests {
  @Test("far words are not suggested, beginnings are")
  func nearest() {
    #expect(NearestMatch.find("watermrak", among: ["render", "watermark"]) == "watermark")
    #expect(NearestMatch.find("xyz", among: ["render", "probe"]) == nil)
    #expect(NearestMatch.find("trans", among: ["render", "transitions"]) == "transitions")
  }

  @Test("the JSON line of progress is that of the contract")
  func progressJSON() {
    let progress = Progress(stage: "encode", done: 0.42, frames: 123, fps: 61, etaSeconds: 4.1)
    #expect(
      ProgressDisplay.json(progress) == #"{"schema":1,"stage":"encode","done":0.42,"frames":123,"fps":61.0,"etaSeconds":4.1}"#)
    let unknown = Progress(stage: "encode", done: nil, frames: 1, fps: .infinity, etaSeconds: nil)
    #expect(ProgressDisplay.json(unknown) == #"{"schema":1,"stage":"encode","done":null,"frames":1,"fps":0,"etaSeconds":null}"#)
  }

  @Test("the bar is never wider than the terminal", arguments: [20, 40, 60, 80, 200])
  func bar(columns: Int) {
    for done in [nil, 0, 0.5, 1, 7] as [Double?] {
      let progress = Progress(stage: "encode", done: done, frames: 1234, fps: 61.04, etaSeconds: 3725)
      let bar = ProgressDisplay.bar(progress, columns: columns, color: false)
      #expect(bar.count < columns)
      if columns >= 60 { #expect(bar.contains("1234 frames  61.0 fps  1:02:05 left")) }
    }
    let half = Progress(stage: "encode", done: 0.5, frames: 1, fps: 1, etaSeconds: 5)
    #expect(ProgressDisplay.bar(half, columns: 200, color: true).contains("\u{1B}[36m"))
    #expect(!ProgressDisplay.bar(half, columns: 200, color: false).contains("\u{1B}"))
  }

  @Test("tables align")
  func table() {
    var table = TextTable()
    table.add("a", "long", "x")
    table.add("bcd", "", "")
    #expect(table.text(indent: 1) == " a    long  x\n bcd\n")
  }
}
