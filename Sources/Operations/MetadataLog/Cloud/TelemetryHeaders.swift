internal import Crypto
internal import Glibc
internal import MediaCore
internal import Storage
internal import Transfer

/// The header fields that a collector of telemetry asks for, an authorization for instance: secrets, so that they come from a systemd
/// credential called `reelwright-otlp-headers`, else from the file that was configured (both with a field a line, `Name: value`), else from
/// `$OTEL_EXPORTER_OTLP_LOGS_HEADERS` or `$OTEL_EXPORTER_OTLP_HEADERS` (`name=value,name=value`, values percent-encoded, as OpenTelemetry's
/// specification of exporters has it). The file is of one destination; a credential and a variable go to whatever destination is registered for
/// telemetry. No message quotes a value.
enum TelemetryHeaders {
  static let variables = ["OTEL_EXPORTER_OTLP_LOGS_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"]

  /// What every request carries from now on. Throws `refused` for a file that others can read, `configuration` for what is no header field.
  static func load(file: String?) throws(MetadataLogError) -> [HTTPField] {
    if let folder = getenv("CREDENTIALS_DIRECTORY") {
      let credential = String(cString: folder) + "/reelwright-otlp-headers"
      if access(credential, F_OK) == 0 { return try read(credential) }
    }
    if let file { return try read(file) }
    for name in variables {
      guard let text = getenv(name), text.pointee != 0 else { continue }
      return try parse(String(cString: text), variable: name)
    }
    return []
  }

  /// The fields of a file with mode 0600; empty lines are passed over.
  static func read(_ path: String) throws(MetadataLogError) -> [HTTPField] {
    let bytes: [UInt8]
    do throws(MediaError) { bytes = try SecretFile.read(path).exposedBytes() } catch {
      throw MetadataLogError(
        error.code == .refused ? .refused : error.code == .missing ? .missing : .configuration, error.operation, reason: error.reason,
        advice: error.advice)
    }
    var fields: [HTTPField] = []
    let lines = String(decoding: bytes, as: UTF8.self).split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, line) in lines.enumerated() where !line.allSatisfy(\.isWhitespace) {
      let parts = line.split(separator: ":", maxSplits: 1).map(trimmed)
      fields.append(try field(parts, place: "line \(index + 1) of \(path)", form: "Name: value"))
    }
    return fields
  }

  static func parse(_ text: String, variable: String) throws(MetadataLogError) -> [HTTPField] {
    var fields: [HTTPField] = []
    for (index, pair) in text.split(separator: ",").enumerated() {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { decoded(trimmed($0)) }
      fields.append(try field(parts, place: "header \(index + 1) of $\(variable)", form: "name=value,name=value"))
    }
    return fields
  }

  /// Fields that say how the request is built are the exporter's own.
  private static let own: Set<String> = ["content-type", "content-length", "content-encoding", "host", "transfer-encoding", "connection"]

  private static func field(_ parts: [String], place: String, form: String) throws(MetadataLogError) -> HTTPField {
    func wrong(_ reason: String) -> MetadataLogError {
      MetadataLogError(.configuration, "cannot use the headers for telemetry", reason: "\(place) \(reason)", advice: "as in \(form)")
    }
    let symbols = Set("!#$%&'*+-.^_`|~".utf8)
    guard parts.count == 2, !parts[0].isEmpty,
      parts[0].utf8.allSatisfy({ (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || symbols.contains($0) })
    else { throw wrong("is no header field") }
    guard !own.contains(parts[0].lowercased()) else { throw wrong("sets \(parts[0]), which the exporter sets itself") }
    guard parts[1].utf8.allSatisfy({ (32...126).contains($0) || $0 == 9 }) else { throw wrong("has a value that no header can carry") }
    return HTTPField(parts[0], parts[1])
  }

  /// Without percent-encoding; a sign of it that encodes nothing stays, and what is not UTF-8 becomes what no header can carry.
  private static func decoded(_ text: String) -> String {
    var bytes: [UInt8] = []
    var rest = Substring(text)
    while let next = rest.utf8.first {
      if next == UInt8(ascii: "%"), rest.utf8.count >= 3, let byte = Hex.decode(rest.dropFirst().prefix(2))?.first {
        bytes.append(byte)
        rest = rest.dropFirst(3)
      } else {
        bytes += Array(String(rest.removeFirst()).utf8)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func trimmed(_ text: Substring) -> String {
    String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
  }
}

extension MetadataLog {
  static let telemetryHeadersKey = "telemetry_headers"

  /// The file with the header fields for the telemetry destination; nil: none, the environment's are sent.
  public func telemetryHeadersFile() throws -> String? { try database.read { try $0.state(Self.telemetryHeadersKey) } }

  /// Sets the file with the header fields for the telemetry destination, after a look at it: one field a line, `Name: value`, mode 0600. It is
  /// read again whenever exporting begins, and after a failure. Forgotten when the destination changes: what is in a file is for one receiver
  /// (a credential or a variable of the environment is not: it goes to whichever is registered). So another receiver takes another file: what
  /// is written into this one is for this receiver as soon as it stands there.
  ///
  /// - Throws: `refused` when others can read it, `missing`, `configuration` for what is no header field or when there is no destination.
  public func setTelemetryHeaders(file: String) throws {
    _ = try TelemetryHeaders.read(file)
    _ = try destination(.telemetry)
    try database.write { try keys.setState(Self.telemetryHeadersKey, file, in: $0) }
  }

  func forgetTelemetryHeaders(_ transaction: any Transaction) throws {
    if try transaction.state(Self.telemetryHeadersKey) != nil { try keys.setState(Self.telemetryHeadersKey, nil, in: transaction) }
  }
}
