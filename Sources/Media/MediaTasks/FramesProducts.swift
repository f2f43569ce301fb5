import FFmpegBridge
import FileAccess
import FrameExtraction
import MediaCore

/// Writes what a `FramesTask` produces, as the results come.
final class FramesProducts {
  private let task: FramesTask
  private let context: TaskContext
  private var sheet: ContactSheet?
  private var preview: AnimatedPreview?
  private var page: ContactSheet?
  private var pageCount = 0
  private var pageFill = 0
  private var track: SpriteTrack
  private var trackOutput: OutputFile?
  private var placed = 0
  private var leftOver = 0
  private var spriteFiles: [String] = []
  /// The image files so far, each with the time of its picture.
  private var imageTimes: [String: MediaTime] = [:]
  private static let spriteColumns = 10

  init(_ task: FramesTask, context: TaskContext, end: MediaTime?) {
    self.task = task
    self.context = context
    track = SpriteTrack(end: end ?? .zero)
    sheet = task.sheet.map { ContactSheet(columns: $0.columns, rows: $0.rows) }
    preview = task.preview.map { AnimatedPreview($0.format, environment: context.environment()) }
  }

  func take(_ result: FrameResult<FramesRenderer.Rendered>) throws(MediaError) -> FramesReport.Frame {
    var entry = FramesReport.Frame(
      index: result.index, requested: result.requested?.doubleValue, actual: result.actual?.doubleValue,
      pts: result.actual?.seconds.description, placement: result.placement.rawValue)
    let rendered: FramesRenderer.Rendered
    let time = result.actual ?? .zero
    do throws(MediaError) {
      rendered = try result.output.get()
    } catch {
      try fail(&entry, error)
      return entry
    }
    if let image = rendered.image {
      do throws(MediaError) { entry.file = try write(image, result.index, time) } catch { try fail(&entry, error) }
    }
    // What all frames make together fails once, not with each of them.
    if let tile = rendered.tile { try put(tile, time) }
    if let sprite = rendered.sprite { try putSprite(sprite, time) }
    if let still = rendered.still { try preview?.add(still) }
    return entry
  }

  /// A full disk or a cancelled run concerns everything that follows; the rest only this item.
  private func fail(_ entry: inout FramesReport.Frame, _ error: MediaError) throws(MediaError) {
    if error.code == .io || error.code == .cancelled { throw error }
    entry.error = FramesReport.Failure(code: error.code.name, message: error.description, exitStatus: error.code.exitStatus)
  }

  func finish(_ report: inout FramesReport) throws(MediaError) {
    if report.frames.isEmpty { report.warnings.append("the selection gave no frame: nothing was written") }
    if leftOver > 0 { report.warnings.append("the sheet has no place for \(leftOver) of the frames") }
    if let sheet, let picture = sheet.picture, let format = task.sheet?.format {
      try write(try ImageWriter(format).encode(picture), to: "sheet")
      report.products.append("sheet")
    }
    if let preview, !preview.isEmpty {
      try preview.write(to: try context.files.createOutput("preview"))
      try context.files.completeOutput("preview")
      report.products.append("preview")
    }
    if let trackOutput, let trackName {
      try closePage(isOnly: pageCount == 0)
      try FileWriter.write(Array(track.text.utf8), to: trackOutput)
      // The sheets and their track appear together, when none of them is in the way of another file.
      for name in spriteFiles + [trackName] { try context.files.completeOutput(name) }
      report.products += spriteFiles + [trackName]
    }
  }

  private func write(_ bytes: [UInt8], to name: String) throws(MediaError) {
    try FileWriter.write(bytes, to: try context.files.createOutput(name))
    try context.files.completeOutput(name)
  }

  // MARK: Image files

  private func write(_ image: [UInt8], _ index: Int, _ time: MediaTime) throws(MediaError) -> String {
    guard let images = task.images else { return "" }
    let name = try Self.name(images, index: index, time: time)
    if let earlier = imageTimes[name] {
      // The same picture again, as where two times fall into one frame, is there already.
      if earlier == time { return name }
      throw MediaError(
        .usage, "cannot write \(name)", reason: "another frame of this run has that name", advice: "put {index} into the pattern")
    }
    try write(image, to: "frames/" + name)
    imageTimes[name] = time
    return name
  }

