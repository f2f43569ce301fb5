import CWebP
import FileAccess
import MediaCore

/// The pictures of an animated WebP, each whole, with its time.
struct WebPReader {
  let input: InputFile
  let environment: MediaEnvironment
  private var operation: String { "cannot read \(input.displayName)" }

  func read() throws(MediaError) -> ForeignPictures {
    let content = try ForeignPictures.content(of: input, operation: operation)
    return try content.withUnsafeBufferPointer { bytes throws(MediaError) -> ForeignPictures in
      var data = WebPData(bytes: bytes.baseAddress, size: bytes.count)
      var options = WebPAnimDecoderOptions()
      guard WebPAnimDecoderOptionsInit(&options) != 0 else {
        throw MediaError(
          .unavailable, operation, path: input.displayName, reason: "this libwebp is of another version than it was built for")
      }
      options.color_mode = MODE_RGBA
      options.use_threads = 0
      try checkSize(&data)
      guard let decoder = WebPAnimDecoderNew(&data, &options) else {
        throw MediaError(
          .damaged, operation, path: input.displayName, reason: "it is cut short or damaged", advice: "check that the file is complete")
      }
      defer { WebPAnimDecoderDelete(decoder) }
      var info = WebPAnimInfo()
      WebPAnimDecoderGetInfo(decoder, &info)
      let size = FrameSize(Int(info.canvas_width), Int(info.canvas_height))
      let profile = profile(&data)
      var mov = try PictureMOV(size: size)
      var start: Int64 = 0
      var count = 0
      while WebPAnimDecoderHasMoreFrames(decoder) != 0 {
        try environment.cancellation.check(operation)
        var pixels: UnsafeMutablePointer<UInt8>?
        var end: Int32 = 0
        guard WebPAnimDecoderGetNext(decoder, &pixels, &end) != 0, let pixels else {
          environment.damage.note("undecodable packet", stream: 0, time: MediaTime(Rational(start, 1000)))
          break
        }
        let duration = max(0, Int64(end) - start)
        if let profile {
          // The decoder draws the next picture over this one, so a copy is converted.
          var copy = [UInt8](UnsafeBufferPointer(start: pixels, count: size.width * size.height * 4))
          try copy.withUnsafeMutableBufferPointer { buffer throws(MediaError) in
            profile.convertToSRGB(rgba: buffer.baseAddress!, stride: size.width * 4, size: size)
            try mov.add(buffer.baseAddress!, stride: size.width * 4, start: start, duration: duration)
          }
        } else {
          try mov.add(pixels, stride: size.width * 4, start: start, duration: duration)
        }
        // Pictures without a duration would share one time.
        start += max(1, duration)
        count += 1
      }
      guard count > 0 else { throw MediaError(.damaged, operation, path: input.displayName, reason: "no picture could be decoded") }
      return try mov.finish(format: "webp", codec: "webp")
    }
  }

  /// Refuses an animation that would not fit into memory, before it is decoded.
  private func checkSize(_ data: inout WebPData) throws(MediaError) {
    guard let demuxer = WebPDemux(&data) else { return }
    defer { WebPDemuxDelete(demuxer) }
    let canvas = Int64(WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH)) * Int64(WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT))
    let frames = Int64(WebPDemuxGetI(demuxer, WEBP_FF_FRAME_COUNT))
    let limits = environment.limits
    if canvas > limits.pixelsPerFrame {
      throw limits.refusal(operation, path: input.displayName, name: "pixels", found: canvas, of: "pixels a frame")
    }
    // All pictures are held at once.
    if canvas * frames > 4 * limits.pixelsPerFrame {
      throw MediaError(
        .refused, operation, path: input.displayName,
        reason: "its \(frames) pictures of \(canvas) pixels are more than four times the limit pixels=\(limits.pixelsPerFrame)",
        advice: "raise it with --limit pixels=\(canvas * frames / 4 + 1) if you trust this file")
    }
  }

  private func profile(_ data: inout WebPData) -> ColorProfile? {
    guard let demuxer = WebPDemux(&data) else { return nil }
    defer { WebPDemuxDelete(demuxer) }
    var chunk = WebPChunkIterator()
    guard WebPDemuxGetChunk(demuxer, "ICCP", 1, &chunk) != 0 else { return nil }
    defer { WebPDemuxReleaseChunkIterator(&chunk) }
    return ColorProfile(Array(UnsafeBufferPointer(start: chunk.chunk.bytes, count: chunk.chunk.size)))
  }
}
