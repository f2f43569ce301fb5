import DatabaseTestSupport
import Foundation
import LoopbackServer
import TestSupport
import Testing

/// `reel log`, `jobs`, `creators` and `cloud`: what they touch, and what they leave alone.
@Suite("Commands of the store")
struct StoreCommandTests {
  /// A store with finished jobs of two projects, made without media: outputs come from `reel worker` and a still.
  private final class Office {
    let scratch: Scratch
    let environment: [String: String]

    init() throws {
      scratch = try Scratch()
      environment = ["HOME": scratch.folder, "XDG_STATE_HOME": scratch.path("state"), "XDG_CACHE_HOME": scratch.path("cache")]
    }

    func reel(_ arguments: String...) throws -> Tool.Outcome { try ReelProgram.run(arguments, environment: environment) }

    func json(_ arguments: String...) throws -> [String: Any] {
      let outcome = try ReelProgram.run(arguments + ["--json"], environment: environment)
      #expect(outcome.status == 0, "\(arguments) \(outcome.errors)")
      return try ReelProgram.json(outcome)
    }

    /// One finished video for each project.
    func publish(_ projects: String...) throws {
      let clip = try scratch.clip("a.mp4", seconds: 0.2, size: "64x64", rate: 10)
      let jobs = projects.map { project in
        """
        {"kind": "encode", "inputs": {"input": "\(clip)"}, "outputs": {"output": "\(scratch.path(project + ".mp4"))"},
         "payload": {"speed": "ultrafast"}, "project": "\(project)", "labels": {"k": "one"}}
        """
      }
      try scratch.write("[\(jobs.joined(separator: ","))]", to: "jobs.json")
      #expect(try reel("jobs", "submit", scratch.path("jobs.json")).status == 0)
      let worker = try reel("worker", "--drain", "--isolation", "none")
      #expect(worker.status == 0, "\(worker.errors)")
      for project in projects { #expect(scratch.exists(project + ".mp4") && scratch.exists(project + ".mp4.sidecar.json")) }
    }
  }

  private func projects(_ document: [String: Any]) -> Set<String> {
    Set((document["events"] as? [[String: Any]] ?? []).compactMap { $0["project"] as? String })
  }

  @Test("a hold keeps jobs, videos and events from an erasure; without it all go, are counted, and help says so")
  func erasure() throws {
    let office = try Office()
    try office.publish("free", "held")
    #expect(try office.reel("log", "hold", "--reason", "case42", "--project", "held").status == 0)
    var report = try office.json("log", "erase", "--project", "held")
    #expect(report["erased"] as? Int == 0 && report["erasedJobs"] as? Int == 0 && report["erasedFiles"] as? Int == 0, "\(report)")
    #expect(try #require(report["held"] as? Int) > 0 && report["heldJobs"] as? Int == 1 && report["heldFiles"] as? Int == 2, "\(report)")
    #expect(office.scratch.exists("held.mp4") && office.scratch.exists("held.mp4.sidecar.json"))
    #expect(try office.reel("jobs", "show", "2").status == 0)

    let text = try office.reel("log", "erase", "--project", "free")
    #expect(text.status == 0 && text.output.contains("1 job and 2 files erased"), "\(text.output) \(text.errors)")
    #expect(!office.scratch.exists("free.mp4") && !office.scratch.exists("free.mp4.sidecar.json"))
    #expect(try office.reel("jobs", "show", "1").status == 66)
    #expect(office.scratch.exists("held.mp4") && office.scratch.exists("a.mp4"))

    #expect(try office.reel("log", "hold", "--release", "1").status == 0)
    report = try office.json("log", "erase", "--project", "held")
    #expect(report["erasedJobs"] as? Int == 1 && report["erasedFiles"] as? Int == 2 && report["heldFiles"] as? Int == 0, "\(report)")
    #expect(!office.scratch.exists("held.mp4"))
    #expect(try office.reel("log", "verify").status == 0)
    let help = try office.reel("help", "log", "erase").output
    #expect(help.contains("finished videos") && help.contains("legal hold"))
  }

