public import MediaCore

/// Pictures in a grid, each with its time, on one bitmap.
public final class ContactSheet {
  public let columns: Int
  public let rows: Int
  /// Pixels between and around the tiles; default 6.
  public let gap: Int
  public let hasLabels: Bool
  /// Size of a tile: that of the first picture.
  public private(set) var tile: FrameSize?
  private var bitmap: Bitmap?

  /// - Parameters:
  ///   - columns: tiles in a row, at least 1.
  ///   - rows: rows, at least 1.
  ///   - labels: whether each tile shows its time.
  public init(columns: Int, rows: Int, gap: Int = 6, labels: Bool = true) {
    self.columns = max(1, columns)
    self.rows = max(1, rows)
    self.gap = gap
    hasLabels = labels
  }

  public var capacity: Int { columns * rows }

  /// Where tile `place` lies, in pixels.
  public func origin(of place: Int) -> (x: Int, y: Int) {
    let tile = tile ?? FrameSize(0, 0)
    return (gap + place % columns * (tile.width + gap), gap + place / columns * (tile.height + gap))
  }

  /// Puts an RGB picture at `place`, 0 at the top left; a picture of another size than the first is cropped or padded.
  ///
  /// - Throws: `usage` when the whole sheet would be more than a bitmap may hold.
  public func put(_ picture: Bitmap, at place: Int, time: MediaTime?) throws(MediaError) {
    precondition(picture.layout == .rgb && place >= 0 && place < capacity, "a sheet takes RGB pictures in its places")
    let sheet = try sheet(for: picture.size)
    guard let tile else { return }
    let (x, y) = origin(of: place)
    let width = min(picture.size.width, tile.width)
    for row in 0..<min(picture.size.height, tile.height) {
      let to = sheet.planes[0].base + (y + row) * sheet.planes[0].stride + 3 * x
      to.update(from: picture.planes[0].base + row * picture.planes[0].stride, count: 3 * width)
    }
    if hasLabels, let time { draw(ContactSheet.label(time), x: x, y: y, tile: tile, on: sheet) }
  }

  /// The sheet as far as it is filled; nil when nothing was put on it.
  public var picture: Bitmap? { bitmap }

  /// `"1:02:03.4"`, `"2:03.4"`.
  public static func label(_ time: MediaTime) -> String {
    let tenths = (time.seconds * Rational(10)).floor
    let magnitude = Int(tenths.magnitude)
    let (hours, minutes, seconds) = (magnitude / 36_000, magnitude / 600 % 60, magnitude / 10 % 60)
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let clock = hours > 0 ? "\(hours):\(two(minutes)):\(two(seconds))" : "\(minutes):\(two(seconds))"
    return (tenths < 0 ? "-" : "") + clock + ".\(magnitude % 10)"
  }

  /// The size of a sheet of such tiles.
  ///
  /// - Throws: `usage` when that is more than a bitmap may hold.
  @discardableResult
  public func wholeSize(tile: FrameSize) throws(MediaError) -> FrameSize {
    let whole = FrameSize(gap + columns * (tile.width + gap), gap + rows * (tile.height + gap))
    guard whole.pixels <= 268_435_456, whole.width <= 65_500, whole.height <= 65_500 else {
      throw MediaError(
        .usage, "cannot make a sheet", reason: "\(columns)x\(rows) tiles of \(tile) give \(whole) pixels",
        advice: "use fewer tiles or a smaller --max-size")
    }
    return whole
  }

  private func sheet(for size: FrameSize) throws(MediaError) -> Bitmap {
    if let bitmap { return bitmap }
    tile = size
    let whole = try wholeSize(tile: size)
    let sheet = Bitmap(size: whole, layout: .rgb, pool: ScratchPool())
    for y in 0..<whole.height {
      (sheet.planes[0].base + y * sheet.planes[0].stride).update(repeating: 24, count: sheet.rowBytes)
    }
    bitmap = sheet
    return sheet
  }

  /// White dots on a darkened box at the bottom right of the tile, at most 45 % of its width unless the dots are single pixels.
  private func draw(_ text: String, x: Int, y: Int, tile: FrameSize, on sheet: Bitmap) {
    let glyphs = text.compactMap(Digits.rows(of:))
    let advance = glyphs.count * Digits.advance + 1
    let dot = max(1, min(min(tile.width, tile.height) / 90, tile.width * 45 / 100 / advance))
    let width = advance * dot
    let height = (Digits.height + 2) * dot
    guard width <= tile.width, height <= tile.height else { return }
    let (left, top) = (x + tile.width - width, y + tile.height - height)
    let plane = sheet.planes[0]
    for row in top..<(top + height) {
      let line = plane.base + row * plane.stride
      for i in (3 * left)..<(3 * (left + width)) { line[i] >>= 2 }
    }
    for (place, glyph) in glyphs.enumerated() {
      for (row, bits) in glyph.enumerated() {
        for column in 0..<5 where bits >> UInt8(4 - column) & 1 == 1 {
          let px = left + (place * Digits.advance + column + 1) * dot
          for dy in 0..<dot {
            let line = plane.base + (top + (row + 1) * dot + dy) * plane.stride
            for i in (3 * px)..<(3 * (px + dot)) { line[i] = 255 }
          }
        }
      }
    }
  }
}
