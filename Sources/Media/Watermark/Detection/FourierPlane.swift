internal import CFFTW
internal import CKernels
internal import Glibc

/// Guards FFTW's planner, the only part of it that is not thread-safe.
private final class Planner: @unchecked Sendable {
  static let shared = Planner()
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

  private init() { pthread_mutex_init(mutex, nil) }

  func locked<Result>(_ body: () -> Result) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body()
  }
}

/// A real plane that is transformed in place: `width` x `height` samples, or rows of `width / 2 + 1` complex values.
final class FourierPlane {
  let width: Int
  let height: Int
  /// Floats from one row to the next, in both domains.
  let stride: Int
  let values: UnsafeMutablePointer<Float>
  private let forwardPlan: fftwf_plan
  private let inversePlan: fftwf_plan

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
    stride = 2 * (width / 2 + 1)
    values = fftwf_alloc_real(stride * height)
    let complex = UnsafeMutableRawPointer(values).assumingMemoryBound(to: fftwf_complex.self)
    let (real, size) = (values, (Int32(height), Int32(width)))
    // Estimated plans leave the data alone and are found at once.
    (forwardPlan, inversePlan) = Planner.shared.locked {
      (
        fftwf_plan_dft_r2c_2d(size.0, size.1, real, complex, UInt32(FFTW_ESTIMATE)),
        fftwf_plan_dft_c2r_2d(size.0, size.1, complex, real, UInt32(FFTW_ESTIMATE))
      )
    }
  }

  deinit {
    Planner.shared.locked {
      fftwf_destroy_plan(forwardPlan)
      fftwf_destroy_plan(inversePlan)
    }
    fftwf_free(values)
  }

  func transform() { fftwf_execute(forwardPlan) }
  /// Unnormalised: a transform and its inverse multiply by `width * height`.
  func invert() { fftwf_execute(inversePlan) }

  /// The smallest even length of factors 2, 3 and 5 that is at least `length`.
  static func goodLength(_ length: Int) -> Int {
    var candidate = max(2, length + length % 2)
    while true {
      var rest = candidate
      for factor in [2, 3, 5] { while rest % factor == 0 { rest /= factor } }
      if rest == 1 { return candidate }
      candidate += 2
    }
  }
}

/// A complex field on a square torus, for finding translations.
final class FourierTorus {
  let size: Int
  let values: UnsafeMutablePointer<Float>
  private let plan: fftwf_plan

  init(size: Int) {
    self.size = size
    values = fftwf_alloc_real(2 * size * size)
    let complex = UnsafeMutableRawPointer(values).assumingMemoryBound(to: fftwf_complex.self)
    plan = Planner.shared.locked { fftwf_plan_dft_2d(Int32(size), Int32(size), complex, complex, FFTW_FORWARD, UInt32(FFTW_ESTIMATE)) }
  }

  deinit {
    Planner.shared.locked { fftwf_destroy_plan(plan) }
    fftwf_free(values)
  }

  func transform() { fftwf_execute(plan) }

  func clear() { values.update(repeating: 0, count: 2 * size * size) }

  /// The greatest real part and its place.
  func greatest() -> (x: Int, y: Int, value: Float) {
    var places: [Int32] = [0]
    var heights: [Float] = [0]
    rw_detect_peaks(values, Int32(size), 1, 5, &places, &heights)
    return (Int(places[0]) % size, Int(places[0]) / size, heights[0])
  }
}

/// Floats that are added to, over the pixels of a picture.
final class Accumulator {
  let width: Int
  let height: Int
  let values: UnsafeMutablePointer<Float>
  var pictures = 0

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
    values = .allocate(capacity: width * height)
    values.initialize(repeating: 0, count: width * height)
  }

  deinit { values.deallocate() }

  func add(_ other: Accumulator) {
    rw_detect_add(values, other.values, width * height)
    pictures += other.pictures
  }
}
