internal import Crypto
internal import FoundationEssentials
internal import Glibc
internal import Storage

/// A file that goes into an export beside the log: an output, a sidecar.
public struct ExportedFile: Sendable {
  /// The id or label that the export calls it by; unique in the export.
  public var name: String
  /// Where it is now.
  public var path: String

  public init(name: String, path: String) {
    self.name = name
    self.path = path
  }
}

/// `export.json`: what an export consists of.
struct ExportManifest: Codable {
  struct File: Codable {
    var name: String
    var file: String
    var sha256: String
    var bytes: Int64
  }
  var schema: Int
  var installation: String
  /// The only project whose events are in it; nil when all are.
  var project: String?
  var lastSequence: Int64
  /// The chain's end, 64 hexadecimal digits.
  var hash: String
  var events: File
  var media: [File]
}

/// What an export holds.
public struct ExportSummary: Hashable, Sendable {
  /// Events, with all that they say.
  public var events: Int64 = 0
  /// Events of which only the hash is there: purged, erased, or of another project.
  public var hashes: Int64 = 0
  /// Files beside the log.
  public var media = 0
  /// The only project whose events are in it; nil when all are.
  public var project: String?
}

/// One line of `events.jsonl`: an entry, or a run of entries that are gone or of another project.
struct ExportLine: Codable {
  var sequence: Int64
  var lastSequence: Int64?
  var timeMicroseconds: Int64?
  var kind: String?
  var project: String?
  var fields: [String: JSONScalar]?
  var salt: String?
  var previousHash: String?
  var hash: String
}

extension MetadataLog {
  /// Writes the whole log, and the given files, into a new folder: `export.json`, `events.jsonl` and `media/`.
  ///
  /// The format is portable: JSON by the schemas of `LogSchemaDocuments`, each file with its SHA-256. It holds no key and
  /// no time of export, so that the same log exports to the same bytes. The folder has mode 0700, the files 0600.
  /// - Parameter project: only the events of this project; of the others the hash alone is written, as of those that are
  ///   gone, so that the chain can still be checked. Default nil: all. Throws `missing` when it has no event.
  @discardableResult
  public func export(to folder: String, project: String? = nil, media: [ExportedFile] = []) throws -> ExportSummary {
    if let project, try database.read({ try $0.query("SELECT 1 FROM log_events WHERE project = $1 LIMIT 1", [.text(project)]) }).isEmpty {
      throw MetadataLogError(
        .missing, "cannot export to \(folder)", reason: "the log has no event of the project '\(project)'",
        advice: "reel log list shows the events")
    }
    for item in media where access(item.path, R_OK) != 0 {
      throw MetadataLogError(
        .missing, "cannot export \(item.path)", reason: String(cString: strerror(errno)),
        advice: "nothing was exported; name files that are there")
    }
    guard mkdir(folder, 0o700) == 0 else {
      let code = errno
      throw MetadataLogError(
        code == ENOSPC || code == EIO || code == EDQUOT ? .io : .exists, "cannot export to \(folder)",
        reason: String(cString: strerror(code)),
        advice: code == EEXIST ? "name a new folder" : code == ENOENT ? "make the folder above it first" : nil)
    }
    do {
      return try fill(folder, project, media)
    } catch {
      // The folder is this call's own: an export is whole or not there.
      try? FileManager.default.removeItem(atPath: folder)
      throw error
    }
  }

  private func fill(_ folder: String, _ project: String?, _ media: [ExportedFile]) throws -> ExportSummary {
    chmod(folder, 0o700)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let file = try PrivateFile("\(folder)/events.jsonl")
    var summary = ExportSummary(media: media.count, project: project)
    let head = try database.read { transaction in
      let head = try LogHead.read(transaction, keys: keys)
      try forEachLine(transaction, project) { line in
        if line.kind == nil { summary.hashes += (line.lastSequence ?? line.sequence) - line.sequence + 1 } else { summary.events += 1 }
        try file.write(Array(try encoder.encode(line)))
        try file.write("\n")
      }
      return head
    }
    let digest = try file.finish()
    var files: [ExportManifest.File] = []
    if !media.isEmpty, mkdir("\(folder)/media", 0o700) != 0 {
      throw MetadataLogError(.io, "cannot export to \(folder)", reason: String(cString: strerror(errno)))
    }
    for (index, item) in media.enumerated() {
      let name = "media/\(index + 1)" + Self.fileExtension(item.path)
      let (sha256, bytes) = try copy(item.path, to: "\(folder)/\(name)")
      files.append(.init(name: item.name, file: name, sha256: sha256.hex, bytes: bytes))
    }
    let manifest = ExportManifest(
      schema: 1, installation: installation, project: project, lastSequence: head.sequence, hash: Hex.encode(head.hash),
      events: .init(name: "events", file: "events.jsonl", sha256: digest.hex, bytes: file.byteCount), media: files)
    encoder.outputFormatting.insert(.prettyPrinted)
    let last = try PrivateFile("\(folder)/export.json")
    try last.write(Array(try encoder.encode(manifest)) + [10])
    _ = try last.finish()
    return summary
  }

  private func forEachLine(_ transaction: any Transaction, _ project: String?, _ body: (ExportLine) throws -> Void) throws {
    let wrapped = WrappedKeys(transaction)
    var next: Int64 = 1
    // Neighbours of which only hashes are written become one line.
    var gap: ExportLine?
    func close() throws {
      if let line = gap { try body(line) }
      gap = nil
    }
    while true {
      let rows = try transaction.query(
        """
        SELECT \(Self.entryColumns), last_sequence, previous_hash, row_hash FROM log_events
        WHERE sequence >= $1 ORDER BY sequence LIMIT 1000
        """, [.integer(next)])
      guard let end = rows.last?.integer(6) else { return try close() }
      for row in rows {
        let hash = Hex.encode(row.blob(8) ?? [])
        if row.text(2) == nil || project.map({ $0 != row.text(3) }) ?? false {
          if gap != nil {
            gap?.lastSequence = row.integer(6)
            gap?.hash = hash
          } else {
            gap = ExportLine(
              sequence: row.integer(0) ?? 0, lastSequence: row.integer(6), previousHash: Hex.encode(row.blob(7) ?? []), hash: hash)
          }
        } else {
          try close()
          let entry = try self.entry(row, wrapped)
          try body(
            ExportLine(
              sequence: entry.sequence, timeMicroseconds: entry.timeMicroseconds, kind: entry.event.kind.rawValue,
              project: entry.event.project,
              fields: Dictionary(uniqueKeysWithValues: entry.event.fields.map { ($0.key.rawValue, JSONScalar($0.value)) }),
              salt: Hex.encode(entry.salt), hash: hash))
        }
      }
      next = end + 1
    }
  }

  private static func fileExtension(_ path: String) -> String {
    let name = path.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
    let text = name[dot...]
    return text.utf8.count <= 8 && text.dropFirst().allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) } ? text.lowercased() : ""
  }

  private func copy(_ path: String, to target: String) throws -> (SHA256Digest, Int64) {
    let source = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard source >= 0 else { throw MetadataLogError(.missing, "cannot export \(path)", reason: String(cString: strerror(errno))) }
    defer { close(source) }
    let file = try PrivateFile(target)
    var portion = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = portion.withUnsafeMutableBytes { Glibc.read(source, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw MetadataLogError(.io, "cannot export \(path)", reason: String(cString: strerror(errno))) }
      if count == 0 { break }
      try file.write(Array(portion[0..<count]))
    }
    let digest = try file.finish()
    return (digest, file.byteCount)
  }
}

extension JSONScalar {
  init(_ value: EventValue) { self.value = value }
}
