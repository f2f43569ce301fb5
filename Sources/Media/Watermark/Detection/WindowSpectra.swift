internal import CKernels

/// The spectra of a stretch of windows, made when they are first asked for and shared by the searches of all keys.
final class WindowSpectra {
  /// Single pictures that are looked at by themselves.
  static let mostSingles = 24

  /// Of the sum of all pictures.
  let total: MarkSpectrum
  private let windows: ArraySlice<MarkDetector.Window>

  init(_ windows: ArraySlice<MarkDetector.Window>, total: Accumulator) {
    self.windows = windows
    self.total = MarkSpectrum(total)
  }

  /// Of the first picture of each window.
  private(set) lazy var singles = windows.prefix(Self.mostSingles).map { MarkSpectrum($0.single) }
  private(set) lazy var mean = MarkSpectrumMean(singles)
}
