import FFmpegBridge
import Foundation
import FrameExtraction
import Glibc
import MediaCore
import TestSupport
import Testing

/// Pictures as other programs read them.
@Suite struct PictureTests {
  /// The first frame of a file, converted and written; then decoded by `ffmpeg` to RGB.
  static func roundTrip(
    _ path: String, _ format: ImageFormat, quality: Int? = nil, bounds: FrameSize = FrameSize(0, 0)
  ) throws -> (size: FrameSize, rgb: [UInt8]) {
    let extractor = try FrameExtractor(try openInput(path), environment: MediaEnvironment())
    let converter = PictureConverter(format.target, bounds: bounds)
    let writer = ImageWriter(format, quality: quality)
    let stream = try extractor.frames(FramesRequest(.positions([.time(.zero)]))) { frame throws(MediaError) in
      let bitmap = try converter.convert(frame.frame)
      return (bitmap.size, try writer.encode(bitmap))
    }
    let result = try #require(try stream.next())
    let (size, bytes) = try result.output.get()
    let file = MadeClip.folder + "/\(getpid())-\(UInt64(pthread_self()))-\(UInt64.random(in: 0...UInt64.max)).\(format.rawValue)"
    try write(bytes, to: file)
    return (size, try rgb(of: file))
  }

  static func write(_ bytes: [UInt8], to path: String) throws {
    let file = try #require(fopen(path, "wb"))
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
  }

  static func rgb(of path: String, filter: String = "null", frame: Int = 0) throws -> [UInt8] {
    let raw = path + ".\(UInt64.random(in: 0...UInt64.max)).raw"
    let outcome = try Tool.run(
      "ffmpeg",
      [
        "-nostdin", "-v", "error", "-y", "-i", path, "-vf", "\(filter),scale=flags=accurate_rnd+full_chroma_int+bitexact,format=rgb24",
        "-frames:v", "1", "-f", "rawvideo", raw,
      ])
    try #require(outcome.status == 0, "\(outcome.errors)")
    defer { unlink(raw) }
    return Tool.bytes(of: raw)
  }

  static func meanError(_ a: [UInt8], _ b: [UInt8]) -> Double {
    guard a.count == b.count, !a.isEmpty else { return .infinity }
    var sum = 0
    for i in a.indices { sum += abs(Int(a[i]) - Int(b[i])) }
    return Double(sum) / Double(a.count)
  }

  /// A smooth picture, so that chroma interpolation does not matter, as exact RGB and as video with these tags.
  static func tagged(matrix: String, range: String, format: String) throws -> String {
    try MadeClip.make(
      "tags-\(matrix)-\(range)-\(format).mkv",
      [
        "-f", "lavfi", "-i",
        "gradients=size=320x180:duration=0.1:rate=10:c0=red:c1=lime:c2=blue:c3=white:nb_colors=4:seed=1:x0=0:y0=0:x1=319:y1=179",
        "-vf",
        "format=gbrp,scale=out_color_matrix=\(matrix):out_range=\(range):flags=accurate_rnd+full_chroma_int+bitexact,format=\(format)",
        "-frames:v", "1", "-c:v", "ffv1", "-colorspace", ["bt601": "smpte170m", "bt709": "bt709", "bt2020": "bt2020nc"][matrix] ?? "",
        "-color_range", range,
      ])
  }

  static func truth() throws -> [UInt8] {
    let path = try MadeClip.make(
      "truth.mkv",
      [
        "-f", "lavfi", "-i",
        "gradients=size=320x180:duration=0.1:rate=10:c0=red:c1=lime:c2=blue:c3=white:nb_colors=4:seed=1:x0=0:y0=0:x1=319:y1=179",
        "-vf", "format=gbrp", "-frames:v", "1", "-c:v", "ffv1",
      ])
    return try rgb(of: path)
  }

  @Test(
    "Matrix, range and depth come out right in every file format", arguments: ["bt601", "bt709", "bt2020"],
    ["tv-yuv420p", "pc-yuv420p", "tv-yuv420p10le", "pc-yuv422p10le", "tv-yuv444p", "tv-yuv444p12le"])
  func colours(matrix: String, kind: String) throws {
    let parts = kind.split(separator: "-").map(String.init)
    let path = try Self.tagged(matrix: matrix, range: parts[0], format: parts[1])
    let truth = try Self.truth()
    for (format, bound) in [(ImageFormat.ppm, 1.0), (.png, 1.0), (.jpg, 1.6), (.webp, 2.5)] {
      let (size, rgb) = try Self.roundTrip(path, format, quality: 98)
      #expect(size == FrameSize(320, 180))
      let error = Self.meanError(rgb, truth)
      #expect(error <= bound, "\(matrix) \(kind) as \(format.rawValue): mean error \(error)")
    }
  }

