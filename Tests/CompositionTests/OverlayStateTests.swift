import Composition
import MediaCore
import Testing

@Suite struct OverlayStateTests {
  @Test func overlaysComeAndGo() throws {
    let document = try readDocument(exampleDocument, values: ["hook": "a.mp4", "creatorId": "1"])
    let timeline = try Timeline(document) { _ throws(MediaError) in SourceFacts(duration: MediaTime(Rational(10))) }
    let logo = timeline.layers[0]
    let text = timeline.layers[1]
    #expect(abs(logo.state(at: 0, frameRate: Rational(30)).opacity - 0.9 / 18) < 1e-9)
    #expect(logo.state(at: 20, frameRate: Rational(30)) == OverlayState(opacity: 0.9))
    let states = text.frames.map { text.state(at: $0, frameRate: Rational(30)) }
    #expect(states[0].offsetY > 0.8 && !states[0].isAtRest && states[20].isAtRest && states.last?.isAtRest == true)
    #expect(states.map(\.offsetY) == states.map(\.offsetY).sorted(by: >))
  }

  @Test(arguments: Overlay.Animation.allCases)
  func animationsEndAtRestAndNeverLeaveTheirBounds(_ animation: Overlay.Animation) {
    var overlay = Overlay(.image(MediaReference("a")))
    overlay.animationIn = animation
    overlay.animationOut = animation
    let layer = Timeline.Layer(overlay: overlay, index: 0, frames: 0..<60)
    let states = (0..<60).map { layer.state(at: $0, frameRate: Rational(30)) }
    #expect(states[30] == OverlayState(opacity: 1))
    #expect(states.allSatisfy { (0...1).contains($0.opacity) && (0...1.2).contains($0.scale) })
    #expect(states.map(\.opacity) == states.reversed().map(\.opacity))
  }
}
