import CommandLayer
import Reelwright

/// `reel check`: a document and everything that it names, without rendering.
enum CheckCommand {
  static var command: Command {
    Command(
      "check", summary: "validate a document and everything that it names, without rendering",
      discussion: """
        Opens every file of the document, lays the document out and says what is wrong: the first error with its line, column and \
        place, the others with --verbose.
        """,
      arguments: [Argument("DOC", .one, "The reel document.")],
      options: [Option("set", .text("NAME=VALUE"), default: "the variable's own", repeats: true, "Give a variable a value.")],
      commonOptions: CommonOptions.task,
      examples: [.init("reel check ad.reel.json", "is it right?")],
      action: run)
  }

  private static func run(_ invocation: Invocation) throws -> Int32 {
    let document = try ReelFile(path: invocation.required("DOC"))
    let task = try document.task(invocation)
    let runner = try TaskRunner(invocation)
    let plan = try runner.run(RenderPlanTask(task), files: try document.files(of: task))
    try runner.writeReport(plan)
    if invocation.isJSON {
      try invocation.console.writeJSON(plan)
    } else if !invocation.isQuiet, invocation.value("report") != "-" {
      var text =
        "\(document.path): valid, \(plan.frames) frames, \(ProbeText.seconds(plan.durationSeconds)), \(plan.inputs.count) media files\n"
      for warning in plan.warnings { text += "  \(warning)\n" }
      try invocation.console.write(text)
    }
    return 0
  }
}
