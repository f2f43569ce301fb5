internal import Transfer

/// Events as OTLP/HTTP in JSON (OpenTelemetry protocol 1.x, logs): an optional view for a studio's own monitoring. It is
/// not the durable channel: nothing waits for it and nothing is repeated.
public enum OpenTelemetry {
  /// An `ExportLogsServiceRequest`. Times are nanoseconds in decimal strings, 64-bit numbers are strings, as the protocol's
  /// JSON mapping demands.
  static func request(_ entries: [LogEntry], installation: String) -> [UInt8] {
    let records = entries.map { entry in
      let attributes = ([("project", EventValue.text(entry.event.project))] + entry.event.fields.map { ($0.key.rawValue, $0.value) })
        .sorted { $0.0 < $1.0 }.map { attribute("reelwright.\($0.0)", $0.1) }
      let isBad = entry.event.kind == .jobFailed || entry.event.kind == .jobQuarantined
      return """
        {"timeUnixNano":"\(entry.timeMicroseconds)000","severityNumber":\(isBad ? 17 : 9),"severityText":"\(isBad ? "ERROR" : "INFO")",\
        "eventName":"reelwright.\(entry.event.kind.rawValue)","body":{"stringValue":"\(entry.event.kind.rawValue)"},\
        "attributes":[\(attributes.joined(separator: ","))]}
        """
    }
    let resource = attribute("service.name", "reelwright") + "," + attribute("service.instance.id", .text(installation))
    return Array(
      """
      {"resourceLogs":[{"resource":{"attributes":[\(resource)]},"scopeLogs":[{"scope":{"name":"reelwright"},\
      "logRecords":[\(records.joined(separator: ","))]}]}]}
      """.utf8)
  }

  private static func attribute(_ name: String, _ value: EventValue) -> String {
    switch value {
    case .integer(let number): "{\"key\":\"\(name)\",\"value\":{\"intValue\":\"\(number)\"}}"
    case .text(let text): "{\"key\":\"\(name)\",\"value\":{\"stringValue\":\(JSONText.quoted(text))}}"
    }
  }
}

extension MetadataLog {
  /// Posts the entries of `filter` to the registered telemetry destination. Needs the same consent as reporting, and sends
  /// no kind of event that reporting would not. Throws `retryLater` when the collector does not take them.
  /// - Returns: How many were sent.
  @discardableResult
  public func exportTelemetry(_ filter: LogFilter, transport: any ReportTransport) throws -> Int {
    let destination = try destination(.telemetry)
    guard try hasConsent() else {
      throw MetadataLogError(.refused, "cannot send telemetry", reason: "there is no consent", advice: "run reel cloud consent on")
    }
    let entries = try entries(filter).filter { $0.event.kind.spoolPriority != nil }
    guard !entries.isEmpty else { return 0 }
    let request = HTTPRequest(
      "POST", try destination.url("/v1/logs"), fields: [HTTPField("Content-Type", "application/json")],
      body: OpenTelemetry.request(entries, installation: installation))
    let response = try transport.send(request)
    guard (200...299).contains(response.status) else {
      throw MetadataLogError(.retryLater, "cannot send telemetry", reason: "the collector answers \(response.status)")
    }
    return entries.count
  }
}