  @Test("a filter is honoured or is no option: nothing wider than what was asked is erased, exported or listed")
  func filters() throws {
    let office = try Office()
    try office.publish("pa", "pb")
    let refused = try office.reel("log", "erase", "--project", "pa", "--label", "k=one")
    #expect(refused.status == 64 && refused.errors.contains("--label"), "\(refused.errors)")
    #expect(office.scratch.exists("pa.mp4"))
    for words in [
      ["log", "list"], ["log", "verify"], ["log", "purge"], ["log", "export", office.scratch.path("x")], ["log", "import", "x"],
      ["creators", "list"], ["cloud", "status"], ["licence", "status"],
    ] {
      #expect(try ReelProgram.run(words + ["--label", "k=one"], environment: office.environment).status == 64, "\(words)")
    }
    for words in [["log", "verify"], ["log", "purge"], ["cloud", "send"], ["licence", "status"]] {
      #expect(try ReelProgram.run(words + ["--project", "pa"], environment: office.environment).status == 64, "\(words)")
    }
    #expect(try (office.json("jobs", "list", "--label", "k=two")["jobs"] as? [Any])?.isEmpty == true)
    #expect(projects(try office.json("log", "list", "--project", "pb")) == ["pb"])

    let folder = office.scratch.path("export")
    let summary = try office.json("log", "export", folder, "--project", "pb")
    #expect(summary["project"] as? String == "pb" && summary["folder"] as? String == folder)
    let lines = String(decoding: Tool.bytes(of: folder + "/events.jsonl"), as: UTF8.self)
    #expect(lines.contains("\"project\":\"pb\"") && !lines.contains("\"pa\"") && !lines.contains("\"default\""), "\(lines)")
    #expect(try office.reel("log", "export", office.scratch.path("none"), "--project", "px").status == 66)
    #expect(!office.scratch.exists("none"))
    // Another store takes it over, checks the chain and holds that project only.
    let other = office.scratch.path("other.sqlite")
    let imported = try office.reel("log", "import", folder, "--store", other)
    #expect(imported.status == 0 && imported.output.contains("of the project pb"), "\(imported.output) \(imported.errors)")
    #expect(try office.reel("log", "verify", "--store", other).status == 0)
    #expect(projects(try office.json("log", "list", "--store", other)) == ["pb"])
  }

  @Test("a damaged or missing export is one line that says what to do, and imports nothing")
  func importing() throws {
    let office = try Office()
    #expect(try office.reel("creators", "enrol", "c-1").status == 0)
    let folder = office.scratch.path("export")
    #expect(try office.reel("log", "export", folder).status == 0)
    let file = URL(fileURLWithPath: folder + "/events.jsonl")
    try Data(String(decoding: Data(contentsOf: file), as: UTF8.self).replacing("c-1", with: "c-2").utf8).write(to: file)
    let store = office.scratch.path("other.sqlite")
    for (path, status) in [(folder, 65), (office.scratch.path("nothing"), 66)] as [(String, Int32)] {
      let outcome = try office.reel("log", "import", path, "--store", store, "--json")
      #expect(outcome.status == status, "\(outcome.errors)")
      #expect(outcome.errors.split(separator: "\n").count == 1 && outcome.errors.contains("(") && outcome.errors.contains(path))
      #expect(try ReelProgram.json(outcome)["error"] != nil)
    }
    #expect(try (office.json("log", "list", "--store", store)["events"] as? [Any])?.isEmpty == true)
  }

