internal import Crypto
public import MediaCore
internal import Storage
internal import Transfer

/// Posts new events to the registered OpenTelemetry collector (OTLP/HTTP, JSON, logs).
///
/// An optional view and never the durable channel: it needs the same consent as reporting and sends no kind of event that reporting
/// would not; what is older than an hour, or was there before consent and destination, is not sent; what the
/// collector refuses is gone. Events go oldest first; a batch that got no clear answer is sent again. One exporter works at a
/// time on a store; call `step` from one thread.
public final class TelemetryExporter {
  /// Every default stated.
  public struct Configuration: Sendable {
    /// Events in a request at most. Default 500.
    public var batchEvents = 500
    /// What is older is left out: a collector that comes back is not flooded. Default 3600.
    public var maximumAgeSeconds: Int64 = 3600
    /// The first and the longest pause after a failure, in seconds; it doubles, with full jitter. Defaults 1 and 60.
    public var firstPauseSeconds: Double = 1
    public var longestPauseSeconds: Double = 60

    public init() {}
  }

  /// What a step did, and when the next one makes sense.
  public enum Outcome: Hashable, Sendable {
    /// The collector took so many events; there may be more.
    case sent(events: Int)
    /// The collector refuses so many events for good.
    case refused(events: Int)
    /// There is nothing new.
    case idle
    /// Nothing may be sent: no destination, or no consent.
    case off
    /// Not before so many seconds.
    case wait(seconds: Double)
  }

  public let log: MetadataLog
  private let transport: any ReportTransport
  private let configuration: Configuration
  private var retry: RetryPause
  private var headers: (target: TelemetryTarget, fields: [HTTPField])?
  /// Why the last step failed, without secrets; nil after a success.
  public private(set) var lastProblem: String?

  /// - Parameter transport: default `MetadataLog.makeClient()`.
  public init(
    log: MetadataLog, transport: (any ReportTransport)? = nil, configuration: Configuration = Configuration()
  ) throws {
    self.log = log
    self.transport = try transport ?? log.makeClient()
    self.configuration = configuration
    retry = RetryPause(first: configuration.firstPauseSeconds, longest: configuration.longestPauseSeconds)
  }

  /// Sends one batch, or says why not. Never sleeps.
  public func step() throws -> Outcome {
    let now = log.now()
    if let seconds = retry.remaining(now: now) { return .wait(seconds: seconds) }
    // In one look: another collector gets neither the secret of this one nor what happened before it was registered.
    guard let (target, after, end) = try log.telemetryTarget() else { return .off }
    let destination = target.destination
    guard after < end else { return .idle }
    var filter = LogFilter()
    filter.sequences = (after + 1)...end
    filter.sinceMicroseconds = now - configuration.maximumAgeSeconds * 1_000_000
    filter.limit = configuration.batchEvents
    let found = try log.entries(filter)
    // All up to the last one found is dealt with then, or all there is.
    let last = found.count < configuration.batchEvents ? end : found.last?.sequence ?? end
    let entries = found.filter { $0.event.kind.spoolPriority != nil }
    guard let first = entries.first else {
      try log.moveTelemetry(to: last)
      return last < end ? .sent(events: 0) : .idle
    }
    guard let fields = try headerFields(target) else { return .sent(events: 0) }
    let request = try OpenTelemetry.request(entries, installation: log.installation, to: destination, headers: fields)
    let response: HTTPResponse
    do throws(TransferError) { response = try transport.send(request) } catch {
      return pause("\(error)", atLeast: error.retryAfterSeconds)
    }
    switch response.status {
    case 200...299:
      let receipt = SentBatch(
        timeMicroseconds: now, origin: destination.origin, firstSequence: first.sequence, lastSequence: entries.last?.sequence ?? last,
        events: entries.count, bytes: request.body.count, digest: SHA256.digest(of: request.body).hex)
      try log.moveTelemetry(to: last, receipt: receipt)
      retry.reset()
      lastProblem = nil
      return .sent(events: entries.count)
    case 400, 413, 415, 422:
      // The protocol: such a request must not be repeated.
      try log.moveTelemetry(to: last)
      lastProblem = "the collector refuses \(entries.count) events with status \(response.status)"
      return .refused(events: entries.count)
    default:
      return pause("the collector answers \(response.status)", atLeast: response.retryAfterSeconds(now: Double(now) / 1_000_000))
    }
  }

