internal import Transfer

/// Events as OTLP/HTTP in JSON (OpenTelemetry protocol 1.x, logs): an optional view for a studio's own monitoring, sent by
/// `TelemetryExporter`.
public enum OpenTelemetry {
  /// The request that carries `entries` to a collector. Its path is `/v1/logs` below the registered one, unless that is it already.
  static func request(
    _ entries: [LogEntry], installation: String, to destination: Destination, headers: [HTTPField]
  ) throws(TransferError) -> HTTPRequest {
    let url = try destination.url(destination.path.hasSuffix("/v1/logs") ? "" : "/v1/logs")
    return HTTPRequest(
      "POST", url, fields: [HTTPField("Content-Type", "application/json")] + headers, body: body(entries, installation: installation))
  }

  /// An `ExportLogsServiceRequest`. Times are nanoseconds in decimal strings, 64-bit numbers are strings, as the protocol's
  /// JSON mapping demands.
  private static func body(_ entries: [LogEntry], installation: String) -> [UInt8] {
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
