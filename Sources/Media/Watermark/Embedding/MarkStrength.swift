/// How strongly a mark is put into a picture.
///
/// In each block of 8x8 samples of mean m and deviation sd (8-bit scale), activity = √(sd · least sd of the 3x3
/// neighbourhood) and strength = min(floor + gain · activity^exponent, ceiling), weakened in dark (m < 40) and bright
/// (m > 245) blocks. The strength is smoothed over 3x3 blocks and multiplied, for the whole picture, by a factor of at
/// most `amplitude` (times `stillBoost`) that keeps the mean luma PSNR of the change at or above `meanPSNR`.
public struct MarkStrength: Sendable, Hashable, Codable {
  /// Strength in flat blocks, in levels root mean square. Default 0.2; above 0.5 it shows as grain.
  public var floor = 0.2
  /// Default 0.5.
  public var gain = 0.5
  /// Default 0.6. Greater ones put nearly all of the permitted change into the coarsest texture, where encoders drop it.
  public var exponent = 0.6
  /// Default 5 levels.
  public var ceiling = 5.0
  /// Default 1.
  public var amplitude = 1.0
  /// Factor where the picture stands still, as on a recorded screen: the mark is coded once and then repeated for nothing, and
  /// what a platform's first picture loses no later one brings back. Default 1.45; the PSNR bounds hold.
  public var stillBoost = 1.45
  /// How amplitudes of the carrier's lines fall with their frequency: as its power of −slope. Encoders keep low frequencies
  /// longest. Default 0.7.
  public var slope = 0.7
  /// Luma PSNR of the marked against the unmarked picture, in dB, as a running mean over pictures. Default 44.2.
  public var meanPSNR = 44.2
  /// The same for any single picture. Default 42.5 dB.
  public var leastPSNR = 42.5

  public init() {}
}
