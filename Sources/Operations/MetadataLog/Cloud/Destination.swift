internal import Storage
public import Transfer

/// What a destination is for.
public enum DestinationPurpose: String, CaseIterable, Sendable {
  /// Receives the events of the log.
  case reporting
  /// Activates and validates licences.
  case licence
  /// Receives OpenTelemetry logs.
  case telemetry

  /// Which data goes there, in words, for `reel cloud status`.
  public var data: String {
    switch self {
    case .reporting:
      "job ids, labels, project labels, times, states, sizes, counts, output hashes, watermark ids; no media, no names of files"
    case .licence: "the licence key, a random installation id and a hash that stands for this machine"
    case .telemetry: "the same events as reporting, as OpenTelemetry logs"
    }
  }
}

/// A registered destination: the only places that this module ever connects to.
public struct Destination: Hashable, Sendable {
  public var purpose: DestinationPurpose
  /// Scheme, host and port.
  public var origin: String
  /// Where to post, or below which path the licence API is.
  public var path: String

  /// The URL of `path` with `suffix` appended.
  func url(_ suffix: String = "") throws(TransferError) -> TransferURL { try TransferURL(origin + path + suffix) }
}

extension MetadataLog {
  /// The register of destinations.
  public func destinations() throws -> [Destination] { try database.read { try destinations($0) } }

  func destinations(_ transaction: any Transaction) throws -> [Destination] {
    try transaction.query("SELECT purpose, origin, path FROM log_destinations ORDER BY purpose, origin").compactMap { row in
      guard let purpose = row.text(0).flatMap(DestinationPurpose.init(rawValue:)), let origin = row.text(1), let path = row.text(2) else {
        return nil
      }
      return Destination(purpose: purpose, origin: origin, path: path)
    }
  }

  /// Registers the destination of a purpose in place of the one before. https, or http to this machine. Nothing is
  /// sent yet: that takes `setConsent`. Telemetry gets only what happens from now on.
  ///
  /// - Parameter headersFile: for telemetry, as with `setTelemetryHeaders`; all is set, or nothing. Default none.
  public func register(_ url: TransferURL, for purpose: DestinationPurpose, headersFile: String? = nil) throws {
    guard url.scheme == "https" || ["127.0.0.1", "::1", "localhost"].contains(url.host) else {
      throw MetadataLogError(
        .refused, "cannot register \(url.host)", reason: "http without TLS is for this machine only", advice: "use https")
    }
    guard url.query == nil else {
      throw MetadataLogError(.usage, "cannot register \(url.host)", reason: "its URL has a query", advice: "secrets do not belong into it")
    }
    if let headersFile {
      guard purpose == .telemetry else {
        throw MetadataLogError(.usage, "cannot register \(url.host)", reason: "header fields are for telemetry")
      }
      _ = try TelemetryHeaders.read(headersFile)
    }
    try database.write { transaction in
      try keys.removeRows(.destinations, where: "purpose = $1", [.text(purpose.rawValue)], in: transaction)
      try transaction.execute(
        "INSERT INTO log_destinations(origin, purpose, path) VALUES ($1, $2, $3)",
        [.text(url.origin), .text(purpose.rawValue), .text(url.path == "/" ? "" : url.path)])
      try keys.guardRow(.destinations, [.text(url.origin), .text(purpose.rawValue)], in: transaction)
      if purpose == .reporting { try refreshReporting(transaction) }
      if purpose == .telemetry {
        try forgetTelemetryHeaders(transaction)
        if let headersFile { try keys.setState(Self.telemetryHeadersKey, headersFile, in: transaction) }
        try refreshTelemetry(transaction, isNew: true)
      }
    }
  }

  /// Removes the destination of a purpose; for reporting, what waits is dropped.
  public func unregister(_ purpose: DestinationPurpose) throws {
    try database.write { transaction in
      try keys.removeRows(.destinations, where: "purpose = $1", [.text(purpose.rawValue)], in: transaction)
      if purpose == .reporting {
        try refreshReporting(transaction)
        try emptyOutbox(in: transaction)
      }
      if purpose == .telemetry {
        try forgetTelemetryHeaders(transaction)
        try refreshTelemetry(transaction)
      }
    }
  }

  /// The registered destination; throws `configuration` when there is none.
  public func destination(_ purpose: DestinationPurpose) throws -> Destination {
    guard let found = try destinations().first(where: { $0.purpose == purpose }) else {
      throw MetadataLogError(
        .configuration, "cannot reach a server for \(purpose.rawValue)", reason: "no destination is registered",
        advice: "run reel cloud configure")
    }
    return found
  }

  /// Whether the user has agreed that events are sent. Default false.
  public func hasConsent() throws -> Bool { try database.read { try $0.state("consent") == "on" } }

  /// Gives or withdraws consent. Withdrawal empties the spool: what waited is never sent.
  public func setConsent(_ isGiven: Bool) throws {
    try database.write { transaction in
      try keys.setState("consent", isGiven ? "on" : nil, in: transaction)
      try refreshReporting(transaction)
      try refreshTelemetry(transaction)
      if !isGiven { try emptyOutbox(in: transaction) }
      try append(LogEvent(.consentChanged, [.purpose: "reporting", .state: .text(isGiven ? "on" : "off")]), in: transaction)
    }
    if !isGiven { try (database as? SQLiteDatabase)?.truncateLog() }
  }

  private func refreshReporting(_ transaction: any Transaction) throws {
    let consents = try transaction.state("consent") == "on"
    let places = try transaction.integer("SELECT count(*) FROM log_destinations WHERE purpose = 'reporting'") ?? 0
    try keys.setState("reporting", consents && places > 0 ? "on" : nil, in: transaction)
  }
}
