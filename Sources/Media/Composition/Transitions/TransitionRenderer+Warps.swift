internal import CKernels
internal import FFmpegBridge
internal import Glibc
internal import MediaCore

extension TransitionRenderer {
  private static let isa = rw_transition_kernels_for(Int32(RW_ISA_AVX2)) != nil ? Int32(RW_ISA_AVX2) : Int32(RW_ISA_SCALAR)

  private func warp(_ a: VideoFrame, _ b: VideoFrame, _ t: Double, _ program: Int, amount: Double = 0, into target: inout MutableFrame) {
    var warp = rw_warp()
    warp.program = Int32(program)
    warp.progress = Float(t)
    (warp.directionX, warp.directionY) = (Float(transition.vector.x), Float(transition.vector.y))
    warp.centerX = Float(transition.center.x * Double(size.width))
    warp.centerY = Float(transition.center.y * Double(size.height))
    warp.count = Float(transition.count)
    warp.strength = Float(min(max(transition.strength, 0.05), 4))
    warp.amount = Float(amount)
    warp.seed = UInt32(truncatingIfNeeded: transition.seed ^ transition.seed >> 32)
    warp.isFullRange = tags.range == .full ? 1 : 0
    var (dst, first, second) = (target.picture, a.picture, b.picture)
    rw_picture_warp(Self.isa, &dst, &first, &second, &warp, 0, Int32(size.height))
  }

  /// Warps, then blurs by halving steps: the mean of two copies ±amount apart, of that the mean of ±amount/2, and so on,
  /// is the mean of 2ⁿ copies evenly spread.
  func warp(
    _ a: VideoFrame, _ b: VideoFrame, _ t: Double, _ program: Int, blur: TransitionMethod.Blur?, into target: inout MutableFrame
  ) throws(MediaError) {
    guard let blur else { return warp(a, b, t, program, into: &target) }
    let peak = sin(.pi * t)
    let (pass, reach): (Int, Double) =
      switch blur {
      case .radial: (RW_WARP_SCALES, 0.12)
      case .directional: (RW_WARP_SHIFTS, 0.09)
      }
    let amount = reach * peak * peak * transition.strength
    var current = try scratch { frame throws(MediaError) in warp(a, b, t, program, into: &frame) }
    for step in 0..<3 {
      current = try scratch { frame throws(MediaError) in
        warp(current, current, t, pass, amount: amount / Double(1 << step), into: &frame)
      }
    }
    warp(current, current, t, pass, amount: amount / 8, into: &target)
  }
}
