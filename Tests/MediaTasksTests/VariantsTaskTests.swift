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

    // A re-encoded and scaled copy. (A trimmed one of so few segments is not told apart reliably.)
    _ = try Tool.run(
      "ffmpeg",
      [
        "-v", "error", "-nostdin", "-i", paths[1], "-vf", "scale=600:450", "-threads", "2", "-c:v", "libx264", "-preset",
        "veryfast", "-crf",
        "22", "-an", scratch.path + "/re.mp4",
      ])
    var detect = DetectTask(inputs: ["a", "b", "re"])
    detect.copies = result.manifest
    let inputs = [
      "a": paths[0], "b": paths[2], "re": scratch.path + "/re.mp4", MarkRequest.defaultKeyName: scratch.path + "/key",
    ]
    let found = try detect.run(in: TaskContext(files: LocalFiles(inputs: inputs)))
    #expect(found.files.map { $0.marks.first?.copy } == [ids[0].description, ids[2].description, ids[1].description])
  }

  @Test func sequencesAreReproducibleAndApart() {
    let key = WatermarkKey.generate()
    let ids = (0..<100).map { WatermarkID($0) }
    let marks = [WatermarkID(1), WatermarkID(2)]
    let manifest = CopyManifest(ids: ids, variantIds: marks, key: key, segments: 30, segmentSeconds: 0.5)
    #expect(manifest == CopyManifest(ids: ids, variantIds: marks, key: key, segments: 30, segmentSeconds: 0.5))
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
