internal import CKernels

/// The spectra of a stretch of windows, made when they are first asked for and shared by the searches of all keys.
final class WindowSpectra {
  /// Single pictures that are looked at by themselves, evenly spread. Each takes 20 MB at 720x1280.
  static let mostSingles = 16

  /// Of the sum of all pictures.
  let total: MarkSpectrum
  private let windows: ArraySlice<MarkDetector.Window>

  init(_ windows: ArraySlice<MarkDetector.Window>, total: Accumulator) {
    self.windows = windows
    self.total = MarkSpectrum(total)
  }

  /// Of the first picture of each window, or of every second, third … window.
  private(set) lazy var singles = {
    let step = (windows.count + Self.mostSingles - 1) / Self.mostSingles
    return windows.enumerated().filter { $0.offset % step == 0 }.map { MarkSpectrum($0.element.single) }
  }()
  private(set) lazy var mean = MarkSpectrumMean(singles)
}
