/// How far a picture's tiles lie from where one affine geometry puts them: a polynomial of third degree in the place.
///
/// Perspective, a lens and the page of a screen bend a picture by a few units only, but the mark's lines add up only
/// where they are right to about a unit. Displacements are in lattice units.
struct LocalField {
  static let terms = 10
  let columns: Int
  let rows: Int
  var x = [Double](repeating: 0, count: terms)
  var y = [Double](repeating: 0, count: terms)
  private let basis: [[Double]]

  init(columns: Int, rows: Int) {
    self.columns = columns
    self.rows = rows
    let reach = Double(max(columns, rows)) / 2
    basis = (0..<(columns * rows)).map { tile in
      let u = (Double(tile % columns) + 0.5 - Double(columns) / 2) / reach
      let v = (Double(tile / columns) + 0.5 - Double(rows) / 2) / reach
      return [1, u, v, u * u, u * v, v * v, u * u * u, u * u * v, u * v * v, v * v * v]
    }
  }

  subscript(tile: Int) -> (x: Double, y: Double) {
    var (dx, dy) = (0.0, 0.0)
    for term in 0..<Self.terms {
      dx += x[term] * basis[tile][term]
      dy += y[term] * basis[tile][term]
    }
    return (dx, dy)
  }

  /// Fits displacements by weighted least squares; tiles that lie farther than `reach` units from a first fit are left out.
  /// A small weight on the higher terms keeps the field tame where nothing was seen.
  mutating func fit(_ places: [(x: Double, y: Double)], weights: [Double], reach: Double = 1.5) {
    var used = weights
    for _ in 0..<4 {
      x = solution(places.map(\.x), used)
      y = solution(places.map(\.y), used)
      for tile in places.indices {
        let (dx, dy) = (self[tile].x - places[tile].x, self[tile].y - places[tile].y)
        used[tile] = weights[tile] / (1 + (dx * dx + dy * dy) / (reach * reach))
      }
    }
  }

  /// Solves the normal equations by Gauss elimination with pivots.
  private func solution(_ values: [Double], _ weights: [Double]) -> [Double] {
    let count = Self.terms
    let total = max(weights.reduce(0, +), 1e-9)
    var matrix = [[Double]](repeating: [Double](repeating: 0, count: count + 1), count: count)
    for tile in values.indices {
      for i in 0..<count {
        let weighted = weights[tile] / total * basis[tile][i]
        for j in 0..<count { matrix[i][j] += weighted * basis[tile][j] }
        matrix[i][count] += weighted * values[tile]
      }
    }
    for i in 0..<count { matrix[i][i] += i < 3 ? 1e-9 : i < 6 ? 1e-4 : 1e-3 }
    for i in 0..<count {
      let pivot = (i..<count).max { abs(matrix[$0][i]) < abs(matrix[$1][i]) } ?? i
      matrix.swapAt(i, pivot)
      guard abs(matrix[i][i]) > 1e-12 else { continue }
      for k in (i + 1)..<max(count, i + 1) {
        let factor = matrix[k][i] / matrix[i][i]
        for j in i...count { matrix[k][j] -= factor * matrix[i][j] }
      }
    }
    var result = [Double](repeating: 0, count: count)
    for i in (0..<count).reversed() {
      var rest = matrix[i][count]
      for j in (i + 1)..<max(count, i + 1) { rest -= matrix[i][j] * result[j] }
      result[i] = abs(matrix[i][i]) > 1e-12 ? rest / matrix[i][i] : 0
    }
    return result
  }
}
