import CommandLayer
import Foundation
import MediaCore

/// A small tool with every kind of option and argument, and a place to run it.
struct SampleTool {
  static let make = Command(
    "make", summary: "makes a thing", discussion: "It makes one thing from many.",
    arguments: [Argument("IN", .oneOrMore, "What to read."), Argument("LAST", .optional, "The last one.")],
    options: [
      Option("output", short: "o", .file("OUT"), default: "none", "Where to write."),
      Option("size", .integer("N", in: 1...100), default: "10", "How big."),
      Option("gain", .number("X", in: -10...10), default: "0", "How loud."),
      Option("mode", .choice(["fast", "exact"]), default: "exact", "How."),
      Option("set", .text("K=V"), default: "none", repeats: true, "Sets a variable."),
      .flag("dry-run", "Only says what it would do."),
    ],
    examples: [.init("tool make a b -o c", "makes c")],
    action: { invocation in
      let pairs = try invocation.pairs("set").map { "\($0.name)→\($0.value)" }
      let words = [
        "in=\(invocation.list("IN").joined(separator: ","))", "out=\(invocation.value("output") ?? "-")",
        "size=\(invocation.integer("size") ?? 10)", "gain=\(invocation.number("gain") ?? 0)", "mode=\(invocation.value("mode") ?? "exact")",
        "set=\(pairs.joined(separator: ","))", "dry=\(invocation.flag("dry-run"))",
      ]
      try invocation.console.write(words.joined(separator: " ") + "\n")
      return 0
    })

  static let fail = Command(
    "fail", summary: "fails", arguments: [Argument("CODE", kind: .text, "The error.")],
    action: { invocation in
      throw MediaError(
        MediaError.Code(name: invocation.required("CODE")) ?? .bug, "cannot read a.mp4", path: "a.mp4", reason: "it is\nbroken",
        advice: "mend it", details: ["first detail"])
    })

  static let tool = Tool(
    Command(
      "tool", summary: "a tool",
      subcommands: [make, fail, Command("group", summary: "more", subcommands: [Command("inner", summary: "deep", action: { _ in 3 })])]),
    version: "1.2", overview: "overview\n")

  /// Status, standard output and standard error of one command line.
  static func run(_ words: [String], signal: Int32? = nil) throws -> (status: Int32, output: String, error: String) {
    let output = Pipe()
    let error = Pipe()
    let console = Console(
      output: output.fileHandleForWriting.fileDescriptor, error: error.fileHandleForWriting.fileDescriptor, environment: { _ in nil })
    let status = tool.run(words, console: console, signalReceived: { signal })
    try output.fileHandleForWriting.close()
    try error.fileHandleForWriting.close()
    return (
      status, String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self),
      String(decoding: try error.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    )
  }
}