  @Test("Odd and tiny sizes", arguments: [FrameSize(1, 1), FrameSize(3, 5), FrameSize(17, 2), FrameSize(321, 179)])
  func oddSizes(size: FrameSize) throws {
    let path = try MadeClip.make(
      "odd-\(size).mkv",
      [
        "-f", "lavfi", "-i", "color=c=0x3060c0:size=400x400:duration=0.1:rate=10", "-vf",
        "format=yuv444p,crop=\(size.width):\(size.height):0:0:exact=1", "-frames:v", "1", "-c:v",
        "ffv1",
      ])
    for format in ImageFormat.allCases {
      let (found, rgb) = try Self.roundTrip(path, format, quality: 95)
      #expect(found == size)
      let truth = [[UInt8]](repeating: [0x30, 0x60, 0xC0], count: Int(size.pixels)).flatMap { $0 }
      #expect(Self.meanError(rgb, truth) <= 3, "\(size) \(format.rawValue)")
    }
  }

  @Test("Rotation and mirroring are baked in as ffmpeg does", arguments: [0, 90, 180, 270])
  func rotation(degrees: Int) throws {
    let path = try MadeClip.make(
      "turned-\(degrees).mp4", ["-i", try MadeClip.h264(), "-t", "0.5", "-c", "copy", "-metadata:s:v:0", "rotate=\(degrees)"])
    let (size, rgb) = try Self.roundTrip(path, .ppm)
    #expect(size == (degrees % 180 == 90 ? FrameSize(180, 320) : FrameSize(320, 180)))
    // The tool interpolates chroma otherwise; a wrong turn would be off by more than 50.
    #expect(Self.meanError(rgb, try Self.rgb(of: path)) <= 10)
  }

  @Test("Pixels come out square, and fitting keeps the shape")
  func aspect() throws {
    let path = try MadeClip.make(
      "sar.mp4",
      [
        "-f", "lavfi", "-i", "testsrc2=size=360x288:rate=10:duration=0.5", "-vf", "setsar=16/15", "-c:v", "libx264", "-pix_fmt", "yuv420p",
        "-preset", "veryfast",
      ])
    #expect(try Self.roundTrip(path, .ppm).size == FrameSize(384, 288))
    #expect(try Self.roundTrip(path, .jpg, bounds: FrameSize(192, 0)).size == FrameSize(192, 144))
    #expect(try Self.roundTrip(path, .jpg, bounds: FrameSize(100, 100)).size == FrameSize(100, 75))
    #expect(try Self.roundTrip(path, .jpg, bounds: FrameSize(4000, 4000)).size == FrameSize(384, 288))
    let plain = try MadeClip.h264()
    for bounds in [FrameSize(107, 60), FrameSize(200, 0)] {
      let (size, rgb) = try Self.roundTrip(plain, .ppm, bounds: bounds)
      let reference = try Self.rgb(of: plain, filter: "scale=\(size.width):\(size.height):flags=area")
      #expect(Self.meanError(rgb, reference) <= 4, "\(size)")
    }
  }

  @Test("Samples become square; what is square but for an encoder's rounding stays as stored")
  func squareSamples() {
    func size(_ ratio: Rational) -> FrameSize {
      PictureConverter.fittedSize(FrameSize(1920, 1080), sampleAspectRatio: ratio, orientation: .upright, bounds: FrameSize(0, 0))
    }
    #expect(size(Rational(1215, 1216)) == FrameSize(1920, 1080))
    #expect(size(Rational(1216, 1215)) == FrameSize(1920, 1080))
    #expect(size(Rational(0)) == FrameSize(1920, 1080))
    #expect(size(Rational(4, 3)) == FrameSize(2560, 1080))
    #expect(size(Rational(1, 2)) == FrameSize(1920, 2160))
  }

