internal import CKernels

/// The spectra of a stretch of windows, made when they are first asked for and shared by the searches of all keys.
final class WindowSpectra {
  /// Single pictures that are looked at by themselves, evenly spread. Each takes 20 MB at 720x1280.
  static let mostSingles = 16

  /// Parts into which the whole is divided, of at least `leastWindows` windows.
  static let mostParts = 8
  static let leastWindows = 4

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

  /// Of the sums of successive parts: scenes are received differently well. Empty where there would be one part alone.
  private(set) lazy var parts: [MarkSpectrum] = {
    let length = max(Self.leastWindows, (windows.count + Self.mostParts - 1) / Self.mostParts)
    guard windows.count > length, let first = windows.first else { return [] }
    return stride(from: windows.startIndex, to: windows.endIndex, by: length).map { start in
      let sum = Accumulator(width: first.sum.width, height: first.sum.height)
      for window in windows[start..<min(start + length, windows.endIndex)] { sum.add(window.sum) }
      return MarkSpectrum(sum)
    }
  }()
  private(set) lazy var mean = MarkSpectrumMean(singles)
}