  @Test("what reads or controls makes nothing: no store there is 66, the default one is empty; a missing folder is 73")
  func noStore() throws {
    let office = try Office()
    let store = office.scratch.path("none/jobs.sqlite")
    let reading = [
      ["log", "list"], ["log", "verify"], ["log", "purge"], ["log", "hold"], ["log", "erase", "--project", "p"],
      ["creators", "list"], ["creators", "who", "1"], ["jobs", "list"], ["jobs", "watch"], ["jobs", "schedules"], ["jobs", "show", "1"],
      ["jobs", "cancel", "1"], ["cloud", "status"],
    ]
    for words in reading {
      let outcome = try ReelProgram.run(words + ["--store", store], environment: office.environment)
      #expect(outcome.status == 66 && outcome.errors.contains("no store there"), "\(words) \(outcome.errors)")
      let plain = try ReelProgram.run(words, environment: office.environment)
      #expect(plain.status == (words.contains("1") ? 66 : 0), "\(words) \(plain.errors)")
    }
    let made = try office.reel("creators", "enrol", "c-1", "--store", store)
    #expect(made.status == 73 && made.errors.contains("none"), "\(made.errors)")
    #expect(office.scratch.names == [])
    #expect(try office.json("creators", "enrol", "c-1", "--store", office.scratch.path("s.sqlite"))["enrolled"] as? Bool == true)
    #expect(office.scratch.exists("s.sqlite"))
    #expect(try office.json("creators", "withdraw", "c-1", "--store", office.scratch.path("s.sqlite"))["enrolled"] as? Bool == false)
    // Without its key the log is not touched, and no other key is made.
    try FileManager.default.removeItem(atPath: office.scratch.path("log.key"))
    let locked = try office.reel("log", "list", "--store", office.scratch.path("s.sqlite"))
    #expect(locked.status == 78 && locked.errors.contains("log.key is missing"), "\(locked.errors)")
    #expect(!office.scratch.exists("log.key"))
    // Nor when the end of the log is lost; and where no log was begun, there is nothing to read.
    _ = try schema(office.scratch.path("s.sqlite"), "DELETE FROM log_head")
    #expect(try office.reel("log", "list", "--store", office.scratch.path("s.sqlite")).status == 78)
    _ = try schema(office.scratch.path("s.sqlite"), "DELETE FROM log_state")
    #expect(try (office.json("log", "list", "--store", office.scratch.path("s.sqlite"))["events"] as? [Any])?.isEmpty == true)
    #expect(!office.scratch.exists("log.key"))
  }

  @Test("a database of another program and an empty file are 66, and stay as they are, with nothing beside them")
  func foreignStore() throws {
    let office = try Office()
    let script = """
      import os, sqlite3, sys
      for name, journal in (("plain", "delete"), ("wal", "wal"), ("used", "wal")):
          store = sqlite3.connect(f"{sys.argv[1]}/{name}.sqlite")
          store.execute(f"PRAGMA journal_mode = {journal}")
          store.execute("CREATE TABLE schema_version(version INTEGER, note TEXT)")
          store.execute("INSERT INTO schema_version VALUES (1, 'first')")
          store.commit()
          if name != "used": store.close()
      open(f"{sys.argv[1]}/empty.sqlite", "w").close()
      for name in os.listdir(sys.argv[1]): os.chmod(f"{sys.argv[1]}/{name}", 0o644)
      os._exit(0)
      """
    #expect(try Tool.run("python3", ["-c", script, office.scratch.folder]).status == 0)
    func files() throws -> [String: String] {
      var found: [String: String] = [:]
      // The index of a WAL is nobody's data: whoever reads writes marks into it.
      for name in office.scratch.names where !name.hasSuffix("-shm") {
        let mode = try FileManager.default.attributesOfItem(atPath: office.scratch.path(name))[.posixPermissions] as? Int
        found[name] = "\(mode ?? 0) \(Tool.bytes(of: office.scratch.path(name)))"
      }
      return found
    }
    let before = try files()
    #expect(before.count >= 5)
    let names = office.scratch.names
    for name in ["plain", "wal", "used", "empty"] {
      for words in [["jobs", "list"], ["jobs", "cancel", "1"], ["log", "list"], ["cloud", "status"], ["log", "purge"]] {
        let outcome = try ReelProgram.run(words + ["--store", office.scratch.path(name + ".sqlite")], environment: office.environment)
        #expect(outcome.status == 66 && outcome.errors.contains("no tables of reel"), "\(name) \(words) \(outcome.errors)")
      }
      #expect(try files() == before, "\(name)")
    }
    #expect(office.scratch.names == names)
  }

  /// What a store of SQLite looks like to Python: its tables, and their versions.
  private func schema(_ path: String, _ change: String = "") throws -> String {
    let script = """
      import sqlite3, sys
      store = sqlite3.connect(sys.argv[1])
      store.executescript(sys.argv[2])
      print(store.execute("SELECT name, sql FROM sqlite_master ORDER BY 1, 2").fetchall())
      print(store.execute("SELECT * FROM schema_version ORDER BY 1").fetchall())
      """
    let outcome = try Tool.run("python3", ["-c", script, path, change])
    #expect(outcome.status == 0, "\(outcome.errors)")
    return outcome.output
  }

  private static let readers = [
    ["log", "list"], ["log", "verify"], ["log", "hold"], ["log", "export", "none"], ["creators", "list"], ["creators", "who", "1"],
    ["cloud", "status"],
  ]

