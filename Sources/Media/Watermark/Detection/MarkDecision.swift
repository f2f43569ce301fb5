/// Whether a reading carries an id, and how sure that is.
///
/// A candidate's code word gives every data line a phase. With Δ the received phase less that one, the likelihood ratio of
/// "marked with this word" against "phases uniform" is Λ = Π exp(κ cos Δ) / I₀(κ) (von Mises densities), where the
/// concentration κ of a line follows from its magnitude and the amplitude to expect there; z = √(2 ln Λ). Geometry, amplitudes and
/// concentrations come from magnitudes and the translation from synchronisation lines only, while the angles of the data lines
/// are secret and uniform: for footage without this key's mark the phases are independent and uniform given everything
/// that was used to choose them, so that the expectation of Λ is 1 and Markov's inequality bounds the chance that one given word
/// reaches z ≥ T by exp(−T²/2). The union bound multiplies it by the number of words times the number of attempts. For 10⁴
/// attempts a video and a total below 10⁻⁹ that gives T = 12.2 for any of 2⁶⁴ ids, √(2 ln(10¹³ n)) for one of n
/// registered ids (9.66 for 2²⁴, 8.75 for 4,000), and 7.8 for one expected id.
public enum MarkDecision: Sendable, Hashable {
  /// Any id counts.
  case open
  /// Only these ids count; at most 2²⁴.
  case registry([WatermarkID])
  /// Only this id counts.
  case expect(WatermarkID)

  public static let mostRegistered = 1 << 24
  /// Reading attempts a video for which the thresholds hold.
  public static let mostAttempts = 10_000

  /// The least z that is accepted.
  public var threshold: Double {
    switch self {
    case .open: 12.2
    case .registry(let ids):
      // Rounded up to what is stated.
      ((2 * (naturalLogarithm(Double(max(ids.count, 1))) + 13 * naturalLogarithm(10))).squareRoot() * 100).rounded(.up) / 100
    case .expect: 7.8
    }
  }

  /// `"open"`, `"registry"` or `"expect"`.
  public var name: String {
    switch self {
    case .open: "open"
    case .registry: "registry"
    case .expect: "expect"
    }
  }

  /// Base-10 logarithm of the bound on the chance of a false positive at `z` after `attempts` attempts.
  public func commonLogarithmOfFalsePositive(z: Double, attempts: Int) -> Double {
    let words: Double =
      switch self {
      case .open: 64 * commonLogarithm(2)
      case .registry(let ids): commonLogarithm(Double(max(ids.count, 1)))
      case .expect: 0
      }
    return min(0, words + commonLogarithm(Double(max(attempts, 1))) - z * z / 2 / naturalLogarithm(10))
  }
}

/// Finds ids in readings.
struct MarkDecoder {
  private let layout: CarrierLayout
  private let code = PayloadCode()
  private let words: [(id: WatermarkID, signs: [Float])]
  let decision: MarkDecision

  init(layout: CarrierLayout, decision: MarkDecision) {
    self.layout = layout
    self.decision = decision
    let code = PayloadCode()
    switch decision {
    case .open: words = []
    // Small registries are compared word by word, which finds weaker marks than decoding does.
    case .registry(let ids): words = ids.count <= 4096 ? ids.map { ($0, layout.signs(of: code.encode($0))) } : []
    case .expect(let id): words = [(id, layout.signs(of: code.encode(id)))]
    }
    if case .registry(let ids) = decision { registered = Set(ids) } else { registered = nil }
  }

  private let registered: Set<WatermarkID>?

  func signs(of id: WatermarkID) -> [Float] { layout.signs(of: code.encode(id)) }

  /// The likeliest id that may count and its z, accepted or not; nil when nothing decodes.
  func best(_ reading: MarkReading) -> (id: WatermarkID, z: Double)? {
    var best: (id: WatermarkID, z: Double)?
    let evidence = WordEvidence(reading)
    for (id, signs) in words {
      let z = evidence.z(signs)
      if z > best?.z ?? -.infinity { best = (id, z) }
    }
    if !words.isEmpty { return best }
    var likelihoods = [Float](repeating: 0, count: CarrierLayout.codeLength)
    for place in 0..<CarrierLayout.codeLength {
      let value = 2 * reading.amplitudes[place] * reading.values[place]
      likelihoods[layout.permutation[place]] = layout.scramble[place] ? -value : value
    }
    for id in code.decode(likelihoods) where registered?.contains(id) ?? true {
      let z = evidence.z(signs(of: id))
      if z > best?.z ?? -.infinity { best = (id, z) }
    }
    return best
  }
}
