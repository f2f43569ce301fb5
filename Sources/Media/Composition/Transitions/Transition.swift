internal import Glibc
public import MediaCore
internal import PositionedJSON

/// How one picture gives way to the next: a name of the catalogue and its parameters.
///
/// Duration and easing belong to the timeline: a renderer is asked for a progress of 0…1 that has been eased already.
/// A parameter that the named transition does not use is ignored; `TransitionCatalogue` says which it uses.
public struct Transition: Sendable {
  /// A name of the catalogue.
  public let name: String
  /// Where the front or the pictures move to, in degrees clockwise: 0 right, 90 down, 180 left, 270 up.
  public var direction: Double
  /// Width of a moving edge as a part of its way, 0 (sharp) to 1.
  public var softness: Double
  /// Red, green, blue 0…255.
  public var color: Color
  /// Fractions of width and height; default the middle.
  public var center: (x: Double, y: Double) = (0.5, 0.5)
  /// For what looks random; the same seed gives the same pictures. Default 0.
  public var seed: UInt64 = 0
  /// Bands, arms, tiles across the picture.
  public var count: Double
  /// How strong distortions are; 1 is the usual look.
  public var strength: Double = 1
  /// For `luma-map`: when each place changes, dark first.
  public var map: TransitionMap?
  /// For `custom`: xfade's expression language.
  public var expression: String?

  /// A colour of 8-bit R'G'B'.
  public struct Color: Hashable, Sendable {
    public var red: UInt8
    public var green: UInt8
    public var blue: UInt8

    public init(red: UInt8, green: UInt8, blue: UInt8) {
      self.red = red
      self.green = green
      self.blue = blue
    }

    public static let black = Color(red: 0, green: 0, blue: 0)
    public static let white = Color(red: 255, green: 255, blue: 255)
  }

  /// The transition of that name with the catalogue's defaults.
  /// - Throws: `usage` with the nearest name when there is none.
  public init(_ name: String) throws(MediaError) {
    guard let entry = TransitionCatalogue.entry(name) else {
      let near = NearestMatch.find(name, among: TransitionCatalogue.names)
      throw MediaError(
        .usage, "cannot use the transition \"\(name)\"", reason: "there is no transition of that name",
        advice: near.map { "did you mean \"\($0)\"?" } ?? "see reel transitions")
    }
    self.init(entry: entry)
  }

  init(entry: TransitionDescription) {
    name = entry.name
    direction = entry.direction ?? 180
    softness = entry.softness ?? 0
    color = entry.color ?? .black
    count = entry.count ?? 1
  }

  /// The unit vector of `direction`, y downwards.
  var vector: (x: Double, y: Double) {
    let angle = direction * .pi / 180
    let (x, y) = (cos(angle), sin(angle))
    // Quarter turns are exact, so that a wipe to the left has no slope.
    return (x.magnitude < 1e-9 ? 0 : x, y.magnitude < 1e-9 ? 0 : y)
  }
}
