internal import Crypto
internal import FoundationEssentials
internal import Storage

extension MetadataLog {
  /// Takes over the log of an export, into a log that has no events yet: entries, gaps, numbers and installation id stay
  /// what they were; payloads are sealed under this installation's keys. All or nothing.
  ///
  /// An export of one project is taken over too: what it holds of the others is their hashes, as of events that are gone.
  ///
  /// Throws `missing` when there is no export in the folder; `damaged`, naming the line, when a hash does not fit; `exists`
  /// when this log has events. Nothing is sent again: the outbox stays empty.
  /// - Returns: The opened log with its new installation id, how many lines came, and what the export holds.
  public func importing(from folder: String) throws -> (log: MetadataLog, entries: Int, summary: ExportSummary) {
    func damaged(_ reason: String) -> MetadataLogError {
      MetadataLogError(.damaged, "cannot import \(folder)", reason: reason, advice: "nothing was imported; use another copy of the export")
    }
    func content(_ name: String) throws(MetadataLogError) -> [UInt8] {
      do throws(MetadataLogError) {
        return try PrivateFile.read("\(folder)/\(name)")
      } catch {
        throw MetadataLogError(
          error.code, "cannot import \(folder)", reason: "\(name): \(error.reason)", advice: "name a folder that reel log export wrote")
      }
    }
    let decoder = JSONDecoder()
    let described = Data(try content("export.json"))
    guard let manifest = try? decoder.decode(ExportManifest.self, from: described) else {
      throw damaged("export.json is not an export's manifest")
    }
    guard manifest.schema == 1 else { throw damaged("schema \(manifest.schema) is not known") }
    guard manifest.installation.utf8.count == 32, Hex.decode(manifest.installation) != nil else {
      throw damaged("the installation id is malformed")
    }
    guard manifest.events.file == "events.jsonl" else { throw damaged("it names another events file") }
    let bytes = try content("events.jsonl")
    guard SHA256.digest(of: bytes).hex == manifest.events.sha256 else {
      throw damaged("events.jsonl has another hash than export.json says")
    }
    let lines = bytes.split(separator: 10)
    var summary = ExportSummary(media: manifest.media.count, project: manifest.project)
    try database.write { transaction in
      var head = try LogHead.read(transaction, keys: keys, locking: true)
      guard head.sequence == 0 else {
        throw MetadataLogError(
          .exists, "cannot import \(folder)", reason: "this log has events, \(head.sequence) so far", advice: "import into a new store")
      }
      for (index, text) in lines.enumerated() {
        guard let line = try? decoder.decode(ExportLine.self, from: Data(text)), line.sequence == head.sequence + 1,
          try take(line, head: &head, in: transaction), Hex.encode(head.hash) == line.hash
        else { throw damaged("line \(index + 1) of events.jsonl is malformed or was changed") }
        if line.kind != nil { summary.events += 1 }
      }
      guard head.sequence == manifest.lastSequence, Hex.encode(head.hash) == manifest.hash else {
        throw damaged("the chain's end is missing")
      }
      try head.write(transaction, keys: keys)
      try keys.setState("installation", manifest.installation, in: transaction)
    }
    let log = try MetadataLog(database: database, masterKey: master, configuration: configuration, clock: clock)
    summary.hashes = manifest.lastSequence - summary.events
    return (log, lines.count, summary)
  }

  private func take(_ line: ExportLine, head: inout LogHead, in transaction: any Transaction) throws -> Bool {
    guard let kindName = line.kind else {
      guard let last = line.lastSequence, last >= line.sequence, let previous = line.previousHash.flatMap({ Hex.decode($0) }),
        previous == head.hash, let hash = Hex.decode(line.hash), hash.count == 32
      else { return false }
      try insert(Tombstone(first: line.sequence, last: last, previous: previous, hash: hash), in: transaction)
      head.sequence = last
      head.hash = hash
      return true
    }
    guard let kind = EventKind(rawValue: kindName), let project = line.project, let time = line.timeMicroseconds, let fields = line.fields,
      let salt = line.salt.flatMap({ Hex.decode($0) }), salt.count == 16
    else { return false }
    var event = LogEvent(kind, project: project)
    for (name, scalar) in fields {
      guard let field = EventField(rawValue: name) else { return false }
      event.fields[field] = scalar.value
    }
    try event.validate()
    try insert(LogEntry(sequence: line.sequence, timeMicroseconds: time, event: event, salt: salt), head: &head, in: transaction)
    return true
  }
}
