/// Finds what someone probably meant to write.
public enum NearestMatch {
  /// The candidate with the smallest edit distance (insertions, deletions, substitutions, swaps of neighbours; case is
  /// free), when it is near enough to be a likely slip: at most a third of the letters, at least one.
  /// Candidates that begin with the word count as near.
  public static func find(_ word: String, among candidates: some Sequence<String>) -> String? {
    let wanted = Array(word.lowercased().prefix(64))
    guard !wanted.isEmpty else { return nil }
    var best: (name: String, distance: Int)?
    for candidate in candidates {
      let letters = Array(candidate.lowercased().prefix(64))
      var distance = editDistance(wanted, letters)
      if wanted.count >= 3, letters.starts(with: wanted) || wanted.starts(with: letters) { distance = min(distance, 1) }
      if distance <= max(1, max(wanted.count, letters.count) / 3), distance < (best?.distance ?? .max) {
        best = (candidate, distance)
      }
    }
    return best?.name
  }

  /// The optimal string alignment distance. Time and memory grow with the product of the lengths.
  static func editDistance(_ a: [Character], _ b: [Character]) -> Int {
    var twoBack: [Int] = []
    var previous = Array(0...b.count)
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var cost = min(previous[j] + (a[i] == b[j] ? 0 : 1), previous[j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, twoBack[j - 1] + 1) }
        row.append(cost)
      }
      (twoBack, previous) = (previous, row)
    }
    return previous[b.count]
  }
}
