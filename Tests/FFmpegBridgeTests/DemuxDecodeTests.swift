import FFmpegBridge
import FileAccess
import Glibc
import MediaCore
import TestSupport
import Testing

@Suite struct DemuxDecodeTests {
  /// Frames of the first video stream, with their times.
  private func decode(_ path: String) throws -> [VideoFrame] {
    let environment = MediaEnvironment()
    var demuxer = try Demuxer(openInput(path), environment: environment)
    let stream = try #require(demuxer.streams.first { $0.kind == .video })
    demuxer.select([stream.index])
    var decoder = try Decoder(stream, of: demuxer, environment: environment)
    var frames: [VideoFrame] = []
    func take() throws {
      while true {
        guard case .frame(let frame) = try decoder.receiveVideo() else { return }
        frames.append(frame)
      }
    }
    let packet = Packet()
    while try demuxer.read(into: packet) {
      try decoder.send(packet)
      try take()
    }
    try decoder.send(nil)
    try take()
    return frames
  }

  @Test(.enabled(if: MediaPack.isPresent, "needs ../shared/media"))
  func framesAreThoseOfFfprobe() throws {
    let path = try #require(MediaPack.path("odd/mediabunny_edts.mp4"))
    let frames = try decode(path)
    let expected = try Tool.lines("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "frame=pts", "-of", "csv=p=0", path)
    #expect(frames.count == expected.filter { !$0.isEmpty }.count)
    #expect(zip(frames, frames.dropFirst()).allSatisfy { $0.time < $1.time })
  }
}
