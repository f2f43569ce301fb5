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

  static func imageFormat(_ file: String, _ option: String) throws -> ImageFormat {
    if let format = ImageFormat(fileName: file) { return format }
    throw MediaError(
      .usage, "bad option --\(option)", reason: "'\(file)' names no image format", advice: "use .jpg, .png, .webp or .ppm")
  }
}
