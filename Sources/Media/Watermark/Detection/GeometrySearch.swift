internal import CKernels

/// Scores geometries by the power at the places where a key's lines would be: blind to translation and payload.
struct GeometrySearch {
  struct Scored: Sendable {
    var geometry: Geometry
    var score: Float
  }

  private let x: [Float]
  private let y: [Float]
  /// Encoders and small sizes take the finest lines first, and the coarsest were sent the strongest.
  private let weights: [Int32]
  private let kernels = rw_detect_variant(rw_detect_variant_count() - 1).pointee
  /// Fewer lines than these within the band say nothing.
  private let leastLines: Int32 = 96

  init(layout: CarrierLayout) {
    let lines = layout.synchronisation + layout.data
    x = lines.map { Float($0.x) }
    y = lines.map { Float($0.y) }
    weights = lines.map { Int32((16 / (1 + Double($0.radiusSquared) / 64)).rounded()) }
    precondition(lines.count % 16 == 0)
  }

  func scores(_ geometries: [Geometry], in map: rw_detect_map) -> [Float] {
    var matrices: [Float] = []
    matrices.reserveCapacity(4 * geometries.count)
    for geometry in geometries {
      let m = geometry.frequencyMatrix
      matrices.append(Float(m.a))
      matrices.append(Float(m.b))
      matrices.append(Float(m.c))
      matrices.append(Float(m.d))
    }
    var scores = [Float](repeating: 0, count: geometries.count)
    withUnsafePointer(to: map) {
      kernels.score($0, x, y, weights, Int32(x.count), matrices, Int32(geometries.count), leastLines, &scores)
    }
    return scores
  }

  /// Improves a geometry by grids of 5⁴ over scales, rotation and shear-free aspect, at .2, .1 and .05 %.
  func refined(_ start: Geometry, in map: rw_detect_map, steps: [Double] = [0.002, 0.001, 0.0005]) -> Scored {
    var best = Scored(geometry: start, score: scores([start], in: map)[0])
    for step in steps {
      let centre = best.geometry
      var candidates: [Geometry] = []
      for i in -2...2 {
        for j in -2...2 {
          for k in -2...2 {
            var g = centre
            g.scaleX *= 1 + Double(i) * step
            g.scaleY *= 1 + Double(j) * step
            g.rotation += Double(k) * step * 180 / .pi
            candidates.append(g)
          }
        }
      }
      for (geometry, score) in zip(candidates, scores(candidates, in: map)) where score > best.score {
        best = Scored(geometry: geometry, score: score)
      }
    }
    return best
  }

  /// The whole picture, scaled to the received size: upright, mirrored, and turned.
  static func direct(width: Int, height: Int) -> [Geometry] {
    let scale = Double(min(width, height)) / Double(CarrierLayout.shortSide)
    return [(false, false), (true, false), (false, true), (true, true)].map {
      Geometry(scaleX: scale, scaleY: scale, flipped: $0.0, turned: $0.1)
    }
  }

  /// What a blind search covers.
  struct Grid {
    /// Received pixels a unit, relative to `scale` of the direct hypothesis.
    var scales: ClosedRange<Double> = 0.22...3.2
    var scaleStep = 0.009
    /// Logarithm of the ratio of the scales.
    var aspects: ClosedRange<Double> = -0.16...0.16
    var aspectStep = 0.011
    /// Degrees.
    var rotations: ClosedRange<Double> = -3.15...3.15
    var rotationStep = 0.35
    var turns = [false]
  }

  /// The best `count` geometries of a grid that differ, best first.
  func search(_ grid: Grid, width: Int, height: Int, in map: rw_detect_map, keeping count: Int) -> [Scored] {
    let direct = Double(min(width, height)) / Double(CarrierLayout.shortSide)
    var best: [Scored] = []
    let rotations = Array(stride(from: grid.rotations.lowerBound, through: grid.rotations.upperBound + 1e-9, by: grid.rotationStep))
    let period = Double(CarrierLayout.period)
    // The matrices of one scale and aspect differ only by their rotations: built here without going through Geometry.
    let turns = rotations.map { (cosine($0 * .pi / 180), sine($0 * .pi / 180)) }
    var matrices = [Float](repeating: 0, count: 4 * rotations.count)
    var scores = [Float](repeating: 0, count: rotations.count)
    var threshold: Float = 0
    for turned in grid.turns {
      for flipped in [false, true] {
        var scale = grid.scales.lowerBound
        while scale <= grid.scales.upperBound {
          for aspect in stride(from: grid.aspects.lowerBound, through: grid.aspects.upperBound + 1e-9, by: grid.aspectStep) {
            let sx = direct * scale * exponential(aspect / 2)
            let sy = direct * scale * exponential(-aspect / 2)
            let p = 1 / (sx * period)
            let q = 1 / (sy * period)
            let m: Double = flipped ? -1 : 1
            for (index, turn) in turns.enumerated() {
              let (a, b, c, d) = (turn.0 * p, -turn.1 * q, turn.1 * p, turn.0 * q)
              // Times the mirror diag(m, 1), or the quarter turn (0 -1; 1 0) and then the mirror.
              matrices[4 * index] = Float(turned ? b * m : a * m)
              matrices[4 * index + 1] = Float(turned ? -a : b)
              matrices[4 * index + 2] = Float(turned ? d * m : c * m)
              matrices[4 * index + 3] = Float(turned ? -c : d)
            }
            withUnsafePointer(to: map) {
              kernels.score($0, x, y, weights, Int32(x.count), matrices, Int32(rotations.count), leastLines, &scores)
            }
            for index in 0..<rotations.count where scores[index] > threshold {
              let geometry = Geometry(scaleX: sx, scaleY: sy, rotation: rotations[index], flipped: flipped, turned: turned)
              insert(Scored(geometry: geometry, score: scores[index]), into: &best, keeping: count)
              if best.count == count { threshold = best[count - 1].score }
            }
          }
          scale *= 1 + grid.scaleStep
        }
      }
    }
    return best
  }

  /// Keeps a list sorted by score in which no two geometries are neighbours.
  private func insert(_ item: Scored, into list: inout [Scored], keeping count: Int) {
    func near(_ a: Geometry, _ b: Geometry) -> Bool {
      a.flipped == b.flipped && a.turned == b.turned && abs(a.scaleX / b.scaleX - 1) < 0.018 && abs(a.scaleY / b.scaleY - 1) < 0.018
        && abs(a.rotation - b.rotation) < 0.8
    }
    if let index = list.firstIndex(where: { near($0.geometry, item.geometry) }) {
      if list[index].score >= item.score { return }
      list.remove(at: index)
    }
    list.insert(item, at: list.firstIndex { $0.score < item.score } ?? list.count)
    if list.count > count { list.removeLast() }
  }
}
