import Storage

/// The tables of jobs. Times are microseconds since 1970; states and requests the raw values of their enums.
enum JobsSchema {
  static let module = "jobs"

  static let migrations = [
    Migration(1) { dialect in
      let identity = dialect == .sqlite ? "INTEGER PRIMARY KEY AUTOINCREMENT" : "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
      return [
        """
        CREATE TABLE job(
          id \(identity),
          kind TEXT NOT NULL, payload \(dialect.blobType) NOT NULL, name TEXT, project TEXT NOT NULL,
          inputs TEXT NOT NULL, outputs TEXT NOT NULL, labels TEXT NOT NULL, overwrite BIGINT NOT NULL,
          class TEXT NOT NULL, priority BIGINT NOT NULL, unique_key TEXT, not_before BIGINT, timeout DOUBLE PRECISION NOT NULL,
          retry_attempts BIGINT NOT NULL, retry_base DOUBLE PRECISION NOT NULL, retry_cap DOUBLE PRECISION NOT NULL,
          crash_limit BIGINT NOT NULL,
          state BIGINT NOT NULL, request BIGINT NOT NULL DEFAULT 0, due_at BIGINT NOT NULL, waiting BIGINT NOT NULL DEFAULT 0,
          attempt BIGINT NOT NULL DEFAULT 0, crash_count BIGINT NOT NULL DEFAULT 0,
          worker BIGINT NOT NULL DEFAULT 0, token BIGINT NOT NULL DEFAULT 0,
          created_at BIGINT NOT NULL, started_at BIGINT, finished_at BIGINT,
          progress DOUBLE PRECISION, eta DOUBLE PRECISION, stage TEXT,
          checkpoint \(dialect.blobType), result \(dialect.blobType),
          error_code TEXT, error TEXT, error_retriable BIGINT, error_status BIGINT)
        """,
        // The claim reads the head of this index, whatever the length of the queue.
        "CREATE INDEX job_claim ON job(class, priority DESC, id) WHERE state = 0",
        "CREATE INDEX job_due ON job(due_at) WHERE state IN (1, 4) AND waiting = 0",
        "CREATE INDEX job_running ON job(worker) WHERE state = 2",
        "CREATE INDEX job_project ON job(project)",
        "CREATE INDEX job_finished ON job(finished_at) WHERE state >= 5",
        "CREATE UNIQUE INDEX job_unique ON job(unique_key) WHERE unique_key IS NOT NULL AND state < 5",
        "CREATE TABLE job_dependency(job BIGINT NOT NULL, requires BIGINT NOT NULL, PRIMARY KEY(requires, job))",
        "CREATE INDEX job_dependency_job ON job_dependency(job)",
        // What an attempt is about to publish, or has published: a restarted job recognises its own output by it.
        """
        CREATE TABLE job_output(
          job BIGINT NOT NULL, token BIGINT NOT NULL, name TEXT NOT NULL, path TEXT NOT NULL,
          sha256 TEXT NOT NULL, bytes BIGINT NOT NULL, sidecar TEXT, result \(dialect.blobType),
          PRIMARY KEY(job, token, name))
        """,
        "CREATE TABLE job_worker(id BIGINT PRIMARY KEY, name TEXT NOT NULL, started_at BIGINT NOT NULL, beat BIGINT NOT NULL)",
        """
        CREATE TABLE job_schedule(
          name TEXT PRIMARY KEY, cron TEXT NOT NULL, spec TEXT NOT NULL, next_at BIGINT NOT NULL, last_job BIGINT)
        """,
      ]
    }
  ]
}
