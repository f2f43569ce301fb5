import Composition
import FFmpegBridge
import Glibc
import MediaCore
import Testing

@Suite struct TransitionTests {
  /// A picture with a gradient, so that moved samples are told from others.
  static func picture(_ size: FrameSize, from low: Int, format: PixelFormat = .yuv420p) throws -> VideoFrame {
    let bytes = format == .yuv420p ? 1 : 2
    var frame = try FramePool(size: size, format: format).frame()
    for plane in 0..<3 {
      let width = plane == 0 ? size.width : (size.width + 1) / 2
      for y in 0..<(plane == 0 ? size.height : (size.height + 1) / 2) {
        frame.withRow(y, ofPlane: plane) { row in
          for x in 0..<width { row[x * bytes] = UInt8(low + (x + 2 * y + 11 * plane) % 64) }
          if bytes == 2 { for x in 0..<width { row[2 * x + 1] = 1 } }
        }
      }
    }
    return frame.freeze(time: .zero, duration: .zero, color: .bt709)
  }

  /// The rows below the base line of a caption have light samples where its name has letters that go there, and nowhere else.
  @Test("captions of the sheet have their descenders")
  func descenders() throws {
    let sheet = try TransitionSheet.draw()
    for (index, entry) in TransitionCatalogue.all.enumerated() {
      let (left, top) = (12 + index % 3 * 532, 12 + index / 3 * 102 + 72 + 4)
      var low = 0
      for y in (top + 14)..<(top + 18) {
        let row = FrameBlenderTests.samples(sheet, 0, y)
        low += (left..<(left + 12 * entry.name.count)).count { row[$0] > 120 }
      }
      let hanging = entry.name.contains { "gjpqy".contains($0) }
      #expect((low > 0) == hanging, "\(entry.name)")
    }
  }

  static func make(_ name: String) throws -> Transition {
    var transition = try Transition(name)
    let map = (0..<(16 * 9)).map { UInt8($0 * 7 % 256) }
    transition.map = TransitionMap(size: FrameSize(16, 9), samples: map)
    transition.expression = "A*P+B*(1-P)"
    return transition
  }

  static func same(_ a: VideoFrame, _ b: VideoFrame) -> Bool {
    (0..<3).allSatisfy { plane in
      (0..<(plane == 0 ? a.size.height : (a.size.height + 1) / 2)).allSatisfy {
        FrameBlenderTests.samples(a, plane, $0) == FrameBlenderTests.samples(b, plane, $0)
      }
    }
  }

  @Test("Every transition begins with the first picture, ends with the second and is neither between", arguments: TransitionCatalogue.names)
  func ends(name: String) throws {
    for (size, format) in [(FrameSize(64, 36), PixelFormat.yuv420p), (FrameSize(91, 51), .yuv420p), (FrameSize(66, 38), .yuv420p10)] {
      let (a, b) = (try Self.picture(size, from: 20, format: format), try Self.picture(size, from: 62, format: format))
      let renderer = try TransitionRenderer(try Self.make(name), size: size, format: format, tags: .bt709)
      let pool = try FramePool(size: size, format: format)
      func frame(_ progress: Double) throws -> VideoFrame {
        var target = try pool.frame()
        try renderer.render(a, b, progress: progress, into: &target)
        return target.freeze(time: .zero, duration: .zero, color: .bt709)
      }
      let (first, last) = (try frame(0), try frame(1))
      #expect(Self.same(first, a))
      #expect(Self.same(last, b))
      let middle = try frame(0.52)
      let isNew = !Self.same(middle, a) && !Self.same(middle, b)
      #expect(isNew, "\(size) \(format.name)")
      // Every sample is written: what the buffer held before does not show.
      var dirty = try pool.frame()
      FrameBlender().fill(CodeColor(y: 255, cb: 1, cr: 254), into: &dirty)
      try renderer.render(a, b, progress: 0.52, into: &dirty)
      #expect(Self.same(dirty.freeze(time: .zero, duration: .zero, color: .bt709), middle), "\(size) \(format.name)")
    }
  }

  @Test("A frame near the end is near the pictures: no jump when the transition starts or stops", arguments: TransitionCatalogue.names)
  func continuity(name: String) throws {
    // xfade's rectangle starts a sample inside of the picture.
    if name == "rectcrop" { return }
    let size = FrameSize(128, 72)
    let (a, b) = (try Self.picture(size, from: 60), try Self.picture(size, from: 110))
    let renderer = try TransitionRenderer(try Self.make(name), size: size, format: .yuv420p, tags: .bt709)
    let pool = try FramePool(size: size, format: .yuv420p)
    for (progress, picture) in [(0.004, a), (0.996, b)] {
      var target = try pool.frame()
      try renderer.render(a, b, progress: progress, into: &target)
      let frame = target.freeze(time: .zero, duration: .zero, color: .bt709)
      var sum = 0
      for y in 0..<size.height {
        for (p, q) in zip(FrameBlenderTests.samples(frame, 0, y), FrameBlenderTests.samples(picture, 0, y)) { sum += abs(Int(p) - Int(q)) }
      }
      #expect(Double(sum) / Double(size.width * size.height) < 8, "\(name) at \(progress)")
    }
  }

