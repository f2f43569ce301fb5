public import Crypto
internal import Storage

/// Who stands behind a watermark: creators who have enrolled, the random id of each of their outputs, and nothing else.
///
/// An id says nothing by itself; the registry alone joins it to a creator, and only as long as the creator agrees.
public struct CreatorRegistry: Sendable {
  /// A creator and whether they agree.
  public struct Creator: Hashable, Sendable {
    /// An opaque id: 1 to 64 of `A-Z a-z 0-9 -`.
    public var id: String
    /// Microseconds since 1970.
    public var enrolledMicroseconds: Int64
    /// nil as long as they agree.
    public var withdrawnMicroseconds: Int64?
    /// How many outputs carry an id of theirs.
    public var marks: Int64
  }

  /// A watermark id of an output.
  public struct Mark: Hashable, Sendable {
    /// 64 bits, as 16 hexadecimal digits.
    public var watermark: String
    public var creator: String
    public var project: String
    /// SHA-256 of the output, 64 hexadecimal digits; nil until it was published.
    public var output: String?
    public var madeMicroseconds: Int64
  }

  private let log: MetadataLog

  public init(_ log: MetadataLog) { self.log = log }

  /// Enrols a creator, with their consent; again after a withdrawal, if they wish.
  public func enrol(_ creator: String, project: String = "default") throws {
    guard EventFieldType.isIdentifier(creator) else {
      throw MetadataLogError(
        .usage, "cannot enrol a creator", reason: "an id has 1 to 64 of A-Z a-z 0-9 and -", advice: "use an opaque id, not a name")
    }
    try log.database.write { transaction in
      let found = try transaction.query("SELECT withdrawn_us FROM creator_people WHERE id = $1", [.text(creator)]).first
      if let found, found[0] == .null {
        throw MetadataLogError(.exists, "cannot enrol \(creator)", reason: "this creator is enrolled")
      }
      try transaction.execute(
        """
        INSERT INTO creator_people(id, enrolled_us) VALUES ($1, $2)
        ON CONFLICT(id) DO UPDATE SET enrolled_us = excluded.enrolled_us, withdrawn_us = NULL
        """, [.text(creator), .integer(log.now())])
      try log.keys.guardRow(.people, [.text(creator)], in: transaction)
      try log.append(LogEvent(.creatorEnrolled, project: project, [.creator: .text(creator)]), in: transaction)
    }
  }

  /// Ends a creator's consent: no new mark, and no report of a detection of the old ones.
  public func withdraw(_ creator: String, project: String = "default") throws {
    try log.database.write { transaction in
      let changed = try transaction.execute(
        "UPDATE creator_people SET withdrawn_us = $2 WHERE id = $1 AND withdrawn_us IS NULL", [.text(creator), .integer(log.now())])
      guard changed == 1 else { throw MetadataLogError(.missing, "cannot withdraw \(creator)", reason: "no such creator is enrolled") }
      try log.keys.guardRow(.people, [.text(creator)], in: transaction)
      try log.append(LogEvent(.creatorWithdrawn, project: project, [.creator: .text(creator)]), in: transaction)
    }
  }

  /// The creators, in order of their ids.
  /// - Parameter project: only those with a mark of this project, and those marks alone are counted. Default nil: all.
  public func creators(project: String? = nil) throws -> [Creator] {
    try log.database.read { transaction in
      try transaction.query(
        """
        SELECT * FROM (SELECT p.id AS id, p.enrolled_us, p.withdrawn_us, (SELECT count(*) FROM creator_marks m \
        WHERE m.creator = p.id AND (CAST($1 AS TEXT) IS NULL OR m.project = $1)) AS marks FROM creator_people p) AS people
        WHERE marks > 0 OR CAST($1 AS TEXT) IS NULL ORDER BY id
        """, [.text(project)]
      ).compactMap { row in
        guard let id = row.text(0), let enrolled = row.integer(1) else { return nil }
        return Creator(id: id, enrolledMicroseconds: enrolled, withdrawnMicroseconds: row.integer(2), marks: row.integer(3) ?? 0)
      }
    }
  }