  /// Refuses a pattern that is none, or that gives several frames one name.
  static func check(_ images: FramesTask.Images, severalFrames: Bool) throws(MediaError) {
    let name = try Self.name(images, index: 0, time: .zero)
    guard severalFrames, try Self.name(images, index: 1, time: MediaTime(Rational(1))) == name else { return }
    throw MediaError(
      .usage, "bad name pattern '\(images.pattern)'", reason: "all frames would be called \(name)",
      advice: "put {index} into it, as in {stem}-{index:04}.{ext}")
  }

  /// The file name that a pattern gives.
  static func name(_ images: FramesTask.Images, index: Int, time: MediaTime) throws(MediaError) -> String {
    func failure(_ reason: String) -> MediaError {
      MediaError(
        .usage, "bad name pattern '\(images.pattern)'", reason: reason, advice: "use {stem}, {index}, {index:04}, {time} and {ext}")
    }
    var result = ""
    var rest = images.pattern[...]
    while let open = rest.firstIndex(of: "{") {
      result += rest[..<open]
      guard let close = rest[open...].firstIndex(of: "}") else { throw failure("a brace is not closed") }
      let field = rest[rest.index(after: open)..<close]
      switch field {
      case "stem": result += images.stem
      case "ext": result += images.format.rawValue
      case "time": result += String(time.description.dropLast())
      case "index": result += String(index)
      case _ where field.hasPrefix("index:0"):
        guard let width = Int(field.dropFirst(7)), (1...18).contains(width) else { throw failure("{\(field)} is no field") }
        let digits = String(index)
        result += String(repeating: "0", count: max(0, width - digits.count)) + digits
      default: throw failure("{\(field)} is no field")
      }
      rest = rest[rest.index(after: close)...]
    }
    result += rest
    guard !result.isEmpty, !result.contains("/"), result != ".", result != ".." else { throw failure("it gives no file name") }
    return result
  }

  // MARK: Sheet

  private func put(_ tile: Bitmap, _ time: MediaTime) throws(MediaError) {
    guard let sheet else { return }
    guard placed < sheet.capacity else {
      leftOver += 1
      return
    }
    try sheet.put(tile, at: placed, time: time)
    placed += 1
  }

  // MARK: Sprites

  private var trackName: String? { task.sprites.map { "sprites/" + Self.split($0.file).stem + ".vtt" } }

  private func putSprite(_ sprite: Bitmap, _ time: MediaTime) throws(MediaError) {
    let columns = Self.spriteColumns
    if trackOutput == nil, let trackName { trackOutput = try context.files.createOutput(trackName) }
    if pageFill == columns * columns { try closePage(isOnly: false) }
    let page = page ?? ContactSheet(columns: columns, rows: columns, gap: 0, labels: false)
    self.page = page
    try page.put(sprite, at: pageFill, time: nil)
    let place = page.origin(of: pageFill)
    track.cues.append(.init(start: time, file: "", x: place.x, y: place.y, size: page.tile ?? sprite.size))
    pageFill += 1
  }

  /// Writes the current page and names it in its cues.
  private func closePage(isOnly: Bool) throws(MediaError) {
    guard let page, let picture = page.picture, let file = task.sprites?.file, let tile = page.tile else { return }
    pageCount += 1
    let (stem, suffix) = Self.split(file)
    let name = isOnly ? file : "\(stem)-\(pageCount)\(suffix)"
    guard let format = ImageFormat(fileName: file) else {
      throw MediaError(.usage, "cannot write \(file)", reason: "its extension names no image format", advice: "use .jpg, .png or .webp")
    }
    // Only the rows and columns that are in use.
    let rows = (pageFill + Self.spriteColumns - 1) / Self.spriteColumns
    let columns = min(pageFill, Self.spriteColumns)
    let used = picture.cropped(to: FrameSize(columns * tile.width, rows * tile.height))
    try FileWriter.write(try ImageWriter(format).encode(used), to: try context.files.createOutput("sprites/" + name))
    spriteFiles.append("sprites/" + name)
    for place in (track.cues.count - pageFill)..<track.cues.count { track.cues[place].file = name }
    self.page = nil
    pageFill = 0
  }

  /// `sprites.jpg` as `sprites` and `.jpg`.
  private static func split(_ file: String) -> (stem: String, suffix: String) {
    guard let dot = file.lastIndex(of: "."), dot > file.startIndex else { return (file, "") }
    return (String(file[..<dot]), String(file[dot...]))
  }
}
