import CKernels
import Testing

/// A row of the kernel table: how to run one row kernel on `n` samples of noise, and what it costs a sample.
struct TransitionKernel: Sendable, CustomTestStringConvertible {
  let name: String
  /// Output bytes for `n` samples.
  let outputBytes: @Sendable (Int) -> Int
  /// Fills `output` from inputs that depend on `n` and `seed` only.
  let run: @Sendable (rw_transition_kernels, _ n: Int, _ seed: UInt64, _ output: UnsafeMutableRawPointer) -> Void
  var testDescription: String { name }
}

/// Inputs without a spare byte at their end, so that reading beyond them shows under the address sanitizer.
func noiseBytes(_ n: Int, _ seed: UInt64) -> [UInt8] {
  var noise = Noise(seed)
  return (0..<n).map { _ in UInt8(truncatingIfNeeded: noise.next() >> 24) }
}

func noiseWords(_ n: Int, _ seed: UInt64, max: UInt16) -> [UInt16] {
  var noise = Noise(seed)
  return (0..<n).map { _ in UInt16(truncatingIfNeeded: (noise.next() >> 24) % (UInt64(max) + 1)) }
}

func noiseWeights(_ n: Int, _ seed: UInt64) -> [Int16] {
  noiseWords(n, seed, max: 32767).enumerated().map { i, w in (seed &+ UInt64(i / 40)) % 3 == 0 ? 0 : Int16(w) }
}

/// Positions and coefficients of a filter from `n` outputs to `source` inputs; coefficients of a row sum to 1 << 14.
func noiseFilter(_ n: Int, source: Int, taps: Int, _ seed: UInt64) -> (first: [Int32], coef: [Int16]) {
  var noise = Noise(seed &+ 99)
  let first = (0..<n).map { _ in Int32(truncatingIfNeeded: noise.next() >> 20 & 0xFFFF) % Int32(source - taps + 1) }
  var coef: [Int16] = []
  for _ in 0..<n {
    var row = (0..<taps).map { _ in Int16(truncatingIfNeeded: Int(noise.next() >> 20) & 0xFFF) - 1024 }
    row[0] += Int16(16384 - row.reduce(0) { $0 + Int($1) })
    coef += row
  }
  return (first, coef)
}

private func bytes(_ name: String, _ run: @escaping @Sendable (rw_transition_kernels, Int, UInt64, UnsafeMutablePointer<UInt8>) -> Void)
  -> TransitionKernel
{
  TransitionKernel(name: name, outputBytes: { $0 }, run: { run($0, $1, $2, $3.assumingMemoryBound(to: UInt8.self)) })
}

private func words(_ name: String, _ run: @escaping @Sendable (rw_transition_kernels, Int, UInt64, UnsafeMutablePointer<UInt16>) -> Void)
  -> TransitionKernel
{
  TransitionKernel(name: name, outputBytes: { 2 * $0 }, run: { run($0, $1, $2, $3.assumingMemoryBound(to: UInt16.self)) })
}

