import CommandLayer

/// `reel doctor`: what this machine can do.
enum DoctorCommand {
  static var command: Command {
    Command(
      "doctor", summary: "what this machine can do: FFmpeg, encoders, isolation, fonts, store, clock",
      discussion: """
        Each line is ok, a note (something optional is not there) or a problem with what to do about it. The status is 0 \
        without problems and 69 with one.
        """,
      examples: [.init("reel doctor --json", "the same for a script")],
      action: run)
  }

  private static func run(_ invocation: Invocation) throws -> Int32 {
    let findings = Diagnosis.findings()
    let problems = findings.filter { $0.state == .problem }
    if invocation.isJSON {
      try invocation.console.writeJSON(Document(reel: Reel.version, findings: findings))
    } else {
      var table = TextTable()
      for finding in findings {
        table.add(finding.state.rawValue, finding.name, finding.value + (finding.advice.map { " (\($0))" } ?? ""))
      }
      try invocation.console.write(table.text())
    }
    return problems.isEmpty ? 0 : 69
  }

  private struct Document: Encodable {
    var schema = 1
    var reel: String
    var findings: [Diagnosis.Finding]
  }
}
