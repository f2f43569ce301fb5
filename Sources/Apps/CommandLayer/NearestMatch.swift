/// Finds what was probably meant by a mistyped word.
public enum NearestMatch {
  /// The nearest of `candidates`, when it is near enough: at most one edit for up to four letters, two for up to
  /// eight, three beyond, or a candidate that begins with what was typed. Ties go to the first.
  public static func best(_ word: String, among candidates: [String]) -> String? {
    let allowed = word.count <= 4 ? 1 : word.count <= 8 ? 2 : 3
    let near =
      candidates
      .map { (candidate: $0, distance: distance(word, $0)) }
      .filter { $0.distance <= allowed }
      .min { $0.distance < $1.distance }
    return near?.candidate ?? (word.count >= 2 ? candidates.first { $0.hasPrefix(word) } : nil)
  }

  /// The optimal-string-alignment distance: insertions, deletions, substitutions and swaps of neighbours, each
  /// counted once (Damerau 1964). O(n·m).
  static func distance(_ a: String, _ b: String) -> Int {
    let a = Array(a)
    let b = Array(b)
    if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
    var rows = Array(repeating: Array(repeating: 0, count: b.count + 1), count: a.count + 1)
    for i in 0...a.count { rows[i][0] = i }
    for j in 0...b.count { rows[0][j] = j }
    for i in 1...a.count {
      for j in 1...b.count {
        let substitution = rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
        rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, substitution)
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
          rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
        }
      }
    }
    return rows[a.count][b.count]
  }
}
