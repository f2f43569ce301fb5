import CommandLayer
import Glibc
import Reelwright

/// `reel cloud`: where job metadata goes, and whether.
enum CloudCommand {
  static var command: Command {
    Command(
      "cloud", summary: "report job metadata to a server, with consent",
      discussion: """
        Nothing is sent until a destination is configured and consent is given. Media, names of files, prompts and captions \
        are never sent. The wire format is CloudEvents 1.0 in signed batches. With --purpose telemetry a collector of \
        OpenTelemetry gets the same events as logs by OTLP/HTTP in JSON, unsigned, every few seconds while a worker runs: a view \
        for monitoring, from which what is older than an hour is left out.
        """,
      examples: [
        .init("reel cloud configure https://cloud.example/v1/events", "name the receiver"),
        .init("reel cloud configure http://127.0.0.1:4318 --purpose telemetry", "show what happens in your own monitoring"),
        .init("reel cloud consent on", "agree to sending"),
      ],
      subcommands: [status, configure, consent, send])
  }

  private static var status: Command {
    Command(
      "status", summary: "destinations, consent, what waits and what was sent", commonOptions: CommonOptions.store,
      action: { invocation in
        let document = try CloudDocument(Store.readableLog(invocation))
        if invocation.isJSON {
          try invocation.console.writeJSON(document)
        } else {
          var table = TextTable()
          table.add("installation", document.installation ?? "none yet")
          table.add("public key", document.publicKey ?? "none yet")
          table.add("consent", document.consent ? "on" : "off")
          for destination in document.destinations { table.add(destination.purpose, destination.origin, destination.data) }
          table.add("waiting", String(document.waiting))
          table.add("quarantined", String(document.quarantined))
          table.add("dropped", String(document.dropped))
          table.add("sent", "\(document.sentEvents) events in \(document.sentBatches) batches")
          try invocation.console.write(table.text())
        }
        return 0
      })
  }

  private static var configure: Command {
    Command(
      "configure", summary: "register or remove the destination of a purpose",
      discussion: "Only registered hosts are ever connected to, over https; http is for this machine only.",
      arguments: [
        Argument(
          "URL", .optional, kind: .text,
          """
          Where to send; for licences the URL below which the API is, for telemetry the one below which the collector has \
          /v1/logs. Without it the destination is removed, unless --server-key, --headers or --authorities is all that is to be set.
          """)
      ],
      options: [
        Option("purpose", .choice(DestinationPurpose.allCases.map(\.rawValue)), default: "reporting", "What the destination is for."),
        Option(
          "server-key", .text("HEX"), default: "none", repeats: true, "For licences: a public key of the server, 64 hexadecimal digits."),
        Option(
          "headers", .file("FILE"), default: "$OTEL_EXPORTER_OTLP_LOGS_HEADERS, $OTEL_EXPORTER_OTLP_HEADERS, or none",
          "For telemetry: a file with mode 0600 of header fields that this collector asks for, one 'Name: value' a line."),
        Option("authorities", .file("FILE"), default: "the system's", "A PEM file of certificate authorities for all destinations."),
      ],
      commonOptions: CommonOptions.store,
      action: { invocation in
        let purpose = DestinationPurpose(rawValue: invocation.value("purpose") ?? "reporting") ?? .reporting
        let keys = try invocation.values("server-key").map { text in
          guard let key = Hex.decode(text).flatMap({ Ed25519.VerifyingKey(bytes: $0) }) else {
            throw MediaError(.usage, "bad option --server-key", reason: "it is not 64 hexadecimal digits")
          }
          return key
        }
        let authorities = try invocation.has("authorities") ? invocation.value("authorities").map(wholePath) : nil
        let headers = try invocation.has("headers") ? invocation.value("headers").map(wholePath) : nil
        if headers != nil, purpose != .telemetry {
          throw MediaError(.usage, invocation.commandLine, reason: "--headers is for telemetry", advice: "add --purpose telemetry")
        }
        let log = try Store.log(invocation)
        if let url = invocation.argument("URL") {
          try log.register(TransferURL(url), for: purpose, headersFile: headers)
        } else if let headers {
          try log.setTelemetryHeaders(file: headers)
        } else if keys.isEmpty, authorities == nil {
          try log.unregister(purpose)
        }
        if !keys.isEmpty { try log.trustLicenceKeys(keys) }
        if let authorities { try log.setCertificateAuthorities(authorities) }
        if invocation.isJSON { try invocation.console.writeJSON(CloudDocument(log)) }
        return 0
      })
  }

  /// A path that does not depend on the current folder.
  private static func wholePath(_ path: String) throws(MediaError) -> String {
    guard let whole = realpath(path, nil) else {
      throw MediaError(.missing, "cannot read \(path)", path: path, reason: String(cString: strerror(errno)), advice: "nothing was changed")
    }
    defer { free(whole) }
    return String(cString: whole)
  }

  private static var consent: Command {
    Command(
      "consent", summary: "agree to sending, or withdraw",
      discussion: "Withdrawal empties the spool: what waited is never sent.",
      arguments: [Argument("STATE", .one, kind: .choice(["on", "off"]), "on or off.")],
      commonOptions: CommonOptions.store,
      action: { invocation in
        let log = try Store.log(invocation)
        try log.setConsent(invocation.required("STATE") == "on")
        if invocation.isJSON { try invocation.console.writeJSON(CloudDocument(log)) }
        return 0
      })
  }

  private static var send: Command {
    Command(
      "send", summary: "send what waits, now",
      discussion: "Reports, and telemetry that is new. The status is 75 when something still waits because a receiver did not take it.",
      options: [Option("patience", .number("S", in: 0...3600), default: "10", "Wait so many seconds at most for one try after another.")],
      commonOptions: CommonOptions.store,
      action: runSend)
  }

  private static func runSend(_ invocation: Invocation) throws -> Int32 {
    let off = MetadataLogError(.refused, "nothing is sent", reason: "no destination or no consent", advice: "see reel cloud status")
    guard let log = try Store.existingLog(invocation) else { throw off }
    let reporter = try Reporter(log: log)
    let patience = invocation.number("patience") ?? 10
    let (events, last) = try reporter.drain(patienceSeconds: patience, cancellation: invocation.cancellation)
    let exporter = try TelemetryExporter(log: log)
    let (telemetry, lastTelemetry) = try exporter.drain(patienceSeconds: patience, cancellation: invocation.cancellation)
    var problem: MetadataLogError?
    switch (last, lastTelemetry) {
    case (.off, .off): throw off
    case (.wait, _):
      problem = MetadataLogError(
        .retryLater, "not all events were sent", reason: reporter.lastProblem ?? "the rate is limited", advice: "try again later")
    case (_, .wait):
      problem = MetadataLogError(
        .retryLater, "not all telemetry was sent", reason: exporter.lastProblem ?? "the collector asks to wait", advice: "try again later")
    default: break
    }
    if let problem { invocation.console.note(Tool.errorText(problem, name: "reel", isVerbose: invocation.isVerbose)) }
    if invocation.isJSON {
      // One document, whether or not something still waits.
      try invocation.console.writeJSON(SentDocument(sent: events, telemetry: telemetry, error: problem.map { ErrorDocument.Body($0) }))
    } else if !invocation.isQuiet {
      try invocation.console.write("\(events) events sent\n")
      if lastTelemetry != .off { try invocation.console.write("\(telemetry) events sent as telemetry\n") }
    }
    return problem?.exitStatus ?? 0
  }

  private struct SentDocument: Encodable {
    var schema = 1
    var sent: Int
    var telemetry: Int
    var error: ErrorDocument.Body?
  }
}
