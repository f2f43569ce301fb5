import Crypto
import Glibc
import MediaCore
import Watermark

/// Marks and searches raw pictures on standard input, for the evaluation scripts: no demuxer, no encoder.
///
///     watermark-lab embed WIDTH HEIGHT SECRET ID [NAME=VALUE…]     yuv420p in, yuv420p out; fields of `MarkStrength` to try
///     watermark-lab detect WIDTH HEIGHT FPS SECRET [ID…]     gray in, one line of JSON out; ids are a registry
///     watermark-lab blind WIDTH HEIGHT FPS SECRET…     gray in; a full open search for each secret, one line of JSON each
///     watermark-lab key SECRET FILE     writes a key file of that secret
///     watermark-lab probe WIDTH HEIGHT FPS SECRET ID     gray in; z of this id where only the size was changed, without a search
///     watermark-lab speed WIDTH HEIGHT     milliseconds a picture for embedding and for adding to a detector
@main
struct Lab {
  static func main() throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    switch arguments.first {
    case "embed" where arguments.count >= 5: try embed(arguments)
    case "detect" where arguments.count >= 5: try detect(arguments)
    case "blind" where arguments.count >= 5: try blind(arguments)
    case "probe" where arguments.count >= 6: try probe(arguments)
    case "key" where arguments.count == 3: try key(arguments[1]).create(at: arguments[2])
    case "speed" where arguments.count == 3: try speed(arguments)
    default:
      complain("usage: watermark-lab embed|detect|blind|speed …\n")
      exit(64)
    }
  }

  static func key(_ hex: String) -> WatermarkKey {
    guard let bytes = Hex.decode(hex), bytes.count == 16 else { exit(64) }
    return WatermarkKey(secret: SecretBytes(bytes))
  }

  static func read(_ buffer: UnsafeMutableRawBufferPointer) -> Bool {
    var filled = 0
    while filled < buffer.count {
      let count = Glibc.read(0, buffer.baseAddress! + filled, buffer.count - filled)
      if count <= 0 { return false }
      filled += count
    }
    return true
  }

  static func writeAll(_ buffer: UnsafeRawBufferPointer, to descriptor: Int32 = 1) {
    var done = 0
    while done < buffer.count {
      let count = write(descriptor, buffer.baseAddress! + done, buffer.count - done)
      if count <= 0 { exit(74) }
      done += count
    }
  }

  static func complain(_ text: String) { Array(text.utf8).withUnsafeBytes { writeAll($0, to: 2) } }

  static func seconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  /// The default strength with fields replaced by `name=value`.
  static func strength(_ arguments: ArraySlice<String>) -> MarkStrength {
    var strength = MarkStrength()
    for argument in arguments {
      let parts = argument.split(separator: "=")
      guard parts.count == 2, let value = Double(parts[1]) else { exit(64) }
      switch parts[0] {
      case "floor": strength.floor = value
      case "gain": strength.gain = value
      case "exponent": strength.exponent = value
      case "ceiling": strength.ceiling = value
      case "amplitude": strength.amplitude = value
      case "meanPSNR": strength.meanPSNR = value
      case "stillBoost": strength.stillBoost = value
      case "slope": strength.slope = value
      case "leastPSNR": strength.leastPSNR = value
      default: exit(64)
      }
    }
    return strength
  }

  static func embed(_ arguments: [String]) throws {
    let size = FrameSize(Int(arguments[1])!, Int(arguments[2])!)
    let embedder = try MarkEmbedder(
      key: key(arguments[3]), id: WatermarkID(arguments[4])!, size: size, strength: strength(arguments.dropFirst(5)))
    let chroma = ((size.width + 1) / 2) * ((size.height + 1) / 2) * 2
    let bytes = size.width * size.height + chroma
    var frame = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes, alignment: 64)
    var next = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes, alignment: 64)
    var isThere = read(frame)
    var isFirst = true
    while isThere {
      isThere = read(next)
      if isFirst, isThere { embedder.look(at: next.baseAddress!.assumingMemoryBound(to: UInt8.self), stride: size.width) }
      isFirst = false
      embedder.embed(frame.baseAddress!.assumingMemoryBound(to: UInt8.self), stride: size.width)
      writeAll(UnsafeRawBufferPointer(frame))
      swap(&frame, &next)
    }
    let statistics = embedder.statistics
    complain(
      "{\"pictures\": \(statistics.pictures), \"meanPSNR\": \(statistics.meanPSNR ?? 0), \"worstPSNR\": \(statistics.worstPSNR ?? 0)}\n")
  }

  static func detect(_ arguments: [String]) throws {
    let size = FrameSize(Int(arguments[1])!, Int(arguments[2])!)
    let rate = Double(arguments[3])!
    let ids = arguments.dropFirst(5).compactMap { WatermarkID($0) }
    let detector = try MarkDetector(keys: [key(arguments[4])], decision: ids.isEmpty ? .open : .registry(ids), size: size)
    let frame = UnsafeMutableRawBufferPointer.allocate(byteCount: size.width * size.height, alignment: 64)
    var index = 0
    while read(frame) {
      detector.add(frame.baseAddress!.assumingMemoryBound(to: UInt8.self), stride: size.width, time: Double(index) / rate)
      index += 1
    }
    let added = seconds()
    let marks = detector.search()
    let searched = seconds()
    let statistics = detector.statistics
    let list = marks.map {
      "{\"id\": \"\($0.id)\", \"z\": \($0.z), \"scaleX\": \($0.transform.scaleX), \"scaleY\": \($0.transform.scaleY), \"rotation\": \($0.transform.rotationDegrees), \"flipped\": \($0.transform.flipped)}"
    }
    print(
      "{\"marks\": [\(list.joined(separator: ", "))], \"pictures\": \(statistics.pictures), \"attempts\": \(statistics.attempts), \"bestZ\": \(statistics.bestZ), \"stage\": \"\(statistics.stage)\", \"addSeconds\": \(added), \"searchSeconds\": \(searched - added)}"
    )
  }

  static func probe(_ arguments: [String]) throws {
    let size = FrameSize(Int(arguments[1])!, Int(arguments[2])!)
    let rate = Double(arguments[3])!
    let detector = try MarkDetector(keys: [key(arguments[4])], decision: .open, size: size)
    let frame = UnsafeMutableRawBufferPointer.allocate(byteCount: size.width * size.height, alignment: 64)
    var index = 0
    while read(frame) {
      detector.add(frame.baseAddress!.assumingMemoryBound(to: UInt8.self), stride: size.width, time: Double(index) / rate)
      index += 1
    }
    let known = detector.known(WatermarkID(arguments[5])!)
    print("{\"z\": \(known.z), \"synchronisation\": \(known.synchronisation)}")
  }

  /// One detector a key over the same pictures, so that each line is one video's search.
  static func blind(_ arguments: [String]) throws {
    let size = FrameSize(Int(arguments[1])!, Int(arguments[2])!)
    let rate = Double(arguments[3])!
    let keys = arguments.dropFirst(4).map { key($0) }
    let detector = try MarkDetector(keys: [], decision: .open, size: size)
    let frame = UnsafeMutableRawBufferPointer.allocate(byteCount: size.width * size.height, alignment: 64)
    var index = 0
    while read(frame) {
      detector.add(frame.baseAddress!.assumingMemoryBound(to: UInt8.self), stride: size.width, time: Double(index) / rate)
      index += 1
    }
    for outcome in detector.searches(with: keys, decision: .open) {
      print(
        "{\"attempts\": \(outcome.statistics.attempts), \"z\": \(outcome.statistics.bestZ), \"accepted\": \(outcome.marks.count), \"stage\": \"\(outcome.statistics.stage)\"}"
      )
    }
  }

  static func speed(_ arguments: [String]) throws {
    let size = FrameSize(Int(arguments[1])!, Int(arguments[2])!)
    let frame = UnsafeMutablePointer<UInt8>.allocate(capacity: size.width * size.height)
    var state: UInt64 = 1
    for index in 0..<(size.width * size.height) {
      state = state &* 6_364_136_223_846_793_005 &+ 1
      frame[index] = UInt8(truncatingIfNeeded: 100 &+ (state >> 60) &+ UInt64(index % size.width / 16))
    }
    let embedder = try MarkEmbedder(key: .generate(), id: WatermarkID(1), size: size)
    let detector = try MarkDetector(keys: [], decision: .open, size: size)
    let start = seconds()
    for _ in 0..<200 { embedder.embed(frame, stride: size.width) }
    let middle = seconds()
    for index in 0..<50 { detector.add(frame, stride: size.width, time: Double(index) / 30) }
    print("{\"embedMilliseconds\": \((middle - start) / 200 * 1e3), \"addMilliseconds\": \((seconds() - middle) / 50 * 1e3)}")
  }
}
