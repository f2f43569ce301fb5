import FileAccess
import Glibc

/// Whether a file ends where its own structure says that it does.
///
/// FFmpeg's demuxers take what they can get and end without a word where many formats state their size or mark their end. Reads
/// by position only. A format that has neither mark nor size (raw streams) cannot be judged here: where it is cut within a picture and
/// the decoder notices (H.264, MPEG-4), `VideoDecodeSource` says so; a cut between pictures, or of HEVC, leaves no trace.
struct FileEnd {
  private let descriptor: Descriptor
  private let byteCount: Int64

  /// Why the file is thought to be cut short; nil when it is whole, or nothing can be said.
  ///
  /// - Parameter format: FFmpeg's name of the container.
  static func missing(in input: InputFile, format: String) -> String? {
    let file = FileEnd(descriptor: input.descriptor, byteCount: input.snapshot.byteCount)
    switch format {
    case "mov,mp4,m4a,3gp,3g2,mj2": return file.boxes()
    case "avi", "wav", "webp_pipe", "webp": return file.riff()
    case "mp3": return file.mp3()
    case "ogg": return file.ogg()
    case "gif": return file.gif()
    case "jpeg_pipe", "image2": return file.jpeg()
    case "mpegts": return file.transportStream()
    default: return nil
    }
  }

  private func read(_ offset: Int64, _ count: Int) -> [UInt8] {
    guard offset >= 0, offset < byteCount else { return [] }
    return descriptor.bytes(at: offset, count: Int(min(Int64(count), byteCount - offset)))
  }

  private static func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

  /// ISO/IEC 14496-12, 4.2: boxes that describe samples must be whole. Media data is judged by the samples in it.
  private func boxes() -> String? {
    var offset: Int64 = 0
    for _ in 0..<100_000 {
      guard offset < byteCount, let box = BoxHeader(at: offset, in: descriptor), let size = box.size else { return nil }
      if ["moov", "moof", "meta"].contains(box.type), size > byteCount - offset {
        return "its \(box.type) box ends \(size - (byteCount - offset)) bytes beyond its end (\(byteCount) bytes)"
      }
      guard size < byteCount - offset else { return nil }
      offset += size
    }
    return nil
  }

  /// The size in each RIFF header; 0 and the largest ones stand for "not known" in files that were streamed.
  private func riff() -> String? {
    var offset: Int64 = 0
    while true {
      let header = read(offset, 8)
      guard header.count == 8, FileEnd.text(header[0..<4]) == "RIFF" else { return nil }
      let size = BoxHeader.number(header[4..<8].reversed())
      guard size > 0, size < 0x7FFF_F000 else { return nil }
      let end = offset + 8 + size
      if end > byteCount { return "its header states \(end) bytes, there are \(byteCount)" }
      offset = end + size % 2
    }
  }

  /// The byte count in the Xing or Info header of the first frame.
  private func mp3() -> String? {
    var offset: Int64 = 0
    let tag = read(0, 10)
    if tag.count == 10, FileEnd.text(tag[0..<3]) == "ID3" { offset = 10 + tag[6..<10].reduce(0) { $0 << 7 | Int64($1 & 127) } }
    let frame = read(offset, 256)
    guard frame.count == 256, frame[0] == 0xFF, frame[1] & 0xE0 == 0xE0 else { return nil }
    let isVersion1 = frame[1] & 0x18 == 0x18
    let isMono = frame[3] & 0xC0 == 0xC0
    let place = 4 + (isVersion1 ? (isMono ? 17 : 32) : (isMono ? 9 : 17))
    guard ["Xing", "Info"].contains(FileEnd.text(frame[place..<place + 4])), frame[place + 7] & 2 != 0 else { return nil }
    let field = place + 8 + (frame[place + 7] & 1 != 0 ? 4 : 0)
    let size = BoxHeader.number(frame[field..<field + 4])
    return offset + size > byteCount ? "its header states \(offset + size) bytes, there are \(byteCount)" : nil
  }

  /// RFC 3533: the last page is whole and marked as the end of its stream.
  private func ogg() -> String? {
    let tail = read(max(0, byteCount - 131_072), 131_072)
    let mark = Array("OggS".utf8)
    guard var place = tail.indices.last(where: { tail[$0...].starts(with: mark) }) else { return nil }
    var isLast = true
    while true {
      guard place + 27 <= tail.count else { return "it ends within a page" }
      let segments = Int(tail[place + 26])
      guard place + 27 + segments <= tail.count else { return "it ends within a page" }
      let size = 27 + segments + tail[(place + 27)..<(place + 27 + segments)].reduce(0) { $0 + Int($1) }
      if isLast, place + size > tail.count { return "it ends within a page" }
      if tail[place + 5] & 4 != 0 { return nil }
      // Streams may end one after the other, with others' last pages behind.
      isLast = false
      guard let earlier = tail[..<place].indices.last(where: { tail[$0..<place].starts(with: mark) }) else { break }
      place = earlier
    }
    return "its last page does not mark the end"
  }

  /// The trailer byte; zeros behind it are padding.
  private func gif() -> String? {
    read(max(0, byteCount - 4096), 4096).last { $0 != 0 } == 0x3B ? nil : "its trailer is missing"
  }

  /// ITU-T T.81, annex B: the marker segments and scans up to the end of image. What comes behind it is of others.
  private func jpeg() -> String? {
    let start = read(0, 2)
    guard start == [0xFF, 0xD8] else { return nil }
    let missing = "it ends before the end of the picture"
    var offset: Int64 = 2
    var isScan = false
    while true {
      if isScan {
        guard let next = marker(from: offset) else { return missing }
        offset = next
        isScan = false
      }
      let header = read(offset, 4)
      guard header.count >= 2 else { return missing }
      guard header[0] == 0xFF else { return nil }
      switch header[1] {
      case 0xD9: return nil
      case 0xFF: offset += 1
      case 0x01, 0xD0...0xD8: offset += 2
      default:
        guard header.count == 4 else { return missing }
        isScan = header[1] == 0xDA
        offset += 2 + max(2, BoxHeader.number(header[2..<4]))
        if offset > byteCount { return missing }
      }
    }
  }

  /// The next marker that is neither stuffing nor a restart.
  private func marker(from start: Int64) -> Int64? {
    var offset = start
    while true {
      let chunk = read(offset, 1 << 20)
      guard chunk.count >= 2 else { return nil }
      var found: Int?
      chunk.withUnsafeBytes { bytes in
        var place = 0
        while place < bytes.count - 1, let hit = memchr(bytes.baseAddress! + place, 0xFF, bytes.count - 1 - place) {
          place = hit - UnsafeMutableRawPointer(mutating: bytes.baseAddress!)
          let code = bytes[place + 1]
          if code != 0, code != 0xFF, !(0xD0...0xD7).contains(code) {
            found = place
            return
          }
          place += 1
        }
      }
      if let found { return offset + Int64(found) }
      offset += Int64(chunk.count - 1)
    }
  }

  /// ISO/IEC 13818-1: whole packets of 188 bytes, or 192 or 204 with what recorders add.
  private func transportStream() -> String? {
    for (size, first) in [(188, 0), (192, 4), (204, 0)] as [(Int64, Int64)] {
      let isAligned = (0..<4).allSatisfy { index in read(first + Int64(index) * size, 1) == [0x47] }
      if isAligned, byteCount > 4 * size { return byteCount % size == 0 ? nil : "it ends within a packet" }
    }
    return nil
  }
}
