/// One step of a module's schema. Steps are numbered 1, 2, 3 … and never change once released.
public struct Migration: Sendable {
  public let version: Int
  /// The statements of this step, one SQL statement each.
  public let statements: @Sendable (Dialect) -> [String]

  public init(_ version: Int, _ statements: @escaping @Sendable (Dialect) -> [String]) {
    self.version = version
    self.statements = statements
  }
}

extension Database {
  /// Brings the tables of `module` to the newest of `migrations`, in one transaction; does nothing when they are there.
  ///
  /// The versions stand in the table `schema_version`. Several processes may call this at once.
  /// - Throws: `newerSchema` when the database was written by a version that knows more steps than `migrations`.
  public func migrate(module: String, _ migrations: [Migration]) throws {
    precondition(migrations.enumerated().allSatisfy { $0.element.version == $0.offset + 1 }, "steps are numbered 1, 2, 3 …")
    if try schemaVersion(of: module) == migrations.count { return }
    try write { transaction in
      if transaction.dialect == .postgresql {
        // CREATE TABLE IF NOT EXISTS is not safe against itself; the lock vanishes with the transaction.
        _ = try transaction.query("SELECT pg_advisory_xact_lock(7355608)")
      }
      try transaction.execute("CREATE TABLE IF NOT EXISTS schema_version(module TEXT PRIMARY KEY, version BIGINT NOT NULL)")
      let found = Int(try transaction.integer("SELECT version FROM schema_version WHERE module = $1", [.text(module)]) ?? 0)
      guard found <= migrations.count else { throw otherSchema(module, found: found, known: migrations.count) }
      for migration in migrations.dropFirst(found) {
        for statement in migration.statements(transaction.dialect) { try transaction.execute(statement) }
      }
      try transaction.execute(
        "INSERT INTO schema_version(module, version) VALUES ($1, $2) ON CONFLICT(module) DO UPDATE SET version = excluded.version",
        [.text(module), .integer(migrations.count)])
    }
  }

  /// Whether the tables of `module` are here as `migrations` leave them: for whoever reads and must not change the schema.
  ///
  /// - Returns: false when there are none.
  /// - Throws: `newerSchema`, and `olderSchema` when they would have to be migrated first.
  public func hasSchema(module: String, _ migrations: [Migration]) throws -> Bool {
    let found = try schemaVersion(of: module)
    guard found == 0 || found == migrations.count else { throw otherSchema(module, found: found, known: migrations.count) }
    return found > 0
  }

  /// Whether no module has tables here. Throws `denied` where that cannot be told, for want of rights on a server's schema.
  public func isEmpty() throws -> Bool { try read { try !$0.hasVersions() } }

  /// The schema version of `module`; 0 when it has no tables here yet.
  public func schemaVersion(of module: String) throws -> Int {
    try read { transaction in
      guard try transaction.hasVersions() else { return 0 }
      return Int(try transaction.integer("SELECT version FROM schema_version WHERE module = $1", [.text(module)]) ?? 0)
    }
  }

  private func otherSchema(_ module: String, found: Int, known: Int) -> StorageError {
    let isOlder = found < known
    return StorageError(
      isOlder ? .olderSchema : .newerSchema, "cannot use the store", path: displayName,
      reason: "its \(module) tables have schema version \(found); this reel knows \(known)",
      advice: isOlder ? "reading does not change them; reel worker updates them when it starts" : "update reel")
  }
}

extension Transaction {
  /// Throws `denied` for a schema that this role may not look into, of which the server says what it says of an empty one.
  private func checkUsage() throws(StorageError) {
    let hidden = try query(
      """
      SELECT nspname FROM pg_catalog.pg_namespace \
      WHERE nspname = current_setting('search_path') AND NOT has_schema_privilege(oid, 'USAGE')
      """)
    guard let name = hidden.first?.text(0) else { return }
    throw StorageError(
      .denied, "cannot look into the store", reason: "this role has no right to use the schema \(name)",
      advice: "GRANT USAGE ON SCHEMA \(name) and SELECT on its tables")
  }

  /// Whether the table of schema versions is there.
  fileprivate func hasVersions() throws(StorageError) -> Bool {
    switch dialect {
    case .sqlite: return try integer("SELECT count(*) FROM sqlite_master WHERE name = 'schema_version'") == 1
    case .postgresql:
      if try integer("SELECT count(*) FROM pg_catalog.pg_class WHERE oid = to_regclass('schema_version')") == 1 { return true }
      try checkUsage()
      return false
    }
  }
}
