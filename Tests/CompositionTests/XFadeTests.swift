import Composition
import FFmpegBridge
import Glibc
import MediaCore
import TestSupport
import Testing

/// Two real clips, and FFmpeg's own xfade of them.
private struct XFadeOracle: Sendable {
  static let size = FrameSize(960, 540)
  static let count = 7
  /// nil when the media pack or ffmpeg is not there.
  static let shared = try? XFadeOracle()

  struct Failure: Error { let description: String }

  let a: RawClip
  let b: RawClip

  init() throws {
    let folder = try ScratchFolder()
    var clips: [RawClip] = []
    for (index, name) in ["natural/mdn_flower_960x540_29.97fps_aac.mp4", "natural/intel_car-detection_768x432_12.5fps.mp4"].enumerated() {
      guard let path = MediaPack.path(name) else { throw Failure(description: "no media pack") }
      let file = "\(folder.path)/\(index).yuv"
      let outcome = try Tool.run(
        "ffmpeg",
        [
          "-v", "error", "-ss", "1", "-i", path, "-vf", "fps=25,scale=960:540", "-pix_fmt", "yuv420p", "-frames:v", "\(Self.count)", "-f",
          "rawvideo", file,
        ])
      guard outcome.status == 0 else { throw Failure(description: outcome.errors) }
      clips.append(RawClip(size: Self.size, file: file))
    }
    (a, b) = (clips[0], clips[1])
  }

  func frames(_ options: String, named name: String) throws -> RawClip {
    let raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "960x540", "-r", "25", "-i"]
    let folder = try ScratchFolder()
    try a.write(to: "\(folder.path)/0.yuv")
    try b.write(to: "\(folder.path)/1.yuv")
    let file = "\(folder.path)/\(name).yuv"
    let graph = "[0][1]xfade=\(options):duration=0.28:offset=0,format=yuv420p"
    let outcome = try Tool.run(
      "ffmpeg",
      ["-v", "error"] + raw + ["\(folder.path)/0.yuv"] + raw + ["\(folder.path)/1.yuv", "-filter_complex", graph, "-f", "rawvideo", file])
    guard outcome.status == 0 else { throw Failure(description: outcome.errors) }
    return RawClip(size: Self.size, file: file)
  }
}

@Suite(.enabled(if: MediaPack.isPresent, "needs the media pack"))
struct XFadeTests {
  static let all = TransitionCatalogue.all.filter { $0.isXFade && $0.name != "custom" }.map(\.name)
  /// One of each kind by default, all of them in the slow run.
  static let names = MediaPack.isSlowRun ? all : ["fadeblack", "distance", "wipetl", "slideup", "radial", "hrslice", "pixelize", "zoomin"]

  /// Decibels over all frames of the transition and the worst frame's.
  static func compare(_ transition: Transition, with expected: RawClip) throws -> (all: Double, worst: Double) {
    let oracle = try #require(XFadeOracle.shared)
    let renderer = try TransitionRenderer(transition, size: expected.size, format: .yuv420p, tags: .bt709)
    let pool = try FramePool(size: expected.size, format: .yuv420p)
    var total = (sum: 0, count: 0)
    var worst = 0.0
    for i in 1..<XFadeOracle.count {
      var target = try pool.frame()
      try renderer.render(try oracle.a.frame(i), try oracle.b.frame(i), progress: Double(i) / Double(XFadeOracle.count), into: &target)
      let error = expected.error(i, target.freeze(time: .zero, duration: .zero, color: .bt709))
      total = (total.sum + error.sum, total.count + error.count)
      worst = max(worst, Double(error.sum) / Double(error.count))
    }
    func decibels(_ error: Double) -> Double { error == 0 ? 99 : 10 * log10(255 * 255 / error) }
    return (decibels(Double(total.sum) / Double(total.count)), decibels(worst))
  }

  @Test("Every xfade effect is what FFmpeg draws, at 40 dB or better", arguments: names)
  func parity(name: String) throws {
    let expected = try #require(XFadeOracle.shared).frames("transition=\(name)", named: name)
    #expect(expected.frames.count >= XFadeOracle.count)
    let result = try Self.compare(try Transition(name), with: expected)
    if getenv("REELWRIGHT_VERBOSE") != nil { print("xfade \(name): \(result.all) dB, worst frame \(result.worst) dB") }
    #expect(result.all >= 40, "\(name): \(result.all) dB, worst frame \(result.worst) dB")
  }

  @Test("An expression draws what FFmpeg draws", arguments: ["A*P+B*(1-P)", "if(lt(X/W+0.2*sin(Y/20),P),A,B)"])
  func custom(expression: String) throws {
    let expected = try #require(XFadeOracle.shared).frames("transition=custom:expr='\(expression)'", named: "custom")
    var transition = try Transition("custom")
    transition.expression = expression
    let result = try Self.compare(transition, with: expected)
    #expect(result.all >= 40, "\(expression): \(result.all) dB")
  }
}