  /// `frame` with ten bits: each sample times four.
  private static func deepened(_ frame: VideoFrame) throws -> VideoFrame {
    var result = try FramePool(size: frame.size, format: .yuv420p10).frame()
    for plane in 0..<3 {
      for y in 0..<(plane == 0 ? frame.size.height : (frame.size.height + 1) / 2) {
        let samples = FrameBlenderTests.samples(frame, plane, y)
        result.withRow(y, ofPlane: plane) { row in
          for (x, sample) in samples.enumerated() {
            row[2 * x] = UInt8(truncatingIfNeeded: Int(sample) << 2)
            row[2 * x + 1] = UInt8(Int(sample) >> 6)
          }
        }
      }
    }
    return result.freeze(time: .zero, duration: .zero, color: .bt709)
  }

  @Test("In ten bits every transition draws what it draws in eight", arguments: TransitionCatalogue.names)
  func tenBits(name: String) throws {
    let size = FrameSize(128, 96)
    let (a, b) = (try Self.picture(size, from: 40), try Self.picture(size, from: 120))
    let (deepA, deepB) = (try Self.deepened(a), try Self.deepened(b))
    let eight = try TransitionRenderer(try Self.make(name), size: size, format: .yuv420p, tags: .bt709)
    let ten = try TransitionRenderer(try Self.make(name), size: size, format: .yuv420p10, tags: .bt709)
    for progress in [0.2, 0.5, 0.77] {
      var target = try FramePool(size: size, format: .yuv420p).frame()
      var deepTarget = try FramePool(size: size, format: .yuv420p10).frame()
      try eight.render(a, b, progress: progress, into: &target)
      try ten.render(deepA, deepB, progress: progress, into: &deepTarget)
      let frame = target.freeze(time: .zero, duration: .zero, color: .bt709)
      let deep = deepTarget.freeze(time: .zero, duration: .zero, color: .bt709)
      var (squares, count) = (0.0, 0.0)
      for plane in 0..<3 {
        for y in 0..<(plane == 0 ? size.height : size.height / 2) {
          let bytes = FrameBlenderTests.samples(deep, plane, y)
          for (x, wanted) in FrameBlenderTests.samples(frame, plane, y).enumerated() {
            let difference = Double(Int(bytes[2 * x]) | Int(bytes[2 * x + 1]) << 8) / 4 - Double(wanted)
            squares += difference * difference
            count += 1
          }
        }
      }
      let noise = squares / count
      #expect(noise == 0 || 10 * log10(255 * 255 / noise) >= 40, "\(name) at \(progress): a mean square of \(noise)")
    }
  }

  @Test("An unknown name is refused with the nearest one")
  func nearest() {
    let error = #expect(throws: MediaError.self) { try Transition("crosfade") }
    #expect(error?.code == .usage && error?.advice?.contains("\"crossfade\"") == true)
  }

  @Test("A luma map without a map, and a format that is not 4:2:0, are refused")
  func refusals() throws {
    let size = FrameSize(32, 32)
    let map = try Transition("luma-map")
    let noMap = #expect(throws: MediaError.self) { _ = try TransitionRenderer(map, size: size, format: .yuv420p, tags: .bt709) }
    #expect(noMap?.code == .usage)
    let fade = try Transition("crossfade")
    let rgb = try #require(PixelFormat(name: "rgb24"))
    let wrong = #expect(throws: MediaError.self) { _ = try TransitionRenderer(fade, size: size, format: rgb, tags: .bt709) }
    #expect(wrong?.code == .unavailable)
  }

  @Test("A sharp wipe shows each picture on its side, whatever the direction", arguments: [0.0, 90, 180, 270, 45, 200])
  func wipeSides(direction: Double) throws {
    let size = FrameSize(120, 80)
    let (a, b) = (try Self.picture(size, from: 20), try Self.picture(size, from: 150))
    var wipe = try Transition("wipe")
    wipe.direction = direction
    wipe.softness = 0
    let renderer = try TransitionRenderer(wipe, size: size, format: .yuv420p, tags: .bt709)
    var target = try FramePool(size: size, format: .yuv420p).frame()
    try renderer.render(a, b, progress: 0.5, into: &target)
    let frame = target.freeze(time: .zero, duration: .zero, color: .bt709)
    // The front has come from behind: there stands the second picture, and ahead the first.
    let steps: [Double: (Int, Int)] = [0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1), 45: (1, 1), 200: (-1, 0)]
    let step = try #require(steps[direction])
    let ahead = FrameBlenderTests.samples(frame, 0, 40 + 30 * step.1)[60 + 40 * step.0]
    let behind = FrameBlenderTests.samples(frame, 0, 40 - 30 * step.1)[60 - 40 * step.0]
    #expect(ahead < 100 && behind >= 150)
  }
}
