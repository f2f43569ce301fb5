internal import CShims
public import MediaCore

/// An expression evaluated for every sample of two planar 4:2:0 frames, in libavutil's language with the names of FFmpeg's
/// `xfade=transition=custom`: `X Y W H A B PLANE P` and `a0(x,y)` … `b3(x,y)`, coordinates in luma samples. `P` runs from
/// 1 to 0. Far slower than a built-in transition: about a tenth of a microsecond a sample. One thread at a time.
public final class SampleExpression {
  private let expression: OpaquePointer

  /// - Throws: `usage` when the text does not parse.
  public init(_ text: String) throws(MediaError) {
    guard let expression = rw_expression_create(text) else {
      throw MediaError(
        .usage, "cannot use the expression \"\(text)\"", reason: "it does not parse",
        advice: "names are X Y W H A B PLANE P, functions those of libavutil and a0(x,y) to b3(x,y)")
    }
    self.expression = expression
  }

  deinit { rw_expression_free(expression) }

  /// Writes every sample of `target`. All three frames are planar 4:2:0 of one size and of `bits` bits a sample.
  public func draw(_ a: VideoFrame, _ b: VideoFrame, bits: Int, p: Double, into target: inout MutableFrame) {
    var first = RWPlanes(a.rawPlane(0), a.rawPlane(1), a.rawPlane(2), a.size, bits)
    var second = RWPlanes(b.rawPlane(0), b.rawPlane(1), b.rawPlane(2), b.size, bits)
    var result = RWPlanes(target.rawPlane(0), target.rawPlane(1), target.rawPlane(2), target.size, bits)
    precondition(a.size == b.size && a.size == target.size, "frames differ in size")
    rw_expression_draw(expression, &result, &first, &second, p)
  }
}

extension RWPlanes {
  fileprivate init(_ y: RawPlane, _ cb: RawPlane, _ cr: RawPlane, _ size: FrameSize, _ bits: Int) {
    self.init(
      data: (y.base, cb.base, cr.base), stride: (y.stride, cb.stride, cr.stride), width: Int32(size.width), height: Int32(size.height),
      depth: Int32(bits))
  }
}