  @Test("HDR is mapped to SDR, not relabelled", .enabled(if: Capabilities.hasFilter("zscale"), "needs zscale"))
  func hdr() throws {
    let path = try MadeClip.make(
      "pq.mkv",
      [
        "-f", "lavfi", "-i", "color=c=white:size=64x64:duration=0.1:rate=10", "-vf",
        "format=gbrpf32le,zscale=transferin=linear:primariesin=709:rangein=full:transfer=smpte2084:primaries=2020:matrix=2020_ncl:range=limited:npl=203,format=yuv420p10le",
        "-frames:v", "1", "-c:v", "ffv1", "-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc",
        "-color_range", "tv",
      ])
    let (_, rgb) = try Self.roundTrip(path, .png)
    let chain =
      "zscale=transfer=linear:npl=203,format=gbrpf32le,zscale=primaries=709,tonemap=hable:desat=0:peak=10,zscale=transfer=709:matrix=709:range=limited,format=yuv420p"
    #expect(Self.meanError(rgb, try Self.rgb(of: path, filter: chain)) <= 2)
    #expect(Self.meanError(rgb, try Self.rgb(of: path)) > 5)
    // Odd sizes, which zscale refuses for subsampled pictures.
    for format in [ImageFormat.png, .jpg] {
      let (size, odd) = try Self.roundTrip(path, format, bounds: FrameSize(33, 0))
      #expect(size == FrameSize(33, 33))
      let mean = odd.reduce(0) { $0 + Int($1) } / max(1, odd.count)
      #expect(abs(mean - rgb.reduce(0) { $0 + Int($1) } / max(1, rgb.count)) <= 2)
    }
  }

  @Test("Labels, sheets and the sprite track")
  func sheets() throws {
    #expect(ContactSheet.label(MediaTime(Rational(3723, 1)) + MediaTime(Rational(49, 100))) == "1:02:03.4")
    #expect(ContactSheet.label(MediaTime(Rational(5, 2))) == "0:02.5")
    let extractor = try FrameExtractor(try openInput(try MadeClip.h264()), environment: MediaEnvironment())
    let converter = PictureConverter(.rgb, bounds: FrameSize(160, 160))
    let stream = try extractor.frames(FramesRequest(.uniform(count: 6))) { frame throws(MediaError) in try converter.convert(frame.frame) }
    let sheet = ContactSheet(columns: 3, rows: 2, gap: 4, labels: true)
    var place = 0
    while let result = try stream.next() {
      try sheet.put(try result.output.get(), at: place, time: result.actual)
      place += 1
    }
    let picture = try #require(sheet.picture)
    #expect(picture.size == FrameSize(3 * 164 + 4, 2 * 94 + 4))
    // The gap is dark, the label's dots are white.
    picture.withRow(2) { row in #expect(row[30] == 24) }
    var whites = 0
    for y in 80..<94 {
      picture.withRow(y) { row in
        for x in 100..<164 where row[3 * x] == 255 && row[3 * x + 1] == 255 && row[3 * x + 2] == 255 { whites += 1 }
      }
    }
    #expect(whites >= 40)

    // On a portrait tile, too, it covers less than half of the width.
    let portrait = ContactSheet(columns: 1, rows: 1, gap: 0)
    let upright = try FrameExtractor(
      try openInput(
        try MadeClip.make(
          "portrait.mkv", ["-f", "lavfi", "-i", "color=gray:size=240x426:rate=5:duration=0.4,format=yuv420p", "-c:v", "ffv1"])),
      environment: MediaEnvironment())
    let gray = try upright.frames(FramesRequest(.last)) { frame throws(MediaError) in try PictureConverter(.rgb).convert(frame.frame) }
    try portrait.put(try #require(try gray.next()).output.get(), at: 0, time: MediaTime(Rational(5, 2)))
    try #require(portrait.picture).withRow(425) { row in
      let covered = (0..<240).count { row[3 * $0] < 100 }
      #expect(covered > 40 && covered < 120, "\(covered)")
    }
    #expect(throws: MediaError.self) { try ContactSheet(columns: 100, rows: 100).wholeSize(tile: FrameSize(320, 180)) }

    var track = SpriteTrack(end: MediaTime(Rational(4)))
    track.cues = [
      .init(start: .zero, file: "s.jpg", x: 0, y: 0, size: FrameSize(160, 90)),
      .init(start: MediaTime(Rational(3, 2)), file: "s.jpg", x: 160, y: 0, size: FrameSize(160, 90)),
    ]
    #expect(
      track.text
        == "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\ns.jpg#xywh=0,0,160,90\n\n00:00:01.500 --> 00:00:04.000\ns.jpg#xywh=160,0,160,90\n")
    // A name is a relative URL there (RFC 3986): Foundation's decoder is the oracle.
    for name in ["a#b%20c.jpg", "a b\n--> c?.png", "häß:lich.webp", "plain-1.jpg"] {
      track.cues = [.init(start: .zero, file: name, x: 0, y: 0, size: FrameSize(1, 1))]
      let url = track.text.split(separator: "\n").last.map(String.init) ?? ""
      #expect(url.hasSuffix("#xywh=0,0,1,1"))
      #expect(url.dropLast(13).removingPercentEncoding == name)
      #expect(url.dropLast(13).utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") })
    }
  }
}
