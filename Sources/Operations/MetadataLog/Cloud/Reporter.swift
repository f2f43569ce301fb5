internal import Crypto
public import MediaCore
internal import Storage
internal import Synchronization
public import Transfer

/// Sends a request; `HTTPClient` in operation, a simulation in tests.
public protocol ReportTransport: Sendable {
  func send(_ request: HTTPRequest) throws(TransferError) -> HTTPResponse
}

extension HTTPClient: ReportTransport {
  public func send(_ request: HTTPRequest) throws(TransferError) -> HTTPResponse { try send(request, cancellation: nil) }
}

/// Takes events out of the outbox to the registered destination: in batches, oldest first, signed, at a bounded rate.
///
/// A batch that got no clear answer is sent again, so a receiver may see an event twice and drops it by `source` and `id`;
/// none is lost. libcurl may also repeat a request by itself, with the same nonce, when the kept connection that it went out on
/// turns out to be dead: a receiver that has seen the nonce may refuse it (401), and the batch is signed and sent anew. One that is refused (400, 413, 422) is cut in halves until the event that spoils it stands alone and is
/// set aside. 401, 403 and 404 concern the destination, not the events: nothing is set aside, it waits. One reporter works
/// at a time on a machine; call `step` from one thread.
public final class Reporter {
  /// Every default stated.
  public struct Configuration: Sendable {
    /// Events in a batch at most. Default 500.
    public var batchEvents = 500
    /// Bytes of a batch at most; one event may be larger. Default 512 KiB.
    public var batchBytes = 512 << 10
    /// Events a second in the long run, and at once after a pause. Defaults 200 and 2000.
    public var eventsPerSecond: Double = 200
    public var burstEvents: Double = 2000
    /// The first and the longest pause after a failure, in seconds; it doubles, with full jitter. Defaults 1 and 300.
    public var firstPauseSeconds: Double = 1
    public var longestPauseSeconds: Double = 300

    public init() {}
  }

  /// What a step did, and when the next one makes sense.
  public enum Outcome: Hashable, Sendable {
    /// A batch of so many events was acknowledged; there may be more.
    case sent(events: Int)
    /// An event was set aside, by its sequence number.
    case quarantined(Int64)
    /// Nothing waits.
    case idle
    /// Nothing may be sent: no destination, or no consent.
    case off
    /// Not before so many seconds: a failure's pause, `Retry-After`, or the rate.
    case wait(seconds: Double)
  }

  public let log: MetadataLog
  private let configuration: Configuration
  private let transport: any ReportTransport
  private let signingKey: Ed25519.SigningKey
  private var bucket: TokenBucket
  private var retry: RetryPause
  /// Set while a refused batch is being cut: how many events the next one has at most.
  private var batchLimit: Int
  /// Why the last step failed, without secrets; nil after a success.
  public private(set) var lastProblem: String?

  /// - Parameter transport: default `MetadataLog.makeClient()`.
  public init(
    log: MetadataLog, transport: (any ReportTransport)? = nil, configuration: Configuration = Configuration()
  ) throws {
    self.log = log
    self.configuration = configuration
    self.transport = try transport ?? log.makeClient()
    signingKey = log.signingKey
    bucket = TokenBucket(rate: configuration.eventsPerSecond, burst: configuration.burstEvents)
    retry = RetryPause(first: configuration.firstPauseSeconds, longest: configuration.longestPauseSeconds)
    batchLimit = configuration.batchEvents
  }

  /// Sends one batch, or says why not. Never sleeps.
  public func step() throws -> Outcome {
    let now = log.now()
    if let seconds = retry.remaining(now: now) { return .wait(seconds: seconds) }
    guard try log.database.read({ try log.isReporting($0) }) else { return .off }
    let destination = try log.destination(.reporting)
    let available = Int(bucket.available(now: now))
    guard available >= 1 else { return .wait(seconds: bucket.seconds(until: 1)) }
    let entries = try fitting(try log.waiting(limit: min(batchLimit, available)))
    guard let first = entries.first, let last = entries.last else { return .idle }
    bucket.take(Double(entries.count))
    let body = CloudEvents.batch(entries, installation: log.installation)
    var request = HTTPRequest("POST", try destination.url(), fields: [HTTPField("Content-Type", CloudEvents.contentType)], body: body)
    try MessageSignature.sign(
      &request, key: signingKey, keyIdentifier: log.installation, created: now.quotientFloor(1_000_000))
    let response: HTTPResponse
    do throws(TransferError) { response = try transport.send(request) } catch {
      return pause("\(error)", atLeast: error.retryAfterSeconds)
    }
    switch response.status {
    case 200...299:
      let receipt = SentBatch(
        timeMicroseconds: now, origin: destination.origin, firstSequence: first.sequence, lastSequence: last.sequence,
        events: entries.count, bytes: body.count, digest: SHA256.digest(of: body).hex)
      try log.acknowledge(receipt, sequences: entries.map(\.sequence))
      succeeded()
      return .sent(events: entries.count)
    case 400, 413, 415, 422:
      // The same events in halves: the good ones go, the bad one is found in log₂(batch) steps.
      if entries.count > 1 {
        batchLimit = entries.count / 2
        return .wait(seconds: 0)
      }
      try log.quarantine(first.sequence, status: response.status)
      succeeded()
      lastProblem = "the receiver refuses event \(first.sequence) with status \(response.status)"
      return .quarantined(first.sequence)
    default:
      return pause("the receiver answers \(response.status)", atLeast: response.retryAfterSeconds(now: Double(now) / 1_000_000))
    }
  }

  /// Sends until nothing waits, nothing may be sent, or the receiver wants a pause of more than `patienceSeconds`
  /// (default 0). Sleeps in between.
  /// - Returns: How many events were acknowledged, and the last outcome.
  @discardableResult
  public func drain(patienceSeconds: Double = 0, cancellation: Cancellation? = nil) throws -> (events: Int, last: Outcome) {
    var events = 0
    while true {
      let outcome = try step()
      switch outcome {
      case .sent(let count): events += count
      case .quarantined: break
      case .idle, .off: return (events, outcome)
      case .wait(let seconds):
        guard seconds <= patienceSeconds, !(cancellation?.isCancelled ?? false) else { return (events, outcome) }
        Sleep.seconds(seconds, cancellation: cancellation)
      }
    }
  }

  private func fitting(_ entries: [LogEntry]) throws -> [LogEntry] {
    var bytes = 2
    let count = entries.prefix { entry in
      bytes += CloudEvents.event(entry, installation: log.installation).utf8.count + 2
      return bytes <= configuration.batchBytes
    }.count
    return Array(entries.prefix(max(count, 1)))
  }

  private func succeeded() {
    retry.reset()
    // Grows back slowly after a cut: a receiver with a lower limit is not asked for the impossible every time.
    batchLimit = min(configuration.batchEvents, batchLimit * 2)
    lastProblem = nil
  }

  private func pause(_ problem: String, atLeast least: Double?) -> Outcome {
    lastProblem = problem
    return .wait(seconds: retry.begin(now: log.now(), least: least))
  }
}

extension MetadataLog {
  /// The key that signs this installation's requests: derived from the master key, so that it needs no file of its own.
  var signingKey: Ed25519.SigningKey { Ed25519.SigningKey(seed: master.derived("reelwright request signing 1"))! }

  /// The public key of this installation's signatures, 32 bytes: what a receiver registers under the installation id.
  public var verifyingKey: [UInt8] { signingKey.verifyingKey.bytes }
}
