import Reelwright

/// `reel cloud status --json`, and how things stand after `configure` and `consent`.
struct CloudDocument: Encodable {
  struct Place: Encodable {
    var purpose: String
    var origin: String
    var data: String
  }
  var schema = 1
  /// Null as long as no store was made.
  var installation: String?
  var publicKey: String?
  var consent = false
  var destinations: [Place] = []
  var waiting: Int64 = 0
  var quarantined: Int64 = 0
  var dropped: Int64 = 0
  var sentBatches = 0
  var sentEvents = 0

  init(_ log: MetadataLog?) throws {
    guard let log else { return }
    installation = log.installation
    publicKey = Hex.encode(log.verifyingKey)
    consent = try log.hasConsent()
    destinations = try log.destinations().map { Place(purpose: $0.purpose.rawValue, origin: $0.origin, data: $0.purpose.data) }
    let counts = try log.counts()
    (waiting, quarantined) = (counts.waiting, counts.quarantined)
    dropped = try log.droppedEvents()
    let batches = try log.sentBatches()
    sentBatches = batches.count
    sentEvents = batches.reduce(0) { $0 + $1.events }
  }
}
