public import Crypto
import FFmpegBridge
public import FileAccess
import FoundationEssentials
public import MediaCore

/// The record that stands beside an output: how it was made, of what, by which versions.
public struct Sidecar<Task: MediaTask>: Encodable, Sendable {
  public var schema = 1
  public var output: Output
  public var inputs: [Input]
  public var task: String
  public var parameters: Task
  /// The user's own: prompts, generator … Never leaves the machine.
  public var metadata: [String: String]
  /// What this work is recorded under; nil where nothing was named.
  public var project: String?
  public var labels: [String: String]?
  public var versions: [String: String]
  /// ISO 8601, UTC.
  public var createdAt: String
  public var watermarkId: String?
  public var watermarkKeyId: String?
  public var report: TaskReport

  public struct Output: Codable, Sendable {
    public var file: String
    public var bytes: Int64
    public var sha256: String
  }

  public struct Input: Codable, Sendable {
    public var name: String
    public var file: String
    public var bytes: Int64
    /// Nil for an input that could not be read to its end.
    public var sha256: String?
  }
}

extension LocalFiles {
  /// Publishes one output of a finished task together with its sidecar.
  ///
  /// - Parameters:
  ///   - name: the output's logical name.
  ///   - metadata: the user's own, for the sidecar.
  ///   - record: the project and the labels of the work, for the sidecar.
  ///   - watermark: id and key id, where the output carries a mark; nil takes them from the report.
  /// - Returns: the digest of the output.
  @discardableResult
  public func publish<Task: MediaTask>(
    _ name: String, of task: Task, report: TaskReport, metadata: [String: String] = [:], record: WorkRecord? = nil,
    watermark: (id: String, keyId: String)? = nil
  ) throws(MediaError) -> SHA256Digest {
    guard let descriptor = pendingDescriptor(name), let snapshot = FileSnapshot(of: descriptor.rawValue) else {
      throw MediaError(.bug, "cannot publish output \(name)", reason: "it was not created")
    }
    var inputs: [Sidecar<Task>.Input] = []
    // A watermark key leaves no trace beside its key id, not even a hash.
    for (key, input) in openedInputs.sorted(by: { $0.key < $1.key }) where key != MarkRequest.defaultKeyName {
      var hash: SHA256Digest?
      do throws(MediaError) {
        hash = try SHA256.digest(ofDescriptor: input.descriptor.rawValue, byteCount: input.snapshot.byteCount, name: input.displayName)
      } catch {
        // What is known to be incomplete, and was used all the same, may not be readable to its end.
        guard report.inputs.contains(where: { $0.file == input.displayName && !$0.incomplete.isEmpty }) else { throw error }
      }
      inputs.append(.init(name: key, file: input.displayName, bytes: input.snapshot.byteCount, sha256: hash?.hex))
    }
    let file = report.outputs.first?.file ?? name
    let digest = try SHA256.digest(ofDescriptor: descriptor.rawValue, byteCount: snapshot.byteCount, name: file)
    let sidecar = Sidecar(
      output: .init(
        file: String(file.split(separator: "/").last ?? ""), bytes: snapshot.byteCount,
        sha256: digest.hex),
      inputs: inputs, task: Task.kind, parameters: task, metadata: metadata, project: record?.project,
      labels: record?.labels,
      versions: ["reelwright": Version.current, "ffmpeg": Version.ffmpeg], createdAt: Date.now.formatted(.iso8601),
      watermarkId: watermark?.id ?? report.watermark?.id,
      watermarkKeyId: watermark?.keyId ?? report.watermark?.keyId, report: report)
    let text = String(decoding: try TaskCoding.encode(sidecar, pretty: true), as: UTF8.self) + "\n"
    try publish(name, sidecar: text)
    return digest
  }
}

/// The versions of this package and of what it runs on.
public enum Version {
  public static let current = "0.1.0"
  public static var ffmpeg: String { FFmpegLibraries.version }
}
