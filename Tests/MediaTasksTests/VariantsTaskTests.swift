import Crypto
import FileAccess
import MediaCore
import MediaTasks
import TestSupport
import Testing

@testable import Watermark

/// Copies assembled from two encodes: whole, bit-identical to their variants, and told apart again.
@Suite struct VariantsTaskTests {
  /// Slow: three blind searches. The key is fixed, because whether a mark survives depends a little on it.
  @Test(.enabled(if: MediaPack.isSlowRun, "needs REELWRIGHT_SLOW=1")) func copiesAreToldApart() throws {
    let scratch = try ScratchFolder()
    let key = WatermarkKey(secret: SecretBytes(Array(0..<16)))
    try key.create(at: scratch.path + "/key")
    _ = try Tool.run(
      "ffmpeg",
      [
        "-v", "error", "-nostdin", "-f", "lavfi", "-i", "mandelbrot=size=480x360:rate=10", "-f", "lavfi", "-i", "sine=duration=8", "-t",
        "8",
        "-c:v", "libx264", "-preset", "ultrafast", "-crf", "14", "-pix_fmt", "yuv420p", "-c:a", "aac", scratch.path + "/in.mp4",
      ])
    let ids = (1...3).map { WatermarkID(UInt64($0)) }
    var task = VariantsTask(ids: ids, outputs: ["c0", "c1", "c2"])
    task.encode.outputExtension = "mp4"
    task.encode.speed = "veryfast"
    task.encode.crf = 20
    let paths = (0..<3).map { scratch.path + "/copy\($0).mp4" }
    let files = LocalFiles(
      inputs: ["input": scratch.path + "/in.mp4", task.key: scratch.path + "/key"],
      outputs: Dictionary(uniqueKeysWithValues: zip(task.outputs, paths)))
    let result = try task.run(in: TaskContext(files: files))
    for (name, report) in zip(task.outputs, result.reports) { try files.publish(name, of: task, report: report) }
    #expect(result.manifest.copies.allSatisfy { $0.bits.utf8.count == 16 } && result.manifest.leastDistance >= 4)

    // Every copy decodes whole; where two copies have the same bit they show the same pictures.
    var pictures: [[Substring]] = []
    for path in paths {
      #expect(try Oracle.videoFrameCount(path) == 80)
      let hashes = try Tool.lines("ffmpeg", "-v", "error", "-i", path, "-map", "0:v", "-f", "framemd5", "-")
      pictures.append(hashes.filter { !$0.hasPrefix("#") }.compactMap { $0.split(separator: ",").last })
    }
    let bits = result.manifest.copies.map { Array($0.bits.utf8) }
    for index in 0..<80 {
      #expect((pictures[0][index] == pictures[1][index]) == (bits[0][index / 5] == bits[1][index / 5]))
    }

    // A re-encoded and scaled copy; a trim that starts within a segment; a reorder; a compilation of two copies.
    _ = try Tool.run(
      "ffmpeg",
      [
        "-v", "error", "-nostdin", "-i", paths[1], "-vf", "scale=600:450", "-threads", "2", "-c:v", "libx264", "-preset",
        "veryfast", "-crf",
        "22", "-an", scratch.path + "/re.mp4",
      ])
    let again = ["-threads", "2", "-c:v", "libx264", "-preset", "veryfast", "-crf", "22", "-an"]
    func edit(_ inputs: [String], _ graph: String, _ name: String) throws {
      _ = try Tool.run(
        "ffmpeg",
        ["-v", "error", "-nostdin"] + inputs.flatMap { ["-i", $0] } + ["-filter_complex", graph + "[v]", "-map", "[v]"] + again + [
          scratch.path + "/\(name).mp4"
        ])
    }
    try edit([paths[1]], "trim=1.3:6.9,setpts=PTS-STARTPTS", "trim")
    try edit(
      [paths[2]],
      "split[a][b];[a]trim=4:8,setpts=PTS-STARTPTS[c];[b]trim=0:4,setpts=PTS-STARTPTS[d];[c][d]concat=n=2:v=1:a=0", "reorder")
    try edit(
      [paths[0], paths[2]],
      "[0:v]trim=0:4,setpts=PTS-STARTPTS[c];[1:v]trim=4:8,setpts=PTS-STARTPTS[d];[c][d]concat=n=2:v=1:a=0", "both")
    let names = ["re", "trim", "reorder", "both"]
    var detect = DetectTask(inputs: ["a", "b"] + names)
    detect.copies = result.manifest
    var inputs = ["a": paths[0], "b": paths[2], MarkRequest.defaultKeyName: scratch.path + "/key"]
    for name in names { inputs[name] = scratch.path + "/\(name).mp4" }
    let found = try detect.run(in: TaskContext(files: LocalFiles(inputs: inputs)))
    let copies = found.files.map { $0.marks.first?.copies.map(\.id) ?? [] }
    let texts = ids.map(\.description)
    #expect(copies == [[texts[0]], [texts[2]], [texts[1]], [texts[1]], [texts[2]], [texts[0], texts[2]]])
    let parts = found.files[5].marks.first?.copies ?? []
    // Where both copies have the same bits beside the cut it may lie anywhere in that stretch.
    var (first, last) = (8, 8)
    while first > 0, bits[0][first - 1] == bits[2][first - 1] { first -= 1 }
    while last < 16, bits[0][last] == bits[2][last] { last += 1 }
    try #require(parts.count == 2)
    #expect(parts[0].range[1] >= Double(first) / 2 - 0.5 && parts[0].range[1] <= Double(last) / 2 + 0.5)
  }

  @Test func sequencesAreReproducibleAndApart() {
    let key = WatermarkKey.generate()
    let ids = (0..<100).map { WatermarkID($0) }
    let manifest = CopyManifest(ids: ids, videoId: WatermarkID(1), key: key, segments: 30, segmentSeconds: 0.5)
    #expect(manifest == CopyManifest(ids: ids, videoId: WatermarkID(1), key: key, segments: 30, segmentSeconds: 0.5))
    #expect(manifest.leastDistance >= 5 && Set(manifest.copies.map(\.bits)).count == 100)
  }

  @Test func badRequestsAreRefused() {
    let files = LocalFiles(inputs: [:])
    #expect(throws: MediaError.self) { try VariantsTask(ids: [], outputs: []).run(in: TaskContext(files: files)) }
    #expect(throws: MediaError.self) {
      try VariantsTask(ids: [WatermarkID(1), WatermarkID(1)], outputs: ["a", "b"]).run(in: TaskContext(files: files))
    }
  }
}
