import Crypto
import FFmpegBridge
import FileAccess
public import MediaCore
public import Watermark

/// Marks many copies of one video for the price of two encodes: each copy is assembled from segments of both.
///
/// Both encodes have an IDR picture at every segment boundary and the same parameter sets, so that a copy is a remux; sound is encoded
/// once. Packets of both encodes are held in memory.
public struct VariantsTask: MediaTask {
  public static let kind = "variants"

  /// How the video is encoded. Its `watermark` is ignored.
  public var encode = EncodeTask()
  /// One for each copy.
  public var ids: [WatermarkID]
  /// Logical names of the outputs, in the order of `ids`.
  public var outputs: [String]
  /// Logical name of the key file.
  public var key = MarkRequest.defaultKeyName
  /// The id that all copies carry; nil draws one at random.
  public var videoId: WatermarkID?
  /// Copies among `ids` that exist already: they keep their rows of the manifest and are not written again. Default none.
  public var existing: Set<WatermarkID> = []
  /// Length of a segment. Default 0.5 s: 30 bits in 15 s.
  public var segmentSeconds = 0.5

  public init(ids: [WatermarkID], outputs: [String]) {
    self.ids = ids
    self.outputs = outputs
  }

  public struct Result: Codable, Sendable {
    public var manifest: CopyManifest
    /// One for each copy that was written, in the order of `ids`.
    public var reports: [TaskReport]
  }

  public var keepsStatistics: Bool { encode.keepsStatistics }

  public func run(in context: TaskContext) throws(MediaError) -> Result {
    guard !ids.isEmpty, ids.count == outputs.count, Set(ids).count == ids.count else {
      throw MediaError(.usage, "cannot make copies", reason: "each copy needs an id of its own and an output")
    }
    let key = try WatermarkKey(context.files.openInput(key))
    let id = videoId ?? WatermarkID(SecureRandom.uint64())
    var encoded: [EncodedVariant] = []
    for index in 0..<2 {
      let files = ScratchOutputs(context.files)
      var task = encode
      task.watermark = MarkRequest(id: id)
      task.watermark?.key = self.key
      task.watermark?.isSecondVariant = index == 1
      task.segmentSeconds = segmentSeconds
      if index > 0 { task.keep.insert(.noAudio) }
      var inner = context
      inner.files = files
      let report = try task.run(in: inner)
      encoded.append(try EncodedVariant(files.made(), report: report, segmentSeconds: segmentSeconds, context: context))
    }
    let (first, second) = (encoded[0], encoded[1])
    guard first.segmentCount == second.segmentCount, first.video.decoderConfiguration == second.video.decoderConfiguration,
      first.packets.count == second.packets.count
    else { throw MediaError(.bug, "cannot assemble copies", reason: "the two encodes do not fit together") }
    let manifest = CopyManifest(
      ids: ids, videoId: id, key: key, segments: first.segmentCount, segmentSeconds: segmentSeconds)
    var reports: [TaskReport] = []
    for (copy, name) in zip(manifest.copies, outputs) where !existing.contains(copy.id) {
      try context.cancellation.check("assembling copies")
      let output = try context.files.createOutput(name)
      let environment = context.environment()
      let written = try first.assemble(with: second, bits: manifest.choices(of: copy), into: output, environment: environment)
      var report = first.report
      report.task = VariantsTask.kind
      report.outputs[0].file = output.displayName
      report.outputs[0].bytes = written
      report.watermark?.id = copy.id.description
      reports.append(report)
    }
    return Result(manifest: manifest, reports: reports)
  }
}

/// Gives scratch files in place of outputs, so that a task's output can be read again.
private final class ScratchOutputs: Files {
  private let files: any Files
  private let scratch: Descriptor?
  private let failure: MediaError?

  init(_ files: any Files) {
    self.files = files
    do {
      scratch = try files.createScratch()
      failure = nil
    } catch {
      scratch = nil
      failure = error
    }
  }

  func openInput(_ name: String) throws(MediaError) -> InputFile { try files.openInput(name) }
  func createScratch() throws(MediaError) -> Descriptor { try files.createScratch() }

  func createOutput(_ name: String) throws(MediaError) -> OutputFile {
    guard let scratch else { throw failure ?? MediaError(.io, "cannot create a scratch file", reason: "unknown") }
    return OutputFile(descriptor: scratch, displayName: "a variant")
  }

  func made() throws(MediaError) -> InputFile {
    guard let scratch, let snapshot = FileSnapshot(of: scratch.rawValue) else {
      throw MediaError(.io, "cannot read a scratch file", reason: "it is gone")
    }
    return InputFile(descriptor: scratch, displayName: "a variant", snapshot: snapshot)
  }
}
