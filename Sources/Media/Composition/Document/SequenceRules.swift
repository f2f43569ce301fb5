import MediaCore

/// What the order of a sequence must obey, as far as the document alone tells. `Timeline` checks the rest, in frames.
enum SequenceRules {
  static func violations(of sequence: [SequenceItem], in place: DocumentPlace) -> [MediaError] {
    var errors: [MediaError] = []
    var previous: SequenceItem?
    for (index, item) in sequence.enumerated() {
      if case .transition(let transition) = item {
        if index == 0 {
          errors.append(transition.place.error("a transition cannot begin the sequence", advice: "it joins the clips before and after it"))
        } else if index == sequence.count - 1 {
          errors.append(transition.place.error("a transition cannot end the sequence", advice: "it joins the clips before and after it"))
        }
        if case .transition? = previous {
          errors.append(transition.place.error("two transitions in a row", advice: "a clip stands between transitions"))
        }
      }
      previous = item
    }
    if sequence.isEmpty { errors.append(place.error("the sequence is empty", advice: "it needs at least one clip")) }
    return errors.isEmpty ? overlaps(in: sequence) : errors
  }

  private static func overlaps(in sequence: [SequenceItem]) -> [MediaError] {
    var errors: [MediaError] = []
    for (index, item) in sequence.enumerated() {
      guard case .clip(let clip) = item, let length = clip.statedDuration else { continue }
      var transitions: [TransitionItem] = []
      if index > 0, case .transition(let before) = sequence[index - 1] { transitions.append(before) }
      if index + 1 < sequence.count, case .transition(let after) = sequence[index + 1] { transitions.append(after) }
      if let tooLong = transitions.first(where: { $0.duration > length }) {
        errors.append(
          tooLong.place.error(
            "the transition lasts \(tooLong.duration), longer than the clip beside it at \(clip.place.position), which lasts \(length)",
            advice: "shorten the transition or lengthen the clip"))
      } else if transitions.count == 2, transitions[0].duration + transitions[1].duration > length {
        errors.append(
          clip.place.error(
            "the clip lasts \(length), shorter than the transitions on both of its sides together "
              + "(\(transitions[0].duration) + \(transitions[1].duration))", advice: "shorten a transition or lengthen the clip"))
      }
    }
    return errors
  }
}
