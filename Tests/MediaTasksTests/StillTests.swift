import FileAccess
import Glibc
import MediaCore
import MediaTasks
import TestSupport
import Testing

/// Pictures that FFmpeg cannot read or reads without their colours: HEIF, AVIF, animated WebP, ICC profiles.
@Suite struct StillTests {
  private func encode(_ source: String, in scratch: ScratchFolder) throws -> (report: TaskReport, rgb: [UInt8], probe: ProbeReport.File) {
    let out = scratch.path + "/out.mkv"
    unlink(out)
    let files = LocalFiles(inputs: ["input": source], outputs: ["output": out])
    var task = EncodeTask()
    task.codec = "ffv1"
    task.outputExtension = "mkv"
    task.keep = [.format]
    let report = try task.run(in: TaskContext(files: files))
    try files.publish("output", of: task, report: report)
    let raw = scratch.path + "/out.rgb"
    let decoded = try Tool.run("ffmpeg", ["-nostdin", "-v", "error", "-y", "-i", out, "-f", "rawvideo", "-pix_fmt", "rgb24", raw])
    try #require(decoded.status == 0, "\(decoded.errors)")
    let probe = try ProbeTask(inputs: ["input"]).run(in: TaskContext(files: LocalFiles(inputs: ["input": source])))
    return (report, Tool.bytes(of: raw), probe.files[0])
  }

  @Test("HEIC and AVIF as ImageMagick reads them", arguments: ["heic", "avif"])
  func heif(_ kind: String) throws {
    let scratch = try ScratchFolder()
    let source = scratch.path + "/a.\(kind)"
    try Tool.succeed("convert", "-size", "200x120", "gradient:red-blue", "-rotate", "90", "-quality", "90", source)
    try Tool.succeed("convert", source, "-depth", "8", "rgb:" + scratch.path + "/want.rgb")
    let (report, rgb, probe) = try encode(source, in: scratch)
    #expect(report.outputs[0].frames == 1 && report.outputs[0].width == 120 && report.outputs[0].height == 200)
    #expect(Tool.meanError(rgb, Tool.bytes(of: scratch.path + "/want.rgb")) < 1)
    #expect(probe.format == "heif" && probe.video.first?.codec == kind && probe.problems == [], "\(probe)")
    let half = scratch.path + "/half.\(kind)"
    let bytes = Tool.bytes(of: source)
    let file = try #require(fopen(half, "wb"))
    fwrite(bytes, 1, bytes.count * 6 / 10, file)
    fclose(file)
    let error = #expect(throws: MediaError.self) { _ = try encode(half, in: scratch) }
    #expect(error?.code.exitStatus == 65, "\(String(describing: error))")
  }

  @Test("an animated WebP keeps its pictures and their times; ImageMagick agrees")
  func animatedWebP() throws {
    let scratch = try ScratchFolder()
    let source = scratch.path + "/a.webp"
    try Tool.succeed(
      "ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=160x120:rate=10:duration=2", "-c:v", "libwebp_anim", source)
    try Tool.succeed("convert", source, "-coalesce", "-depth", "8", "rgb:" + scratch.path + "/want.rgb")
    let (report, rgb, probe) = try encode(source, in: scratch)
    #expect(report.outputs[0].frames == 20 && abs(report.outputs[0].durationSeconds - 2) < 0.01, "\(report.outputs)")
    #expect(Tool.meanError(rgb, Tool.bytes(of: scratch.path + "/want.rgb")) < 1)
    #expect(probe.format == "webp" && probe.video.first?.frameCount == 20 && probe.video.first?.frameRate == "10/1", "\(probe)")
  }

  @Test("the corpus's animated WebP", .enabled(if: MediaPack.isPresent, "needs ../shared/media"))
  func corpusWebP() throws {
    let scratch = try ScratchFolder()
    let path = try #require(MediaPack.path("odd/sharp_rotating-squares.webp"))
    let (report, _, _) = try encode(path, in: scratch)
    #expect(report.outputs[0].frames > 1 && report.inputs[0].damage == [] && report.inputs[0].incomplete == [], "\(report)")
  }

