/// How strongly a mark is put into a picture.
///
/// In each block of 8x8 samples of mean m and deviation sd (8-bit scale), activity = √(sd · least sd of the 3x3
/// neighbourhood) and strength = min(floor + gain · activity^exponent, ceiling), weakened in dark (m < 40) and bright
/// (m > 245) blocks. The strength is smoothed over 3x3 blocks and multiplied, for the whole picture, by a factor of at
/// most `amplitude` that keeps the mean luma PSNR of the change at or above `meanPSNR`.
public struct MarkStrength: Sendable, Hashable, Codable {
  /// Strength in flat blocks. Default 0.35; above 0.5 it shows as grain.
  public var floor = 0.35
  /// Default 0.45.
  public var gain = 0.45
  /// Default 0.8.
  public var exponent = 0.8
  /// Default 5 levels.
  public var ceiling = 5.0
  /// Default 0.75: three quarters keep most of the margin for a third of the growth in size of 1.
  public var amplitude = 0.75
  /// Luma PSNR of the marked against the unmarked picture, in dB, as a running mean over pictures. Default 44.5.
  public var meanPSNR = 44.5
  /// The same for any single picture. Default 42.5 dB.
  public var leastPSNR = 42.5

  public init() {}
}
