internal import Crypto

/// Events as CloudEvents 1.0 in JSON batches (`application/cloudevents-batch+json`).
///
/// `source` is the installation, `id` the sequence number: a receiver that has seen the pair drops a repeat.
public enum CloudEvents {
  /// The media type of a batch.
  public static let contentType = "application/cloudevents-batch+json"

  static func type(_ kind: EventKind) -> String { "reelwright.\(kind.rawValue).v1" }

  /// One event. The project's label goes as `subject`; `traceparent` (W3C Trace Context, the CloudEvents extension of
  /// distributed tracing) is the same for all events of a job.
  static func event(_ entry: LogEntry, installation: String) -> String {
    var text = "{\"specversion\":\"1.0\",\"id\":\"\(entry.sequence)\",\"source\":\"urn:reelwright:installation:\(installation)\""
    text += ",\"type\":\"\(type(entry.event.kind))\",\"time\":\"\(Timestamp.text(entry.timeMicroseconds))\""
    text += ",\"subject\":\(JSONText.quoted(entry.event.project))"
    if case .text(let job) = entry.event.fields[.job] {
      let trace = Hex.encode(BLAKE2b.digest(of: Array("\(installation)|\(job)".utf8), byteCount: 16))
      let span = Hex.encode(BLAKE2b.digest(of: Array("\(installation)|\(entry.sequence)".utf8), byteCount: 16).prefix(8))
      text += ",\"traceparent\":\"00-\(trace)-\(span)-01\""
    }
    return text + ",\"datacontenttype\":\"application/json\",\"data\":\(entry.event.payload)}"
  }

  /// A batch, in order.
  static func batch(_ entries: [LogEntry], installation: String) -> [UInt8] {
    Array(("[" + entries.map { event($0, installation: installation) }.joined(separator: ",\n") + "]").utf8)
  }
}