  @Test("reading an older store is 78 with what to do and changes nothing; what writes brings it up to date")
  func olderStore() throws {
    let office = try Office()
    let store = office.scratch.path("s.sqlite")
    _ = try office.json("creators", "enrol", "c-1", "--store", store)
    let older = try schema(store, "DROP TABLE log_codes; UPDATE schema_version SET version = 1 WHERE module = 'log'")
    #expect(older.contains("('log', 1)"))
    for words in Self.readers {
      let outcome = try ReelProgram.run(words + ["--store", store], environment: office.environment)
      #expect(outcome.status == 78 && outcome.errors.contains("reel worker updates them"), "\(words) \(outcome.errors)")
      #expect(outcome.errors.split(separator: "\n").count == 1)
    }
    // There is nothing of jobs in it, and reading makes nothing.
    #expect(try office.json("jobs", "list", "--store", store)["jobs"] as? [String] == [])
    #expect(try schema(store) == older)
    let worker = try office.reel("worker", "--drain", "--store", store)
    #expect(worker.status == 0, "\(worker.errors)")
    for words in Self.readers where words[1] != "who" && words[1] != "export" {
      #expect(try ReelProgram.run(words + ["--store", store], environment: office.environment).status == 0, "\(words)")
    }
    let empty = office.scratch.path("empty.sqlite")
    try office.scratch.write("", to: "empty.sqlite")
    #expect(try office.reel("jobs", "list", "--store", empty).status == 66)
  }

