import FileAccess
import Glibc

/// Hides the priming of sound that begins late in a finished MP4, MOV or M4A file.
///
/// An edit list (ISO/IEC 14496-12, 8.6.6 `elst`) can both delay a track and cut its start. FFmpeg's muxer writes the one or the
/// other: where the sound begins after time 0, an encoder's priming stays audible as silence before it. Such a track is handed to
/// the muxer delayed by its priming, and its list is put right here, in place: the edit begins after the priming and is
/// shorter by it, and so are the durations in `tkhd` and `mvhd`.
struct EditListPatch {
  private let descriptor: Descriptor
  private var bytes: [UInt8] = []
  /// Where `bytes`, the content of the `moov` box, begins in the file.
  private var origin: Int64 = 0

  /// - Parameter descriptor: the finished file, open for reading and writing.
  init(_ descriptor: Descriptor) { self.descriptor = descriptor }

  /// Cuts `priming` samples from the start of each track, by its identifier; false when the file is not as expected or a
  /// write fails.
  mutating func cut(_ priming: [Int: Int64]) -> Bool {
    guard readMovie() else { return false }
    var (patched, longest, movieUnit) = (0, Int64(0), Int64(0))
    var movieHeader: Box?
    for box in boxes(in: 0..<bytes.count) {
      if box.type == "mvhd" {
        movieHeader = box
        movieUnit = number(at: box.body.lowerBound + (isWide(box) ? 20 : 12), wide: false)
      } else if box.type == "trak" {
        guard let track = Track(box, in: self, movieUnit: movieUnit) else { return false }
        if let samples = priming[track.identifier] {
          guard samples < track.length, movieUnit > 0 else { return false }
          cut(samples, from: track, movieUnit: movieUnit)
          patched += 1
        }
        longest = max(longest, number(at: track.durationOffset, wide: track.isWide))
      }
    }
    guard patched == priming.count, let movieHeader else { return false }
    let wide = isWide(movieHeader)
    store(longest, at: movieHeader.body.lowerBound + (wide ? 24 : 16), wide: wide)
    return bytes.withUnsafeBytes { pwrite(descriptor.rawValue, $0.baseAddress, $0.count, off_t(origin)) == $0.count }
  }

  private mutating func cut(_ samples: Int64, from track: Track, movieUnit: Int64) {
    let old = number(at: track.editOffset, wide: track.isEditWide)
    let remaining = track.length - samples
    let new = (remaining * movieUnit + track.unit - 1) / track.unit
    store(new, at: track.editOffset, wide: track.isEditWide)
    store(samples, at: track.editOffset + (track.isEditWide ? 8 : 4), wide: track.isEditWide)
    store(number(at: track.durationOffset, wide: track.isWide) - (old - new), at: track.durationOffset, wide: track.isWide)
  }

  // MARK: Boxes

  private struct Box {
    var type: String
    var body: Range<Int>
  }

  /// What is looked at of a track: offsets into the movie box, lengths in the track's unit.
  private struct Track {
    var identifier = 0
    var durationOffset = 0
    var isWide = false
    var editOffset = 0
    var isEditWide = false
    var unit: Int64 = 0
    var length: Int64 = 0

    init?(_ box: Box, in movie: EditListPatch, movieUnit: Int64) {
      for part in movie.boxes(in: box.body) {
        switch part.type {
        case "tkhd":
          isWide = movie.isWide(part)
          identifier = Int(movie.number(at: part.body.lowerBound + (isWide ? 20 : 12), wide: false))
          durationOffset = part.body.lowerBound + (isWide ? 28 : 20)
        case "edts":
          guard let list = movie.boxes(in: part.body).first(where: { $0.type == "elst" }) else { return nil }
          isEditWide = movie.isWide(list)
          let count = Int(movie.number(at: list.body.lowerBound + 4, wide: false))
          guard count >= 1 else { return nil }
          editOffset = list.body.lowerBound + 8 + (count - 1) * (isEditWide ? 20 : 12)
        case "mdia":
          guard let header = movie.boxes(in: part.body).first(where: { $0.type == "mdhd" }) else { return nil }
          let wide = movie.isWide(header)
          unit = movie.number(at: header.body.lowerBound + (wide ? 20 : 12), wide: false)
          length = movie.number(at: header.body.lowerBound + (wide ? 24 : 16), wide: wide)
        default: break
        }
      }
      guard durationOffset > 0, unit > 0 else { return nil }
    }
  }

  private func boxes(in range: Range<Int>) -> [Box] {
    var found: [Box] = []
    var position = range.lowerBound
    while position + 8 <= range.upperBound {
      let size = Int(number(at: position, wide: false))
      guard size >= 8, position + size <= range.upperBound else { break }
      found.append(Box(type: String(decoding: bytes[position + 4..<position + 8], as: UTF8.self), body: position + 8..<position + size))
      position += size
    }
    return found
  }

  /// Whether the box is of version 1, with times of 64 bits.
  private func isWide(_ box: Box) -> Bool { bytes[box.body.lowerBound] == 1 }

  private func number(at offset: Int, wide: Bool) -> Int64 {
    let count = wide ? 8 : 4
    guard offset >= 0, offset + count <= bytes.count else { return 0 }
    return Int64(bitPattern: bytes[offset..<offset + count].reduce(0) { $0 << 8 | UInt64($1) })
  }

  private mutating func store(_ value: Int64, at offset: Int, wide: Bool) {
    let count = wide ? 8 : 4
    for index in 0..<count { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> Int64(8 * (count - 1 - index))) }
  }

  /// Reads the content of `moov`, wherever it stands.
  private mutating func readMovie() -> Bool {
    var position: Int64 = 0
    while let header = BoxHeader(at: position, in: descriptor), let size = header.size {
      if header.type == "moov" {
        let count = size - header.byteCount
        origin = position + header.byteCount
        guard count < 1 << 31 else { return false }
        bytes = descriptor.bytes(at: origin, count: Int(count))
        return bytes.count == count
      }
      position += size
    }
    return false
  }
}