  /// Read once, again for another destination or file, and after a failure: an authorization may have been renewed. nil when the
  /// destination was changed meanwhile: the file may hold the secret of the next one already.
  private func headerFields(_ target: TelemetryTarget) throws -> [HTTPField]? {
    if let headers, headers.target == target { return headers.fields }
    headers = nil
    let fields = try TelemetryHeaders.load(file: target.headersFile)
    guard try log.telemetryTarget()?.target == target else { return nil }
    headers = (target, fields)
    return fields
  }

  /// Sends until nothing is new, nothing may be sent, or a pause of more than `patienceSeconds` (default 0) is due. Sleeps in
  /// between.
  /// - Returns: How many events the collector took, and the last outcome.
  @discardableResult
  public func drain(patienceSeconds: Double = 0, cancellation: Cancellation? = nil) throws -> (events: Int, last: Outcome) {
    var events = 0
    while true {
      let outcome = try step()
      switch outcome {
      case .sent(let count): events += count
      case .refused: break
      case .idle, .off: return (events, outcome)
      case .wait(let seconds):
        guard seconds <= patienceSeconds, !(cancellation?.isCancelled ?? false) else { return (events, outcome) }
        Sleep.seconds(seconds, cancellation: cancellation)
      }
    }
  }

  private func pause(_ problem: String, atLeast least: Double?) -> Outcome {
    lastProblem = problem
    headers = nil
    return .wait(seconds: retry.begin(now: log.now(), least: least))
  }
}

/// Where telemetry goes, and which file has the header fields for it.
struct TelemetryTarget: Hashable {
  var destination: Destination
  var headersFile: String?
}

extension MetadataLog {
  /// The setting that holds the sequence number up to which the collector has been told; there only while telemetry may be sent.
  private static let telemetryMark = "telemetry"

  /// Where telemetry goes, what has been dealt with and what there is; nil while nothing may be sent.
  func telemetryTarget() throws -> (target: TelemetryTarget, after: Int64, end: Int64)? {
    try database.read { transaction in
      guard let mark = try transaction.state(Self.telemetryMark).flatMap({ Int64($0) }),
        let destination = try destinations(transaction).first(where: { $0.purpose == .telemetry })
      else { return nil }
      let target = TelemetryTarget(destination: destination, headersFile: try transaction.state(Self.telemetryHeadersKey))
      return (target, mark, try LogHead.read(transaction, keys: keys).sequence)
    }
  }

  func moveTelemetry(to sequence: Int64, receipt: SentBatch? = nil) throws {
    try database.write { transaction in
      // One at a time writes the ledger, on PostgreSQL too.
      _ = try LogHead.read(transaction, keys: keys, locking: true)
      // Consent may have been withdrawn meanwhile, or another exporter have been further.
      guard let mark = try transaction.state(Self.telemetryMark).flatMap({ Int64($0) }) else { return }
      if mark < sequence { try keys.setState(Self.telemetryMark, String(sequence), in: transaction) }
      if let receipt { try note(receipt, in: transaction) }
    }
  }

  /// Telemetry begins with what happens after both consent and destination are there.
  /// - Parameter isNew: whether the destination has just been registered. Default false.
  func refreshTelemetry(_ transaction: any Transaction, isNew: Bool = false) throws {
    let consents = try transaction.state("consent") == "on"
    let places = try transaction.integer("SELECT count(*) FROM log_destinations WHERE purpose = 'telemetry'") ?? 0
    let mark = isNew ? nil : try transaction.state(Self.telemetryMark)
    if consents, places > 0 {
      if mark == nil { try keys.setState(Self.telemetryMark, String(LogHead.read(transaction, keys: keys).sequence), in: transaction) }
    } else if try transaction.state(Self.telemetryMark) != nil {
      try keys.setState(Self.telemetryMark, nil, in: transaction)
    }
  }
}