  @Test("colours of an ICC profile become sRGB, as Little CMS converts them in ImageMagick", arguments: ["png", "jpg", "webp"])
  func iccProfile(_ kind: String) throws {
    let scratch = try ScratchFolder()
    // A profile with red and green exchanged and a gamma of 1.8: nobody can mistake it for sRGB.
    let profile = scratch.path + "/odd.icc"
    try Tool.succeed("python3", "-c", StillTests.makeProfile, profile)
    let source = scratch.path + "/a.\(kind)"
    try Tool.succeed(
      "convert", "-size", "96x64", "gradient:tomato-navy", "-quality", "100", "-sampling-factor", "4:4:4",
      source.replacing("a.", with: "plain."))
    try Tool.succeed(
      "convert", source.replacing("a.", with: "plain."), "-quality", "100", "-sampling-factor", "4:4:4", "-profile", profile, "-define",
      "webp:lossless=true", source)
    let srgb = scratch.path + "/srgb.icc"
    try Tool.succeed("python3", "-c", StillTests.makeProfile, srgb, "srgb")
    try Tool.succeed(
      "convert", source, "-intent", "relative", "-black-point-compensation", "-profile", srgb, "-depth", "8",
      "rgb:" + scratch.path + "/want.rgb")
    try Tool.succeed("convert", source, "-strip", "-depth", "8", "rgb:" + scratch.path + "/raw.rgb")
    let (_, rgb, _) = try encode(source, in: scratch)
    let want = Tool.bytes(of: scratch.path + "/want.rgb")
    #expect(Tool.meanError(Tool.bytes(of: scratch.path + "/raw.rgb"), want) > 10, "the profile changes nothing")
    #expect(Tool.meanError(rgb, want) < 1.5, "\(Tool.meanError(rgb, want))")
  }

  /// Writes a matrix profile (ICC.1:2010): argument 2 `srgb` for sRGB's primaries, else red and green exchanged and gamma 1.8.
  static let makeProfile = """
    import struct,sys
    def s15(v): return struct.pack('>i', round(v*65536))
    def xyz(v): return b'XYZ \\0\\0\\0\\0' + b''.join(s15(x) for x in v)
    srgb = len(sys.argv) > 2
    r,g,b = (0.4361,0.2225,0.0139),(0.3851,0.7169,0.0971),(0.1431,0.0606,0.7141)
    if not srgb: r,g = g,r
    if srgb:
        pts=[round(65535*((x/255/12.92) if x/255<=0.04045 else ((x/255+0.055)/1.055)**2.4)) for x in range(256)]
        trc=b'curv\\0\\0\\0\\0'+struct.pack('>I',256)+b''.join(struct.pack('>H',p) for p in pts)
    else: trc=b'curv\\0\\0\\0\\0'+struct.pack('>IH',1,round(1.8*256))+b'\\0\\0'
    text=b'desc\\0\\0\\0\\0'+struct.pack('>I',5)+b'test\\0'+b'\\0'*(4+4+2+1+67)
    text+=b'\\0'*(-len(text)%4)
    copy=b'text\\0\\0\\0\\0none\\0\\0\\0\\0'
    tags=[(b'desc',text),(b'cprt',copy),(b'wtpt',xyz((0.9642,1,0.8249))),(b'rXYZ',xyz(r)),(b'gXYZ',xyz(g)),(b'bXYZ',xyz(b)),(b'rTRC',trc),(b'gTRC',trc),(b'bTRC',trc)]
    table=struct.pack('>I',len(tags)); data=b''; at=128+4+12*len(tags)
    for sig,d in tags:
        table+=sig+struct.pack('>II',at+len(data),len(d)); data+=d
    size=at+len(data)
    head=struct.pack('>I4sI4s4s4s',size,b'\\0'*4,0x02400000,b'mntr',b'RGB ',b'XYZ ')+struct.pack('>6H',2020,1,1,0,0,0)+b'acsp'+b'\\0'*4+b'\\0'*4+b'\\0'*4+b'\\0'*4+b'\\0'*8+struct.pack('>I',1)+s15(0.9642)+s15(1)+s15(0.8249)+b'\\0'*4
    head+=b'\\0'*(128-len(head))
    open(sys.argv[1],'wb').write(head+table+data)
    """
}
