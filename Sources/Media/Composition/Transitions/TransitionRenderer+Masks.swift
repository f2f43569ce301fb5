internal import CKernels
internal import FFmpegBridge
internal import Glibc
internal import MediaCore

extension TransitionRenderer {
  func softness(_ recipe: MaskRecipe) -> Double { min(max(recipe.softness ?? transition.softness, 0), 1) }

  /// The field of a recipe. It runs over 32767 / (1 + softness), so that the front, which must travel its own width
  /// beyond the end, stays within 16 bits.
  func buildField(_ recipe: MaskRecipe) {
    fieldScale = 32767 / (1 + softness(recipe))
    let count = max(transition.count, 0.01)
    var shape = rw_field_shape()
    shape.shape = Int32(recipe.shape)
    (shape.directionX, shape.directionY) = (Float(transition.vector.x), Float(transition.vector.y))
    shape.centerX = Float(transition.center.x * Double(size.width))
    shape.centerY = Float(transition.center.y * Double(size.height))
    shape.offset = Float(recipe.offset)
    // xfade's slices are ten.
    shape.count = Float(recipe.shape == RW_SHAPE_SLICES ? 10 : count)
    // An even size keeps chroma samples within one square, where the picture is not so small that it matters.
    let isSquare = recipe.shape == RW_SHAPE_BLOCKS || recipe.shape == RW_SHAPE_CHECKERS
    shape.size = Float(isSquare ? max(2, (Double(size.width) / count / 2).rounded() * 2) : recipe.inset)
    shape.seed = transition.seed
    shape.inverted = recipe.isInverted ? 1 : 0
    shape.scale = Float(fieldScale)
    field = [Int16](repeating: 0, count: size.width * size.height)
    let isa = rw_transition_kernels_for(Int32(RW_ISA_AVX2)) != nil ? Int32(RW_ISA_AVX2) : Int32(RW_ISA_SCALAR)
    (transition.map?.samples ?? [0]).withUnsafeBufferPointer { samples in
      shape.map = samples.baseAddress
      shape.mapWidth = Int32(transition.map?.size.width ?? 1)
      shape.mapHeight = Int32(transition.map?.size.height ?? 1)
      shape.mapStride = transition.map?.size.width ?? 1
      rw_field_build(isa, &field, size.width, Int32(size.width), Int32(size.height), &shape, 0, Int32(size.height))
    }
  }

  private func front(_ recipe: MaskRecipe, at position: Double) -> rw_front {
    let softness = softness(recipe)
    return rw_front(
      position: Int32(min(max((position * fieldScale).rounded(), -32768), 32767)),
      softness: Int32(max(1, (softness * fieldScale).rounded())), smooth: recipe.isSmooth ? 1 : 0)
  }

  private func blendField(_ a: VideoFrame, _ b: VideoFrame, _ front: rw_front, into target: inout MutableFrame) {
    var (dst, first, second, front) = (target.picture, a.picture, b.picture, front)
    rw_picture_blend_field(blender.kernels, &dst, &first, &second, field, size.width, &front, 0, Int32(size.height))
  }

  func maskBlend(_ a: VideoFrame, _ b: VideoFrame, _ t: Double, _ recipe: MaskRecipe, into target: inout MutableFrame) {
    let position = recipe.motion.map { t * $0.rate + $0.start } ?? t * (1 + softness(recipe))
    blendField(a, b, front(recipe, at: position), into: &target)
  }

  func window(
    _ a: VideoFrame, _ b: VideoFrame, _ t: Double, _ recipe: MaskRecipe, power: Double, into target: inout MutableFrame
  ) throws(MediaError) {
    let radius = pow((t - 0.5).magnitude * 2, power)
    blendField(try coloredFrame(), t < 0.5 ? a : b, front(recipe, at: radius), into: &target)
  }

  /// Hermite's 3x² - 2x³ between two edges, as xfade has it.
  static func smoothstep(_ from: Double, _ to: Double, _ x: Double) -> Double {
    let v = min(max((x - from) / (to - from), 0), 1)
    return v * v * (3 - 2 * v)
  }

  func throughColor(_ a: VideoFrame, _ b: VideoFrame, _ t: Double, into target: inout MutableFrame) {
    let isFirst = t < 0.5
    blender.mix(a, b, weightA: isFirst ? 1 - 2 * t : 0, weightB: isFirst ? 0 : 2 * t - 1, color: codeColor, into: &target)
  }

  func overColor(_ a: VideoFrame, _ b: VideoFrame, _ t: Double, into target: inout MutableFrame) {
    let rest = 1 - t
    blender.mix(
      a, b, weightA: rest * Self.smoothstep(0.8, 1, rest), weightB: t * (1 - Self.smoothstep(0.2, 1, rest)), color: codeColor,
      into: &target)
  }

  func overGray(_ a: VideoFrame, _ b: VideoFrame, _ t: Double, into target: inout MutableFrame) {
    let rest = 1 - t
    let weightA = FrameBlender.weight(rest * Self.smoothstep(0.8, 1, rest))
    let weightB = FrameBlender.weight(t * (1 - Self.smoothstep(0.2, 1, rest)))
    let luma = FrameBlender.weight(rest)
    let middle = Int32(1) << (depth - 1)
    var (dst, first, second) = (target.picture, a.picture, b.picture)
    rw_picture_mix(
      blender.kernels, &dst, &first, &second, [luma, weightA, weightA], [Int32(RW_WEIGHT_ONE) - luma, weightB, weightB],
      [0, middle, middle], 0, Int32(size.height))
  }

  /// xfade raises the first picture's weight to 1 + ln(1 + difference), or to 1 + ln(2 - difference).
  func difference(_ a: VideoFrame, _ b: VideoFrame, _ t: Double, fast: Bool, into target: inout MutableFrame) {
    let top = Double((1 << depth) - 1)
    let table = (0..<(1 << Int(depth))).map { value in
      let part = Double(value) / top
      let weightA = pow(1 - t, 1 + log(fast ? 1 + part : 2 - part))
      return Int16(FrameBlender.weight(1 - weightA))
    }
    var (dst, first, second) = (target.picture, a.picture, b.picture)
    rw_picture_blend_difference(&dst, &first, &second, table, 0, Int32(size.height))
  }

  func distance(_ a: VideoFrame, _ b: VideoFrame, _ t: Double, into target: inout MutableFrame) {
    var (dst, first, second) = (target.picture, a.picture, b.picture)
    let (width, height) = (size.width, Int32(size.height))
    withMask { mask in
      rw_mask_from_distance(&mask, width, &first, &second, Float(1 - t), UInt8((t * 255).rounded()), 0, height)
      rw_picture_blend_mask(blender.kernels, &dst, &first, &second, mask, width, 0, height)
    }
  }
}
