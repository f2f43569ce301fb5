import CommandLayer
import Reelwright

/// `reel transitions`: what there is to join clips with.
enum TransitionsCommand {
  static var command: Command {
    Command(
      "transitions", summary: "list the transitions, or draw them all on one sheet",
      discussion: """
        Names that begin with "xfade:" in their description are the effects of FFmpeg's xfade filter, drawn by its own \
        definitions. Every transition also takes a duration and an easing.
        """,
      options: [
        Option("sheet", .file("FILE"), default: "none", "Draw frames of every transition into FILE: .png, .jpg, .webp or .ppm."),
        .flag("overwrite", "Replace a sheet that exists."),
      ],
      examples: [
        .init("reel transitions", "the list"), .init("reel transitions --sheet transitions.png", "what they look like"),
      ],
      action: run)
  }

  private static func run(_ invocation: Invocation) throws -> Int32 {
    if let path = invocation.value("sheet") { try writeSheet(path, mayReplace: invocation.flag("overwrite")) }
    if invocation.isJSON {
      try invocation.console.writeJSON(Document(transitions: TransitionCatalogue.all.map(Document.Entry.init)))
    } else if invocation.value("sheet") == nil {
      var table = TextTable()
      for entry in TransitionCatalogue.all {
        table.add(entry.name, entry.summary, entry.parameters.map(\.rawValue).joined(separator: " "))
      }
      try invocation.console.write(table.text())
    }
    return 0
  }

  private static func writeSheet(_ path: String, mayReplace: Bool) throws {
    guard let format = ImageFormat(fileName: path) else {
      throw MediaError(
        .usage, "cannot write \(path)", path: path, reason: "its extension names no image format", advice: "use .png, .jpg, .webp or .ppm")
    }
    let files = LocalFiles(inputs: [:], outputs: ["sheet": path], mayReplace: mayReplace)
    try files.checkOutput("sheet")
    let bitmap = try PictureConverter(format.target).convert(try TransitionSheet.draw())
    try FileWriter.write(try ImageWriter(format).encode(bitmap), to: try files.createOutput("sheet"))
    try files.publish("sheet", sidecar: nil)
  }

  private struct Document: Encodable {
    var schema = 1
    var transitions: [Entry]

    struct Entry: Encodable {
      var name: String
      var description: String
      var xfade: Bool
      var parameters: [String]
      var direction: Double?
      var softness: Double?
      var count: Double?
      var color: String?

      init(_ entry: TransitionDescription) {
        name = entry.name
        description = entry.summary
        xfade = entry.isXFade
        parameters = ["duration", "easing"] + entry.parameters.map(\.rawValue)
        direction = entry.parameters.contains(.direction) ? entry.direction : nil
        softness = entry.softness
        count = entry.count
        color = entry.color.map { ReelColor(red: $0.red, green: $0.green, blue: $0.blue).description }
      }
    }
  }
}
