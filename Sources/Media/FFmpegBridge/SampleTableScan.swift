import FileAccess

/// Counts the samples that an ISO base media file (MP4, MOV, 3GP …) claims, before libavformat makes an index entry of each.
///
/// A table of fixed-size samples takes 20 bytes however many it claims; libavformat keeps 24 bytes a sample. Only box headers
/// and counts are read (ISO/IEC 14496-12, 8.7.3 `stsz`, 8.8.8 `trun`). Other formats are left alone.
struct SampleTableScan {
  private let descriptor: Descriptor
  private let fileSize: Int64
  /// Boxes looked at; a file of more is not one that people have.
  private var boxes = 0
  private static let maximumBoxes = 200_000
  private static let containers: Set<String> = ["moov", "trak", "mdia", "minf", "stbl", "moof", "traf"]

  /// The samples of one track.
  private struct Track {
    var samples: Int64 = 0
    var isSound = false
    /// One time table entry of one tick a sample: PCM, of which libavformat indexes chunks.
    var isPlain = false
  }
  private var track = Track()
  /// Index entries that all tracks together would take.
  private(set) var sampleCount: Int64 = 0

  /// Looks at `input` from its start; nil where it does not begin as such a file does.
  init?(_ input: InputFile) {
    descriptor = input.descriptor
    fileSize = input.snapshot.byteCount
    guard let first = header(at: 0, end: fileSize), first.type.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) else { return nil }
    walk(from: 0, to: fileSize, depth: 0)
  }

  private struct Box {
    var type: String
    var body: Int64
    var end: Int64
  }

  private func header(at position: Int64, end: Int64) -> Box? {
    guard let header = BoxHeader(at: position, in: descriptor) else { return nil }
    let size = header.size ?? end - position
    guard size >= header.byteCount, size <= Int64.max - position else { return nil }
    return Box(type: header.type, body: position + header.byteCount, end: min(end, position + size))
  }

  private mutating func walk(from start: Int64, to end: Int64, depth: Int) {
    var position = start
    while position + 8 <= end, boxes < SampleTableScan.maximumBoxes, let box = header(at: position, end: end) {
      boxes += 1
      switch box.type {
      case "trak":
        track = Track()
        walk(from: box.body, to: box.end, depth: depth + 1)
        if !(track.isSound && track.isPlain) { add(track.samples) }
      case let type where SampleTableScan.containers.contains(type) && depth < 8:
        walk(from: box.body, to: box.end, depth: depth + 1)
      case "hdlr":
        if let bytes = read(12, at: box.body) { track.isSound = bytes[8..<12].elementsEqual("soun".utf8) }
      case "stts":
        if let bytes = read(16, at: box.body) {
          track.isPlain = BoxHeader.number(bytes[4..<8]) == 1 && BoxHeader.number(bytes[12..<16]) == 1
        }
      case "stsz", "stz2":
        if let bytes = read(12, at: box.body) { track.samples = max(track.samples, BoxHeader.number(bytes[8..<12])) }
      case "trun":
        if let bytes = read(8, at: box.body) { add(BoxHeader.number(bytes[4..<8])) }
      default: break
      }
      position = box.end
    }
  }

  private mutating func add(_ samples: Int64) { sampleCount = min(sampleCount, Int64.max / 2) + samples }

  private func read(_ count: Int, at position: Int64) -> [UInt8]? {
    let bytes = descriptor.bytes(at: position, count: count)
    return bytes.count == count ? bytes : nil
  }
}
