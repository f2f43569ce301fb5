public import MediaCore
import Pipeline

/// An upright 8-bit picture with square pixels, ready to be written: RGB, RGBA or JFIF's Y'CbCr.
public final class Bitmap: @unchecked Sendable {
  public enum Layout: Sendable, Hashable {
    /// One plane of interleaved bytes: 3 or 4 a pixel.
    case rgb
    case rgba
    /// Full-range BT.601 in three planes, chroma halved where the shift is 1.
    case jfif(shiftX: Int, shiftY: Int)
  }

  public let size: FrameSize
  public let layout: Layout
  let planes: [Plane]
  private let memory: ScratchPool.Block

  struct Plane {
    var base: UnsafeMutablePointer<UInt8>
    var stride: Int
    var width: Int
    var height: Int
  }

  /// Uninitialised memory from the pool.
  init(size: FrameSize, layout: Layout, pool: ScratchPool) {
    self.size = size
    self.layout = layout
    var shapes: [(width: Int, height: Int, bytes: Int)]
    switch layout {
    case .rgb: shapes = [(size.width, size.height, 3)]
    case .rgba: shapes = [(size.width, size.height, 4)]
    case .jfif(let x, let y):
      let chroma = ((size.width + x) >> x, (size.height + y) >> y, 1)
      shapes = [(size.width, size.height, 1), chroma, chroma]
    }
    let counts = shapes.map { ($0.width * $0.bytes + 31) / 32 * 32 * $0.height + 64 }
    memory = pool.block(counts.reduce(0, +))
    var base = memory.base
    planes = zip(shapes, counts).map { shape, count in
      defer { base += count }
      return Plane(base: base, stride: (shape.width * shape.bytes + 31) / 32 * 32, width: shape.width, height: shape.height)
    }
  }

  var channels: Int {
    switch layout {
    case .rgb: 3
    case .rgba: 4
    case .jfif: 1
    }
  }

  /// Bytes of a row of the first plane.
  var rowBytes: Int { size.width * channels }

  /// The top left part, sharing the memory. `part` must fit; RGB and RGBA only.
  public func cropped(to part: FrameSize) -> Bitmap {
    precondition(part.width <= size.width && part.height <= size.height && planes.count == 1, "cannot crop")
    return Bitmap(part, of: self)
  }

  private init(_ part: FrameSize, of whole: Bitmap) {
    size = part
    layout = whole.layout
    memory = whole.memory
    planes = whole.planes.map { Plane(base: $0.base, stride: $0.stride, width: part.width, height: part.height) }
  }

  /// Gives `body` the bytes of row `y` of plane `plane`: RGB or RGBA pixels, or samples.
  public func withRow<Result, Failure: Error>(
    _ y: Int, ofPlane plane: Int = 0, _ body: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    precondition(y >= 0 && y < planes[plane].height, "no such row")
    let row = UnsafePointer(planes[plane].base + y * planes[plane].stride)
    return try body(Span(_unsafeStart: row, count: planes[plane].width * channels))
  }
}

/// Blocks of memory that are used again: pictures of one size are made one after the other.
final class ScratchPool: @unchecked Sendable {
  private let condition = Condition()
  private var free: [(base: UnsafeMutablePointer<UInt8>, count: Int)] = []
  private static let kept = 4

  init() {}

  deinit { for block in free { block.base.deallocate() } }

  func block(_ count: Int) -> Block {
    let known: (base: UnsafeMutablePointer<UInt8>, count: Int)? = condition.locked {
      guard let place = free.firstIndex(where: { $0.count >= count && $0.count <= 4 * count + 65_536 }) else { return nil }
      return free.remove(at: place)
    }
    if let known { return Block(base: known.base, count: known.count, pool: self) }
    return Block(base: .allocate(capacity: count), count: count, pool: self)
  }

  fileprivate func giveBack(_ base: UnsafeMutablePointer<UInt8>, _ count: Int) {
    let isKept = condition.locked {
      guard free.count < ScratchPool.kept else { return false }
      free.append((base, count))
      return true
    }
    if !isKept { base.deallocate() }
  }

  final class Block {
    let base: UnsafeMutablePointer<UInt8>
    let count: Int
    private let pool: ScratchPool

    init(base: UnsafeMutablePointer<UInt8>, count: Int, pool: ScratchPool) {
      self.base = base
      self.count = count
      self.pool = pool
    }

    deinit { pool.giveBack(base, count) }
  }
}
