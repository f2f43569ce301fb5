import MediaCore
import PositionedJSON
import Text

extension JSONNode {
  func color() throws(MediaError) -> ReelColor {
    guard let asString, let color = ReelColor(asString) else { throw mismatch("a colour (#rrggbb, #rrggbbaa or a name)") }
    return color
  }

  /// A file name.
  func file() throws(MediaError) -> MediaReference {
    let name = try string("a file name")
    guard !name.isEmpty, !name.utf8.contains(0) else { throw mismatch("a file name") }
    return MediaReference(name, place: DocumentPlace(self))
  }

  /// A position in a source: a text in one of the written forms or a number of seconds; not negative.
  func position() throws(MediaError) -> TimePosition {
    let expected = "a time (1.5, \"1.5s\", \"250ms\", \"00:01.5\", \"45f\")"
    let result: TimePosition
    if asNumber != nil {
      result = .time(MediaTime(try number()))
    } else {
      guard let asString, let position = TimePosition(asString) else { throw mismatch(expected) }
      result = position
    }
    if case .time(let time) = result, time < .zero { throw error("the time \(time) is negative") }
    return result
  }

  /// A span or a position of the output: frames count canvas frames. Not negative.
  func time(rate: Rational) throws(MediaError) -> MediaTime {
    switch try position() {
    case .time(let time): time
    case .frame(let frame): MediaTime(Rational(Int64(frame)) / rate)
    }
  }

  func duration(rate: Rational) throws(MediaError) -> MediaTime {
    let time = try time(rate: rate)
    guard time > .zero else { throw error("the duration is zero") }
    return time
  }

  /// `48`, `"48"`, `"48px"` or `"18%"`.
  func length() throws(MediaError) -> Length {
    if asNumber != nil { return .pixels(try number(in: Rational(0)...Rational(100_000))) }
    let expected = "a length in pixels or a percentage (48, \"18%\")"
    guard let asString else { throw mismatch(expected) }
    let isPercentage = asString.hasSuffix("%")
    let digits = isPercentage ? asString.dropLast() : asString.hasSuffix("px") ? asString.dropLast(2) : asString[...]
    guard let value = Rational.decimal(digits) else { throw mismatch(expected) }
    guard value >= .zero, value <= Rational(isPercentage ? 1000 : 100_000) else { throw error("the length is out of range") }
    return isPercentage ? .fraction(value / Rational(100)) : .pixels(value)
  }

  /// A number of 0...1, or a percentage.
  func part() throws(MediaError) -> Rational {
    if let asString, asString.hasSuffix("%"), let value = Rational.decimal(asString.dropLast()), value >= .zero, value <= Rational(100) {
      return value / Rational(100)
    }
    guard asNumber != nil else { throw mismatch("a number from 0 to 1 or a percentage") }
    return try number(in: .zero...Rational(1))
  }

  /// Decibels: `-12` or `"-12dB"`.
  func decibels() throws(MediaError) -> Rational {
    let range = Rational(-120)...Rational(40)
    if let asString, asString.hasSuffix("dB"), let value = Rational.decimal(asString.dropLast(2).filter { $0 != " " }) {
      guard range.contains(value) else { throw error("the level is out of range", advice: "from -120 to 40 dB") }
      return value
    }
    guard asNumber != nil else { throw mismatch("a level in decibels (-12)") }
    return try number(in: range)
  }

  /// Decibels, or false for silence (nil).
  func volume() throws(MediaError) -> Rational? {
    if case .bool(let isOn) = value.content {
      guard !isOn else { throw mismatch("a level in decibels, or false for silence") }
      return nil
    }
    return try decibels()
  }

  func easing() throws(MediaError) -> Easing {
    let text = try string("an easing (\(Easing.names.joined(separator: ", ")) or cubic-bezier(x1,y1,x2,y2))")
    guard let easing = Easing(text) else { throw unknownName(text, among: Easing.names + ["cubic-bezier(x1,y1,x2,y2)"]) }
    return easing
  }

  /// `[start, end]` in source time; either may be null, the end may be absent.
  func trim() throws(MediaError) -> (start: TimePosition, end: TimePosition?) {
    guard let asArray, (1...2).contains(asArray.count) else { throw mismatch("[start, end], two times") }
    let start = asArray[0].isNull ? TimePosition.time(.zero) : try asArray[0].position()
    let end = asArray.count < 2 || asArray[1].isNull ? nil : try asArray[1].position()
    let isForward =
      switch (start, end) {
      case (.time(let start), .time(let end)?): start < end
      case (.frame(let start), .frame(let end)?): start < end
      default: true
      }
    guard isForward else { throw error("the trim ends before it starts", advice: "[start, end] with start below end") }
    return (start, end)
  }

  /// `{"x": 0.5, "y": 0.5}` or the name of an anchor, as fractions.
  func point() throws(MediaError) -> (x: Rational, y: Rational) {
    if asString != nil { return try choice(Anchor.self).point }
    var fields = try fields("a point ({\"x\": 0.5, \"y\": 0.5} or \"center\")")
    let x = try fields.required("x").part()
    let y = try fields.required("y").part()
    try fields.finish()
    return (x, y)
  }
}
