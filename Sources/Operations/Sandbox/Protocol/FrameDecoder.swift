/// Cuts a stream of bytes into frames, however torn it arrives.
///
/// A header is judged as soon as its eight bytes are there: an unknown kind, a kind of the wrong direction or a length
/// above the kind's limit ends the stream with a `ProtocolViolation`. Memory grows with the bytes received, never with
/// the length that a header claims.
struct FrameDecoder {
  private var buffer: [UInt8] = []
  private var start = 0
  private let fromWorker: Bool

  /// - Parameter fromWorker: which side's frames are expected.
  init(fromWorker: Bool) { self.fromWorker = fromWorker }

  /// Bytes that are not yet part of a returned frame.
  var pendingByteCount: Int { buffer.count - start }

  mutating func append(_ bytes: some Sequence<UInt8>) {
    if start > 0, start == buffer.count || start > 1 << 20 {
      buffer.removeFirst(start)
      start = 0
    }
    buffer.append(contentsOf: bytes)
  }

  /// The next whole frame; nil until more bytes come.
  mutating func next() throws(ProtocolViolation) -> Frame? {
    guard pendingByteCount >= Frame.headerByteCount else { return nil }
    var length = 0
    for place in (0..<4).reversed() { length = length << 8 | Int(buffer[start + place]) }
    guard let kind = FrameKind(rawValue: buffer[start + 4]), kind.isFromWorker == fromWorker else {
      throw ProtocolViolation("unknown kind of message \(buffer[start + 4])")
    }
    guard buffer[start + 5] == 0, buffer[start + 6] == 0, buffer[start + 7] == 0 else {
      throw ProtocolViolation("malformed header of a \(kind) message")
    }
    guard length <= kind.maximumByteCount else {
      throw ProtocolViolation("a \(kind) message of \(length) bytes; at most \(kind.maximumByteCount) are allowed")
    }
    let end = start + Frame.headerByteCount + length
    guard buffer.count >= end else { return nil }
    let body = Array(buffer[(start + Frame.headerByteCount)..<end])
    start = end
    return Frame(kind: kind, body: body)
  }
}