let transitionKernels: [TransitionKernel] = [
  bytes("crossfade8") { k, n, s, out in k.crossfade8(out, noiseBytes(n, s), noiseBytes(n, s + 1), n, Int32(s * 2731 % 32768)) },
  words("crossfade16") { k, n, s, out in
    k.crossfade16(out, noiseWords(n, s, max: 4095), noiseWords(n, s + 1, max: 4095), n, Int32(s * 2731 % 32768))
  },
  bytes("mix8") { k, n, s, out in
    k.mix8(out, noiseBytes(n, s), noiseBytes(n, s + 1), n, Int32(s * 2731 % 65536) - 32768, Int32(s * 1931 % 32768), 235 * 9000)
  },
  words("mix16") { k, n, s, out in
    k.mix16(
      out, noiseWords(n, s, max: 1023), noiseWords(n, s + 1, max: 1023), n, Int32(s * 2731 % 65536) - 32768, Int32(s * 1931 % 32768),
      512 * 9000, 1023)
  },
  bytes("blend8") { k, n, s, out in k.blend8(out, noiseBytes(n, s), noiseBytes(n, s + 1), noiseBytes(n, s + 2), n) },
  words("blend16") { k, n, s, out in
    k.blend16(out, noiseWords(n, s, max: 4095), noiseWords(n, s + 1, max: 4095), noiseBytes(n, s + 2), n)
  },
  TransitionKernel(
    name: "maskHalf", outputBytes: { ($0 + 1) / 2 },
    run: { k, n, s, out in k.maskHalf(out.assumingMemoryBound(to: UInt8.self), noiseBytes(n, s), noiseBytes(n, s + 1), n) }),
  maskFromField("hard", softness: 1, smooth: 0),
  maskFromField("narrow", softness: 40, smooth: 1),
  maskFromField("soft", softness: 9000, smooth: 0),
  maskFromField("smooth", softness: 32767, smooth: 1),
  bytes("overlay8") { k, n, s, out in
    for i in 0..<n { out[i] = UInt8(truncatingIfNeeded: i &* 37) }
    k.overlay8(out, noiseWords(n, s, max: 4080), noiseWeights(n, s), n, Int32(s * 4000 % 32768))
  },
  words("overlay16") { k, n, s, out in
    for i in 0..<n { out[i] = UInt16(i &* 37 & 4095) }
    k.overlay16(out, noiseWords(n, s, max: 65520), noiseWeights(n, s), n, Int32(s * 4000 % 32768), 4095)
  },
  filterRow8(taps: 4), filterRow8(taps: 8), filterRow8(taps: 12), filterRow16(taps: 4), filterRow16(taps: 8),
  bytes("filterColumn8") { k, n, s, out in withRows(n, s) { k.filterColumn8(out, $0, n, [-700, 9000, 9084, -1000], 4) } },
  words("filterColumn16") { k, n, s, out in withRows(n, s) { k.filterColumn16(out, $0, n, [-700, 9000, 9084, -1000], 4, 10) } },
]

private func maskFromField(_ name: String, softness: Int32, smooth: Int32) -> TransitionKernel {
  TransitionKernel(
    name: "maskFromField \(name)", outputBytes: { $0 + 1 },
    run: { k, n, s, out in
      // Runs that are wholly before, within and behind the front.
      let offset = Int32(s % 3) * 12000
      let field = noiseWords(n, s, max: 20000).map { Int16(min(32767, Int32($0) + offset)) }
      var front = rw_front(position: min(32767, Int32(s * 3333 % 65536) - 20000), softness: softness, smooth: smooth)
      let bytes = out.assumingMemoryBound(to: UInt8.self)
      bytes[n] = UInt8(k.maskFromField(bytes, field, n, &front))
    })
}

private func filterRow8(taps: Int) -> TransitionKernel {
  words("filterRow8 \(taps) taps") { k, n, s, out in
    let filter = noiseFilter(n, source: n + taps, taps: taps, s)
    out.withMemoryRebound(to: Int16.self, capacity: n) {
      k.filterRow8($0, noiseBytes(n + taps, s), n, filter.first, filter.coef, Int32(taps))
    }
  }
}

private func filterRow16(taps: Int) -> TransitionKernel {
  words("filterRow16 \(taps) taps") { k, n, s, out in
    let filter = noiseFilter(n, source: n + taps, taps: taps, s)
    out.withMemoryRebound(to: Int16.self, capacity: n) {
      k.filterRow16($0, noiseWords(n + taps, s, max: 1023), n, filter.first, filter.coef, Int32(taps), 10)
    }
  }
}

private func withRows(_ n: Int, _ seed: UInt64, _ body: (UnsafePointer<UnsafePointer<Int16>?>) -> Void) {
  let samples = (0..<4).flatMap { noiseWords(n, seed + UInt64($0), max: 32767) }.map { Int16($0) }
  samples.withUnsafeBufferPointer { samples in
    let starts: [UnsafePointer<Int16>?] = (0..<4).map { samples.baseAddress! + $0 * n }
    starts.withUnsafeBufferPointer { body($0.baseAddress!) }
  }
}
