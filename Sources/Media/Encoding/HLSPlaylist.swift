public import FileAccess
public import MediaCore

/// An HLS media playlist (RFC 8216) over one MP4 file in fragments: each fragment is a byte range of the file.
public enum HLSPlaylist {
  /// The playlist of a finished file.
  ///
  /// - Parameters:
  ///   - file: written with `EncodePreset.isFragmented`; pictures are its first track.
  ///   - name: how the playlist calls it: a path relative to its own place.
  ///   - duration: of the whole, in seconds.
  /// - Throws: `bug` when the file is no MP4 in fragments.
  public static func text(of file: OutputFile, name: String, duration: Double) throws(MediaError) -> String {
    var scan = Scan(descriptor: file.descriptor)
    scan.run()
    guard let unit = scan.timescale, unit > 0, let first = scan.fragments.first, let last = scan.fragments.last else {
      throw MediaError(.bug, "cannot write a playlist of \(file.displayName)", reason: "it is not in fragments")
    }
    let seconds = scan.fragments.enumerated().map { index, fragment in
      index + 1 < scan.fragments.count
        ? Double(scan.fragments[index + 1].time - fragment.time) / Double(unit)
        : max(0.001, duration - Double(last.time - first.time) / Double(unit))
    }
    let uri = escaped(name)
    var lines = [
      "#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:\(Int((seconds.max() ?? 1).rounded(.up)))", "#EXT-X-PLAYLIST-TYPE:VOD",
      "#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-MAP:URI=\"\(uri)\",BYTERANGE=\"\(first.range.lowerBound)@0\"",
    ]
    for (fragment, length) in zip(scan.fragments, seconds) {
      let millionths = Int64((length * 1_000_000).rounded())
      let fraction = String(millionths % 1_000_000)
      lines.append("#EXTINF:\(millionths / 1_000_000)." + String(repeating: "0", count: 6 - fraction.count) + fraction + ",")
      lines.append("#EXT-X-BYTERANGE:\(fragment.range.count)@\(fragment.range.lowerBound)")
      lines.append(uri)
    }
    return (lines + ["#EXT-X-ENDLIST", ""]).joined(separator: "\n")
  }

  /// Percent-encodes what may not stand in a URI (RFC 3986).
  private static func escaped(_ name: String) -> String {
    let digits = Array("0123456789ABCDEF")
    return name.utf8.map { byte in
      let isPlain =
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x2F, 0x5F, 0x7E: true
        default: false
        }
      return isPlain ? String(UnicodeScalar(byte)) : "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
    }.joined()
  }

  /// Where the fragments of a file are (ISO/IEC 14496-12: 8.8) and when their pictures are decoded.
  private struct Scan {
    let descriptor: Descriptor
    var timescale: UInt64?
    var fragments: [(range: Range<Int64>, time: Int64)] = []

    init(descriptor: Descriptor) { self.descriptor = descriptor }

    mutating func run() {
      var position: Int64 = 0
      while let box = box(descriptor.bytes(at: position, count: 16)[...]) {
        let end = position + Int64(box.size)
        switch box.type {
        case "moov", "moof":
          let bytes = descriptor.bytes(at: position, count: Int(box.size))
          let inside = bytes[box.header...]
          if box.type == "moov" {
            timescale = find(["trak", "mdia", "mdhd"], in: inside).flatMap { Scan.number($0, $0[$0.startIndex] == 1 ? 20 : 12, 4) }
          } else if let time = find(["traf", "tfdt"], in: inside), let first = time.first {
            fragments.append((position..<end, Int64(Scan.number(time, 4, first == 1 ? 8 : 4) ?? 0)))
          }
        case "mdat":
          if let last = fragments.indices.last { fragments[last].range = fragments[last].range.lowerBound..<end }
        default: break
        }
        position = end
      }
    }

    /// What is in the first box of each kind, one inside the other.
    private func find(_ path: [String], in bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
      guard let wanted = path.first else { return bytes }
      var rest = bytes
      while let box = box(rest), box.size <= UInt64(rest.count) {
        let body = rest.dropFirst(box.header).prefix(Int(box.size) - box.header)
        if box.type == wanted { return find(Array(path.dropFirst()), in: body) }
        rest = rest.dropFirst(Int(box.size))
      }
      return nil
    }

    private func box(_ bytes: ArraySlice<UInt8>) -> (type: String, size: UInt64, header: Int)? {
      guard let short = Scan.number(bytes, 0, 4), bytes.count >= 8 else { return nil }
      let type = String(decoding: bytes.dropFirst(4).prefix(4), as: UTF8.self)
      guard short == 1 else { return short >= 8 ? (type, short, 8) : nil }
      guard let long = Scan.number(bytes, 8, 8), long >= 16 else { return nil }
      return (type, long, 16)
    }

    /// A big-endian number of `count` bytes.
    private static func number(_ bytes: ArraySlice<UInt8>, _ offset: Int, _ count: Int) -> UInt64? {
      let part = bytes.dropFirst(offset).prefix(count)
      return part.count == count ? part.reduce(0) { $0 << 8 | UInt64($1) } : nil
    }
  }
}
