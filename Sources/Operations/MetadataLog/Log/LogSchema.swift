internal import Storage

/// The tables of this module. Their names begin with `log_`, `creator_` or `licence_`; jobs share the database.
enum LogSchema {
  static let module = "log"

  static let migrations = [
    Migration(1) { dialect in
      let blob = dialect.blobType
      // In SQLite only INTEGER makes the primary key the row's own number.
      let number = dialect == .sqlite ? "INTEGER" : "BIGINT"
      return [
        "CREATE TABLE log_state(name TEXT PRIMARY KEY, value TEXT NOT NULL)",
        "CREATE TABLE log_head(id \(number) PRIMARY KEY, sequence BIGINT NOT NULL, hash \(blob) NOT NULL, spooled BIGINT NOT NULL, mac \(blob) NOT NULL)",
        "CREATE TABLE log_keys(id \(number) PRIMARY KEY, project TEXT NOT NULL, retention TEXT NOT NULL, bucket BIGINT NOT NULL, wrapped \(blob) NOT NULL, UNIQUE(project, retention, bucket))",
        "CREATE TABLE log_events(sequence \(number) PRIMARY KEY, last_sequence BIGINT NOT NULL, time_us BIGINT, kind TEXT, retention TEXT, project TEXT, key_id BIGINT, sealed \(blob), previous_hash \(blob) NOT NULL, row_hash \(blob) NOT NULL, mac \(blob) NOT NULL)",
        "CREATE INDEX log_events_key ON log_events(key_id)",
        "CREATE TABLE log_outbox(sequence \(number) PRIMARY KEY, priority BIGINT NOT NULL, state BIGINT NOT NULL, reason TEXT)",
        "CREATE INDEX log_outbox_order ON log_outbox(state, sequence)",
        "CREATE INDEX log_outbox_priority ON log_outbox(priority, sequence)",
        "CREATE TABLE log_sent(id \(number) PRIMARY KEY, time_us BIGINT NOT NULL, origin TEXT NOT NULL, first_sequence BIGINT NOT NULL, last_sequence BIGINT NOT NULL, events BIGINT NOT NULL, bytes BIGINT NOT NULL, digest TEXT NOT NULL)",
        "CREATE TABLE log_holds(id \(number) PRIMARY KEY, project TEXT, retention TEXT, placed_us BIGINT NOT NULL, reason TEXT NOT NULL)",
        "CREATE TABLE log_destinations(origin TEXT NOT NULL, purpose TEXT NOT NULL, path TEXT NOT NULL, PRIMARY KEY(origin, purpose))",
        "CREATE TABLE log_usage(day BIGINT NOT NULL, project TEXT NOT NULL, jobs BIGINT NOT NULL, media_ms BIGINT NOT NULL, frames BIGINT NOT NULL, bytes BIGINT NOT NULL, PRIMARY KEY(day, project))",
        "CREATE TABLE log_erasures(project TEXT PRIMARY KEY, started_us BIGINT NOT NULL)",
        "CREATE TABLE creator_people(id TEXT PRIMARY KEY, enrolled_us BIGINT NOT NULL, withdrawn_us BIGINT)",
        "CREATE TABLE creator_marks(watermark TEXT PRIMARY KEY, creator TEXT NOT NULL, project TEXT NOT NULL, output TEXT, made_us BIGINT NOT NULL)",
        "CREATE INDEX creator_marks_creator ON creator_marks(creator)",
      ]
    },
    // Authentication codes of the rows beside the chain; see `GuardedTable`.
    Migration(2) { ["CREATE TABLE log_codes(place TEXT PRIMARY KEY, code \($0.blobType) NOT NULL)"] },
  ]
}

extension Transaction {
  /// A small setting of this module.
  func state(_ name: String) throws(StorageError) -> String? {
    try query("SELECT value FROM log_state WHERE name = $1", [.text(name)]).first?.text(0)
  }
}
