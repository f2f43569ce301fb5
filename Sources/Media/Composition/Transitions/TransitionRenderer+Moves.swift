internal import CKernels
internal import FFmpegBridge
internal import Glibc
internal import MediaCore

extension TransitionRenderer {
  /// The direction as whole steps: cardinal and diagonal directions move by whole sides of the picture.
  private func steps(isDiagonalPossible: Bool) -> (x: Double, y: Double) {
    let vector = transition.vector
    if isDiagonalPossible {
      return (
        vector.x.magnitude < 0.4 ? 0 : vector.x.sign == .minus ? -1 : 1,
        vector.y.magnitude < 0.4 ? 0 : vector.y.sign == .minus ? -1 : 1
      )
    }
    if vector.x.magnitude >= vector.y.magnitude { return (vector.x < 0 ? -1 : 1, 0) }
    return (0, vector.y < 0 ? -1 : 1)
  }

  func move(_ a: VideoFrame, _ b: VideoFrame, _ t: Double, _ move: TransitionMethod.Move, into target: inout MutableFrame) {
    // Two pictures side by side leave the corners of a diagonal move empty: only a picture over another can go that way.
    let step: (x: Double, y: Double) =
      switch move {
      case .push, .slide: steps(isDiagonalPossible: false)
      case .cover, .reveal: steps(isDiagonalPossible: true)
      }
    let (w, h) = (Double(size.width), Double(size.height))
    func offset(_ part: Double) -> (Int, Int) {
      (Int(w) * Int(step.x) - Int((1 - part) * w) * Int(step.x), Int(h) * Int(step.y) - Int((1 - part) * h) * Int(step.y))
    }
    let moved = offset(t)
    let entering = (moved.0 - Int(step.x) * size.width, moved.1 - Int(step.y) * size.height)
    switch move {
    case .push:
      shift(a, by: moved, into: &target)
      shift(b, by: entering, into: &target)
    case .slide:
      shift(a, by: offset(t / 3), into: &target)
      shift(b, by: entering, into: &target)
    case .cover:
      blender.copy(a, into: &target)
      shift(b, by: entering, into: &target)
    case .reveal:
      blender.copy(b, into: &target)
      shift(a, by: moved, into: &target)
    }
  }

  private func shift(_ source: VideoFrame, by offset: (Int, Int), into target: inout MutableFrame) {
    var (dst, src) = (target.picture, source.picture)
    rw_picture_shift(&dst, &src, Int32(offset.0), Int32(offset.1), 0, Int32(size.height))
  }

  private func gather(_ source: VideoFrame, _ columns: [Int32], _ rows: [Int32], into target: inout MutableFrame) {
    var (dst, src) = (target.picture, source.picture)
    rw_picture_gather(&dst, &src, columns, rows, 0, Int32(size.height))
  }

  func squeeze(_ a: VideoFrame, _ b: VideoFrame, _ t: Double, isHorizontal: Bool, into target: inout MutableFrame) {
    func positions(_ count: Int) -> [Int32] {
      (0..<count).map { i in
        let z = 0.5 + (Double(i) / Double(count) - 0.5) / (1 - t)
        return z < 0 || z > 1 ? -1 : Int32(rint(z * Double(count - 1)))
      }
    }
    let columns = isHorizontal ? (0..<Int32(size.width)).map { $0 } : positions(size.width)
    let rows = isHorizontal ? positions(size.height) : (0..<Int32(size.height)).map { $0 }
    blender.copy(b, into: &target)
    gather(a, columns, rows, into: &target)
  }

  func zoomSamples(_ a: VideoFrame, _ b: VideoFrame, _ t: Double, into target: inout MutableFrame) throws(MediaError) {
    let zoom = Self.smoothstep(0.5, 1, 1 - t)
    func positions(_ count: Int) -> [Int32] {
      (0..<count).map { i in
        let u = zoom * (Double(i) / Double(count) - 0.5) + 0.5
        return Int32(min(max((u * Double(count - 1)).rounded(.up), 0), Double(count - 1)))
      }
    }
    let zoomed = try scratch { frame throws(MediaError) in gather(a, positions(size.width), positions(size.height), into: &frame) }
    blender.crossfade(zoomed, b, weight: 1 - Self.smoothstep(0, 0.5, 1 - t), into: &target)
  }

  /// xfade's squares grow in 25 steps to a twentieth of the smaller side; the fine kind grows without steps to an eighth.
  func pixelate(_ a: VideoFrame, _ b: VideoFrame, _ t: Double, isFine: Bool, into target: inout MutableFrame) throws(MediaError) {
    let part = min(t, 1 - t)
    let steps = isFine ? 2.5 * part * transition.strength : (part * 50).rounded(.up) / 50
    let side = 2 * steps * Double(min(size.width, size.height)) / 20
    func positions(_ count: Int) -> [Int32] {
      (0..<count).map { i in side > 0 ? Int32(min(((Double(i) / side).rounded(.down) + 0.5) * side, Double(count - 1))) : Int32(i) }
    }
    let (columns, rows) = (positions(size.width), positions(size.height))
    let coarseA = try scratch { frame throws(MediaError) in gather(a, columns, rows, into: &frame) }
    let coarseB = try scratch { frame throws(MediaError) in gather(b, columns, rows, into: &frame) }
    blender.crossfade(coarseA, coarseB, weight: t, into: &target)
  }
}
