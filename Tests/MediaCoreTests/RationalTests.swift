import MediaCore
import Testing

@Suite struct RationalTests {
  @Test func reducesAndKeepsTheSignInTheNumerator() {
    #expect(Rational(6, -4) == Rational(-3, 2))
    #expect(Rational(5, 0) == .zero)
  }

  @Test(arguments: [("30000/1001", 30000, 1001), ("30", 30, 1), ("29.97", 2997, 100), ("-.5", -1, 2)])
  func readsWhatPeopleWrite(_ text: String, _ numerator: Int64, _ denominator: Int64) {
    #expect(Rational(text) == Rational(numerator, denominator))
  }

  @Test(arguments: ["", "1/0", "1/", "x", "1.2.3", "1e3", "nan", "--1"])
  func refusesTheRest(_ text: String) { #expect(Rational(text) == nil) }

  @Test func roundsHalvesAwayFromZero() {
    #expect([Rational(5, 2), Rational(-5, 2), Rational(7, 3)].map(\.rounded) == [3, -3, 2])
    #expect([Rational(5, 2), Rational(-5, 2)].map(\.floor) == [2, -3])
  }
}

@Suite struct TimePositionTests {
  @Test(arguments: [
    ("1.5", 1.5), ("1.5s", 1.5), ("250ms", 0.25), ("00:01:02.500", 62.5), ("1:02", 62), ("-1", -1),
  ])
  func readsTimes(_ text: String, _ seconds: Double) {
    #expect(TimePosition(text) == .time(MediaTime(seconds: seconds)))
  }

  @Test func readsFrames() { #expect(TimePosition("45f") == .frame(45)) }

  @Test(arguments: ["", "f", "-1f", "nan", "1:60", "1:2:3:4", "s", "ms", "1 s"])
  func refusesTheRest(_ text: String) { #expect(TimePosition(text) == nil) }
}