  /// A new random watermark id for an output of `creator`: 64 bits, never given before. Throws `refused` when the
  /// creator is not enrolled or has withdrawn: then nothing may be marked.
  public func makeMark(for creator: String, project: String = "default", job: String? = nil) throws -> UInt64 {
    try log.database.write { transaction in
      let found = try transaction.query("SELECT withdrawn_us FROM creator_people WHERE id = $1", [.text(creator)]).first
      guard let found, found[0] == .null else {
        throw MetadataLogError(
          .refused, "cannot mark an output of \(creator)", reason: "this creator is not enrolled", advice: "run reel creators enrol")
      }
      while true {
        let id = SecureRandom.uint64()
        let inserted = try transaction.execute(
          "INSERT INTO creator_marks(watermark, creator, project, made_us) VALUES ($1, $2, $3, $4) ON CONFLICT(watermark) DO NOTHING",
          [.text(Self.text(id)), .text(creator), .text(project), .integer(log.now())])
        guard inserted == 1 else { continue }
        try log.keys.guardRow(.marks, [.text(Self.text(id))], in: transaction)
        var event = LogEvent(.creatorMarked, project: project, [.creator: .text(creator), .watermark: .text(Self.text(id))])
        if let job { event.fields[.job] = .text(job) }
        try log.append(event, in: transaction)
        return id
      }
    }
  }

  /// Joins a mark to the output that carries it. Throws `missing` for an id that was never given.
  public func bind(_ watermark: UInt64, output: SHA256Digest) throws {
    let changed = try log.database.write { transaction in
      let changed = try transaction.execute(
        "UPDATE creator_marks SET output = $2 WHERE watermark = $1", [.text(Self.text(watermark)), .text(output.hex)])
      if changed == 1 { try log.keys.guardRow(.marks, [.text(Self.text(watermark))], in: transaction) }
      return changed
    }
    guard changed == 1 else {
      throw MetadataLogError(.missing, "cannot bind an output", reason: "the id \(Self.text(watermark)) was never given")
    }
  }

  /// Whose mark an id is; nil when it was never given, or when the creator has withdrawn.
  public func who(_ watermark: UInt64) throws -> Mark? {
    try marks("AND m.watermark = $1", [.text(Self.text(watermark))]).first
  }

  /// The marks of creators who agree, oldest first: the registry that a detection may be held against.
  /// - Parameter project: only those of this project. Default nil: all.
  public func marks(project: String? = nil) throws -> [Mark] {
    try marks(project == nil ? "" : "AND m.project = $1", project.map { [.text($0)] } ?? [])
  }

  /// Logs a detection: the id and its certainty, nothing of where it was seen. Returns false, and logs nothing, when the
  /// id is not in the registry or its creator has withdrawn.
  /// - Parameters:
  ///   - confidence: the detector's z, times 1000.
  ///   - log10FalsePositive: the bound on the chance of a false positive, as 1000 times its decimal logarithm.
  @discardableResult
  public func recordDetection(_ watermark: UInt64, confidence: Int64, log10FalsePositive: Int64) throws -> Bool {
    guard let mark = try who(watermark) else { return false }
    try log.append(
      LogEvent(
        .watermarkDetected, project: mark.project,
        [.watermark: .text(mark.watermark), .confidence: .integer(confidence), .log10FalsePositive: .integer(log10FalsePositive)]))
    return true
  }

  private func marks(_ condition: String, _ values: [SQLValue]) throws -> [Mark] {
    try log.database.read { transaction in
      try transaction.query(
        """
        SELECT m.watermark, m.creator, m.project, m.output, m.made_us FROM creator_marks m
        JOIN creator_people p ON p.id = m.creator WHERE p.withdrawn_us IS NULL \(condition) ORDER BY m.made_us, m.watermark
        """, values
      ).compactMap { row in
        guard let watermark = row.text(0), let creator = row.text(1), let project = row.text(2), let made = row.integer(4) else {
          return nil
        }
        return Mark(watermark: watermark, creator: creator, project: project, output: row.text(3), madeMicroseconds: made)
      }
    }
  }

  /// An id as it is written: 16 hexadecimal digits.
  public static func text(_ watermark: UInt64) -> String {
    let digits = String(watermark, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