  @Test(
    "reading a PostgreSQL server makes nothing there, in a new database or for a role that may not",
    .enabled(if: PostgreSQLServer.isInstalled))
  func readingServer() throws {
    let office = try Office()
    let server = try #require(PostgreSQLServer.shared)
    func sql(_ text: String) throws -> String {
      let outcome = try Tool.run("/usr/lib/postgresql/15/bin/psql", ["-XAtq", "-v", "ON_ERROR_STOP=1", server.url, "-c", text])
      #expect(outcome.status == 0, "\(outcome.errors)")
      return outcome.output
    }
    let all =
      "SELECT n.nspname, c.relname FROM pg_class c RIGHT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname !~ '^pg_' ORDER BY 1, 2"
    let before = try sql(all)
    for words in Self.readers + [["jobs", "list"], ["jobs", "watch"], ["jobs", "schedules"], ["jobs", "show", "1"]] {
      let outcome = try ReelProgram.run(words + ["--store", server.url], environment: office.environment)
      #expect(outcome.status == 66 && outcome.errors.contains("no store there"), "\(words) \(outcome.errors)")
    }
    #expect(try sql(all) == before && office.scratch.names == [])
    try office.scratch.write(#"{"kind": "encode"}"#, to: "job.json")
    #expect(try office.reel("jobs", "submit", office.scratch.path("job.json"), "--store", server.url).status == 0)
    let made = try sql(all)
    #expect(made != before)
    _ = try sql(
      "CREATE ROLE looker LOGIN; GRANT USAGE ON SCHEMA reelwright TO looker; GRANT SELECT ON ALL TABLES IN SCHEMA reelwright TO looker")
    let looking = server.url.replacing("postgres@", with: "looker@")
    #expect((try office.json("jobs", "list", "--store", looking)["jobs"] as? [Any])?.count == 1)
    #expect((try office.json("log", "list", "--store", looking)["events"] as? [Any])?.count == 1)
    #expect(try sql(all) == made)
    // What a role may not see is not "no store", and no key is made for a log that it cannot look for.
    try FileManager.default.removeItem(atPath: office.scratch.path("state/reelwright/log.key"))
    _ = try sql("REVOKE SELECT ON reelwright.log_head FROM looker")
    let blind = try office.reel("log", "list", "--store", looking)
    #expect(blind.status == 77 && !office.scratch.exists("state/reelwright/log.key"), "\(blind.errors)")
    _ = try sql("REVOKE USAGE ON SCHEMA reelwright FROM looker")
    let outside = try office.reel("jobs", "list", "--store", looking)
    #expect(outside.status == 77 && outside.errors.contains("GRANT USAGE"), "\(outside.errors)")
  }

  @Test("telemetry: headers by the environment, a private file or a credential reach the collector, and nothing else")
  func telemetryHeaders() throws {
    let office = try Office()
    let server = try LoopbackServer("otlp_collector.py")
    try office.scratch.write(#"{"kind": "encode"}"#, to: "job.json")
    _ = try office.json("cloud", "configure", server.url("/"), "--purpose", "telemetry")
    _ = try office.json("cloud", "consent", "on")
    var texts = ""
    func send(_ extra: [String: String]) throws -> [String: String] {
      #expect(try office.reel("jobs", "submit", office.scratch.path("job.json")).status == 0)
      let outcome = try ReelProgram.run(["cloud", "send", "--verbose"], environment: office.environment.merging(extra) { $1 })
      #expect(outcome.status == 0, "\(outcome.errors)")
      texts += outcome.output + outcome.errors
      let received = try Tool.run("curl", ["-s", server.url("/received")])
      let requests = try #require(try JSONSerialization.jsonObject(with: Data(received.output.utf8)) as? [[String: Any]])
      let headers = try #require(requests.last?["headers"] as? [String: String])
      return headers.filter { ["authorization", "x-a"].contains($0.key.lowercased()) }
    }
    let variable = ["OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Basic%20c2VjcmV0OjE=, x-a = 1,"]
    #expect(try send([:]).isEmpty)
    #expect(try send(variable) == ["Authorization": "Basic c2VjcmV0OjE=", "x-a": "1"])
    #expect(try send(variable.merging(["OTEL_EXPORTER_OTLP_LOGS_HEADERS": "x-a=c2VjcmV0Mg"]) { $1 }) == ["x-a": "c2VjcmV0Mg"])
    // A file goes before the environment, a credential before the file.
    let file = try office.scratch.write("Authorization: Bearer c2VjcmV0Mw==:x\n\n", to: "headers")
    let open = try office.reel("cloud", "configure", "--purpose", "telemetry", "--headers", file)
    #expect(open.status == 77 && open.errors.contains("chmod 600"), "\(open.errors)")
    #expect(try office.reel("cloud", "configure", server.url("/elsewhere"), "--purpose", "telemetry", "--headers", file).status == 77)
    #expect(try send(variable)["x-a"] == "1", "the collector is still the one before")
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
    #expect(try office.reel("cloud", "configure", "--headers", file).status == 64)
    _ = try office.json("cloud", "configure", "--purpose", "telemetry", "--headers", file)
    #expect(try send(variable) == ["Authorization": "Bearer c2VjcmV0Mw==:x"])
    try FileManager.default.createDirectory(atPath: office.scratch.path("cred"), withIntermediateDirectories: false)
    try office.scratch.write("X-A: c2VjcmV0NA\n", to: "cred/reelwright-otlp-headers")
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: office.scratch.path("cred/reelwright-otlp-headers"))
    #expect(try send(["CREDENTIALS_DIRECTORY": office.scratch.path("cred")]) == ["X-A": "c2VjcmV0NA"])
    // What is malformed is named by its place, never quoted.
    for text in ["c2VjcmV0NQ", "a b=c2VjcmV0NQ", "x=c2VjcmV0NQ%0d%0ay", "Host=c2VjcmV0NQ", "=c2VjcmV0NQ"] {
      try FileManager.default.removeItem(atPath: file)
      try office.scratch.write(text.replacing("=", with: ": ").replacing("%0d%0a", with: "\u{7}"), to: "headers")
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
      let bad = try office.reel("cloud", "configure", "--purpose", "telemetry", "--headers", file)
      #expect(bad.status == 78 && bad.errors.contains("line 1 of"), "\(text) \(bad.errors)")
      texts += bad.errors
    }
    // Another receiver does not get them.
    _ = try office.json("cloud", "configure", server.url("/other"), "--purpose", "telemetry")
    #expect(try send([:]).isEmpty)
    for text in ["x", "Host=c2VjcmV0NQ", "x=c2VjcmV0NQ%0d%0ay"] {
      #expect(try office.reel("jobs", "submit", office.scratch.path("job.json")).status == 0)
      let environment = office.environment.merging(["OTEL_EXPORTER_OTLP_HEADERS": text]) { $1 }
      let bad = try ReelProgram.run(["cloud", "send"], environment: environment)
      #expect(bad.status == 78 && bad.errors.contains("header 1 of $OTEL_EXPORTER_OTLP_HEADERS"), "\(text) \(bad.errors)")
      texts += bad.errors
    }
    #expect(!texts.contains("c2VjcmV0"))
  }

  @Test("a bad number does not keep the other jobs from a change, and every job is in the one document")
  func control() throws {
    let office = try Office()
    try office.scratch.write(#"[{"kind": "encode"}, {"kind": "encode"}, {"kind": "encode"}]"#, to: "jobs.json")
    #expect(try office.reel("jobs", "submit", office.scratch.path("jobs.json")).status == 0)
    let outcome = try office.reel("jobs", "cancel", "99", "1", "98", "--json")
    #expect(outcome.status == 66 && outcome.errors.split(separator: "\n").count == 2, "\(outcome.errors)")
    let jobs = try #require(try ReelProgram.json(outcome)["jobs"] as? [[String: Any]])
    #expect(jobs.map { $0["id"] as? Int } == [99, 1, 98] && jobs.map { $0["state"] as? String } == [nil, "cancelled", nil])
    #expect((jobs[0]["error"] as? [String: Any])?["code"] as? String == "unknownJob" && jobs[1]["error"] is NSNull)
    // A wrong state is 64; the first failure decides.
    #expect(try office.reel("jobs", "retry", "2", "1", "99").status == 64)
    #expect(try office.reel("jobs", "pause", "3").output == "3 paused\n")
    // A word that is no number is found before anything is changed.
    #expect(try office.reel("jobs", "cancel", "2", "x").status == 64)
    let states = try #require(try office.json("jobs", "list")["jobs"] as? [[String: Any]]).map { $0["state"] as? String }
    #expect(states == ["available", "available", "paused"])
  }

  @Test("a kind that nobody knows is refused with the known ones; submitted all the same, no drain waits for it")
  func unknownKind() throws {
    let office = try Office()
    let path = try office.scratch.write(#"{"kind": "encod"}"#, to: "job.json")
    let refused = try office.reel("jobs", "submit", path)
    #expect(
      refused.status == 64 && refused.errors.contains("did you mean encode?") && refused.errors.contains("frames"), "\(refused.errors)")
    #expect(refused.errors.contains("line 1, column 10"), "\(refused.errors)")
    #expect(try (office.json("jobs", "list")["jobs"] as? [Any])?.isEmpty == true)
    #expect(try office.reel("jobs", "submit", path, "--any-kind").output == "1\n")
    let worker = try office.reel("worker", "--drain")
    #expect(worker.status == 0 && worker.errors.contains(#""stranded""#) && worker.errors.contains(#""encod""#), "\(worker.errors)")
    #expect(worker.errors.contains(#""reason":"unsuited""#), "\(worker.errors)")
    #expect(try office.reel("jobs", "show", "1").output.contains("available"))
    #expect(try office.reel("jobs", "submit", path, "--any-kind", "--schedule", "s").status == 64)
  }

  @Test("cloud: exactly one document with --json, whatever becomes of the sending")
  func cloud() throws {
    let office = try Office()
    let off = try office.reel("cloud", "send", "--json")
    #expect(off.status == 77)
    #expect((try ReelProgram.json(off)["error"] as? [String: Any])?["code"] as? String == "refused")
    #expect(!office.scratch.exists("state"))
    // Nobody listens at port 1.
    let configured = try office.json("cloud", "configure", "http://127.0.0.1:1/events")
    #expect((configured["destinations"] as? [[String: Any]])?.first?["origin"] as? String == "http://127.0.0.1:1", "\(configured)")
    #expect((try ReelProgram.json(office.reel("cloud", "send", "--json"))["error"] as? [String: Any])?["code"] as? String == "refused")
    #expect(try office.json("cloud", "consent", "on")["consent"] as? Bool == true)
    try office.scratch.write(#"{"kind": "encode"}"#, to: "job.json")
    #expect(try office.reel("jobs", "submit", office.scratch.path("job.json")).status == 0)
    let waits = try office.reel("cloud", "send", "--patience", "0", "--json")
    let document = try ReelProgram.json(waits)
    #expect(waits.status == 75 && document["sent"] as? Int == 0, "\(waits.output) \(waits.errors)")
    #expect((document["error"] as? [String: Any])?["code"] as? String == "retryLater")
    #expect(waits.errors.split(separator: "\n").count == 1)
    // Setting something else leaves the destination.
    let kept = try office.json("cloud", "configure", "--authorities", office.scratch.path("job.json"))
    #expect((kept["destinations"] as? [Any])?.count == 1)
    #expect((try office.json("cloud", "configure")["destinations"] as? [Any])?.isEmpty == true)
  }
}
