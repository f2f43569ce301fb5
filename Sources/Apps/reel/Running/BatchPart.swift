import Reelwright

/// The place of one item in a batch, by weight, so that progress and ETA cover the whole batch.
struct BatchPart: Sendable {
  /// Weight of the items before this one, of this one, and of all; any unit, bytes for files.
  var before: Double = 0
  var own: Double = 1
  var total: Double = 1

  /// The progress of the batch while this item is at `progress`.
  func overall(_ progress: Progress) -> Progress {
    guard total > own, let done = progress.done else { return progress }
    var result = progress
    let share = (before + own * done) / total
    result.done = share
    if let eta = progress.etaSeconds, done > 0, done < 1 {
      // What this item needs for its weight, the rest needs for its own.
      let itemSeconds = eta / (1 - done)
      result.etaSeconds = itemSeconds * (total * (1 - share)) / own
    }
    return result
  }
}
