internal import MediaCore

/// How a received picture shows the marked one: received = rotation · scale · (quarter turn, mirror) · canonical.
///
/// Translation is found separately. Scales are in received pixels a unit (1/720 of the marked picture's shorter side).
struct Geometry: Sendable, Hashable {
  var scaleX: Double
  var scaleY: Double
  /// Degrees, clockwise on the screen.
  var rotation = 0.0
  var flipped = false
  /// Turned by 90 degrees before anything else.
  var turned = false
  /// Turned by 180 degrees: the same magnitudes, other phases.
  var reversed = false
  /// A small general correction, multiplied from the left: identity plus these four numbers.
  var correction = Matrix(0, 0, 0, 0)

  struct Matrix: Sendable, Hashable {
    var a: Double
    var b: Double
    var c: Double
    var d: Double
    init(_ a: Double, _ b: Double, _ c: Double, _ d: Double) { (self.a, self.b, self.c, self.d) = (a, b, c, d) }

    static func * (l: Matrix, r: Matrix) -> Matrix {
      Matrix(l.a * r.a + l.b * r.c, l.a * r.b + l.b * r.d, l.c * r.a + l.d * r.c, l.c * r.b + l.d * r.d)
    }
  }

  /// Cycles a received pixel along (x, y) for one lattice step along (x, y): rotation · 1/scale · turn · mirror / 128.
  var frequencyMatrix: Matrix {
    let radians = rotation * .pi / 180
    let (c, s) = (cosine(radians), sine(radians))
    let period = Double(CarrierLayout.period)
    let (p, q) = (1 / (scaleX * period), 1 / (scaleY * period))
    let sign = (reversed ? -1.0 : 1.0)
    let mirror = Matrix((flipped ? -1 : 1) * sign, 0, 0, sign)
    let turn = turned ? Matrix(0, -1, 1, 0) : Matrix(1, 0, 0, 1)
    let corrected = Matrix(1 + correction.a, correction.b, correction.c, 1 + correction.d)
    return corrected * (Matrix(c * p, -s * q, s * p, c * q) * (turn * mirror))
  }
}

/// The transform that a mark was found under, in terms of the marked picture.
public struct MarkTransform: Sendable, Hashable, Codable {
  /// Received size over marked size if the marked picture's shorter side was 720 pixels.
  public var scaleX: Double
  public var scaleY: Double
  public var rotationDegrees: Double
  /// Mirrored left to right.
  public var flipped: Bool
}

extension Geometry {
  /// The centre of a whole received picture of `size`, in lattice units.
  func centre(of size: FrameSize) -> (x: Double, y: Double) {
    let unit = Double(CarrierLayout.shortSide) / Double(min(size.width, size.height))
    let (x, y) = (Double(size.width) / 2 * unit, Double(size.height) / 2 * unit)
    return turned ? (y, x) : (x, y)
  }

  /// `decimation`: received pixels a pixel of the plane that was searched.
  func transform(decimation: Int) -> MarkTransform {
    var degrees = rotation + (turned ? 90 : 0) + (reversed ? 180 : 0)
    if degrees > 180 { degrees -= 360 }
    let factor = Double(decimation)
    return MarkTransform(scaleX: scaleX * factor, scaleY: scaleY * factor, rotationDegrees: degrees, flipped: flipped)
  }
}
