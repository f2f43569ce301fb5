import Composition
import FFmpegBridge
import Glibc
import MediaCore
import TestSupport
import Testing

/// Frames of 8-bit planar 4:2:0 kept as plain bytes, to trade with the ffmpeg command.
struct RawClip: Sendable {
  let size: FrameSize
  let frames: [[UInt8]]

  static func planes(_ size: FrameSize) -> [(width: Int, height: Int)] {
    let chroma = ((size.width + 1) / 2, (size.height + 1) / 2)
    return [(size.width, size.height), chroma, chroma]
  }

  init(size: FrameSize, file: String) {
    self.size = size
    let bytes = Tool.bytes(of: file)
    let length = RawClip.planes(size).reduce(0) { $0 + $1.width * $1.height }
    frames = (0..<(bytes.count / length)).map { Array(bytes[($0 * length)..<(($0 + 1) * length)]) }
  }

  func write(to path: String) throws {
    let file = try #require(fopen(path, "wb"))
    defer { fclose(file) }
    for frame in frames { try #require(fwrite(frame, 1, frame.count, file) == frame.count) }
  }

  func frame(_ index: Int) throws -> VideoFrame {
    var frame = try FramePool(size: size, format: .yuv420p).frame()
    var at = 0
    for (plane, shape) in RawClip.planes(size).enumerated() {
      for y in 0..<shape.height {
        frame.withRow(y, ofPlane: plane) { row in
          for x in 0..<shape.width { row[x] = frames[index][at + x] }
        }
        at += shape.width
      }
    }
    return frame.freeze(time: .zero, duration: .zero, color: .bt709)
  }

  /// Sum of squared differences and count of samples against a frame of ours.
  func error(_ index: Int, _ frame: VideoFrame) -> (sum: Int, count: Int) {
    var at = 0
    var sum = 0
    for (plane, shape) in RawClip.planes(size).enumerated() {
      frame.withPlane(plane) { view in
        for y in 0..<shape.height {
          let row = view.row(y)
          frames[index].withUnsafeBufferPointer { expected in
            for x in 0..<shape.width {
              let d = Int(row[x]) &- Int(expected[at &+ x])
              sum &+= d &* d
            }
          }
          at += shape.width
        }
      }
    }
    return (sum, at)
  }
}
