import CommandLayer
import Reelwright

/// The options of `reel frames` that say which frames.
enum FrameOptions {
  private static let selections = ["at", "every", "count", "indices", "range", "keyframes", "scenes", "last", "sharpest"]

  /// Nil when none is given.
  static func selection(_ invocation: Invocation) throws -> FrameSelection? {
    let given = selections.filter { invocation.has($0) }
    guard let name = given.first else { return nil }
    if given.count > 1 {
      throw MediaError(
        .usage, invocation.commandLine, reason: "--\(given[0]) and --\(given[1]) exclude each other", advice: "give one of them")
    }
    let text = invocation.value(name) ?? ""
    switch name {
    case "at": return .positions(try positions(text, name))
    case "every":
      guard case .time(let interval) = try Invocation.position(text, "bad option --every"), interval > .zero else {
        throw MediaError(.usage, "bad option --every", reason: "'\(text)' is not an interval", advice: "as in 1.5s or 250ms")
      }
      return .every(interval)
    case "count": return .uniform(count: invocation.integer("count") ?? 1)
    case "indices":
      return .positions(
        try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
          guard let number = Int(part), number >= 0 else {
            throw MediaError(.usage, "bad option --indices", reason: "'\(part)' is no frame number", advice: "as in 0,30,60")
          }
          return .frame(number)
        })
    case "range": return try range(text)
    case "keyframes": return .keyframes
    case "scenes": return .sceneChanges(threshold: FrameSelection.defaultSceneThreshold)
    case "last": return .last
    default:
      return .sharpest(
        try positions(text, name).map { position in
          guard case .time(let time) = position else {
            throw MediaError(.usage, "bad option --sharpest", reason: "frame numbers are no times", advice: "as in 1.5,30")
          }
          return time
        }, window: FrameSelection.defaultSharpestWindow)
    }
  }

  private static func positions(_ text: String, _ option: String) throws -> [TimePosition] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map { try Invocation.position($0, "bad option --\(option)") }
  }

  private static func range(_ text: String) throws -> FrameSelection {
    switch try Values.range(text, option: "range") {
    case (.frame(let first)?, .frame(let last)?):
      guard first < last, last - first <= 1_000_000 else {
        throw MediaError(.usage, "bad option --range", reason: "'\(text)' holds no frame", advice: "as in 30f..60f")
      }
      return .positions((first..<last).map { .frame($0) })
    case (.frame?, _), (_, .frame?):
      throw MediaError(
        .usage, "bad option --range", reason: "'\(text)' mixes times and frame numbers", advice: "as in 1.5..3 or 30f..60f")
    case (let first, let last):
      var range = TimeRange()
      if case .time(let time)? = first { range.start = time }
      if case .time(let time)? = last { range.end = time }
      if let end = range.end, end <= range.start {
        throw MediaError(.usage, "bad option --range", reason: "'\(text)' is empty", advice: "the end is exclusive and after the start")
      }
      return .range(range)
    }
  }

  static func tolerance(_ invocation: Invocation) throws -> FrameTolerance {
    switch invocation.value("tolerance") {
    case nil, "exact"?: return .exact
    case "keyframe"?: return .keyframe
    case let text?:
      guard case .time(let distance) = try Invocation.position(text, "bad option --tolerance"), distance >= .zero else {
        throw MediaError(.usage, "bad option --tolerance", reason: "'\(text)' is no tolerance", advice: "as in exact, keyframe or 0.5s")
      }
      return .within(distance)
    }
  }

  /// `CxR`, at most 10 000 tiles.
  static func tiles(_ text: String) throws -> FrameSize {
    let sides = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    guard sides.count == 2, sides.allSatisfy({ (1...10_000).contains($0) }), sides[0] * sides[1] <= 10_000 else {
      throw MediaError(
        .usage, "bad option --sheet", reason: "'\(text)' is not a number of columns and rows with at most 10000 tiles",
        advice: "as in 5x5")
    }
    return FrameSize(sides[0], sides[1])
  }

  /// What the image files are and how they are called. The extension of `--name` says the format where `--format` does not.
  static func images(_ invocation: Invocation, stem: String) throws -> FramesTask.Images {
    var images = FramesTask.Images()
    images.stem = stem
    images.quality = invocation.integer("quality")
    let given = invocation.has("format") ? invocation.value("format").flatMap(ImageFormat.init(rawValue:)) : nil
    images.format = given ?? .jpg
    guard let pattern = invocation.value("name") else { return images }
    images.pattern = pattern
    guard let suffix = literalExtension(pattern) else { return images }
    let named = ImageFormat(fileName: "." + suffix)
    if let given {
      guard named == nil || named == given else {
        throw MediaError(
          .usage, "bad option --name", reason: "'\(pattern)' is no name for --format \(given.rawValue)",
          advice: "leave --format out, or let the name end in {ext}")
      }
    } else {
      images.format = try imageFormat(pattern, "name")
    }
    return images
  }

  /// The extension that stands in a name pattern: letters and digits after the last point, at least one letter among them; nil for none.
  private static func literalExtension(_ pattern: String) -> Substring? {
    guard let dot = pattern.lastIndex(of: ".") else { return nil }
    let suffix = pattern[pattern.index(after: dot)...]
    guard suffix.count <= 5, suffix.allSatisfy({ $0.isLetter || $0.isNumber }), suffix.contains(where: \.isLetter) else { return nil }
    return suffix
  }

  static func imageFormat(_ file: String, _ option: String) throws -> ImageFormat {
    if let format = ImageFormat(fileName: file) { return format }
    throw MediaError(
      .usage, "bad option --\(option)", reason: "'\(file)' names no image format", advice: "use .jpg, .png, .webp or .ppm")
  }
}
