import DatabaseTestSupport
import Glibc
import MediaCore
import Storage
import Synchronization
import TestBasics
import Testing

@testable import Jobs

private let isSlow = getenv("REELWRIGHT_SLOW").map { String(cString: $0) } == "1"
private let canCut = geteuid() == 0 && access("/usr/sbin/ip", X_OK) == 0 && PostgreSQLServer.isInstalled

/// A host that vanishes from the network: its jobs are done by another, once.
@Suite(.serialized) struct HostLossTests {
  /// A network name space that stands for another host, joined by a pair of virtual interfaces.
  private final class Host {
    let name = "reel\(getpid())"
    let near = "10.231.7.1"

    init() throws {
      try run("netns add \(name)")
      try run("link add \(name)a type veth peer name \(name)b netns \(name)")
      try run("addr add \(near)/30 dev \(name)a")
      try run("link set \(name)a up")
      try run("-n \(name) addr add 10.231.7.2/30 dev \(name)b")
      try run("-n \(name) link set \(name)b up")
    }

    deinit {
      try? run("link del \(name)a")
      try? run("netns del \(name)")
    }

    /// Packets vanish without an answer, as when a host loses its power.
    func cut() throws { try run("link set \(name)a down") }

    func join() throws { try run("link set \(name)a up") }

    private func run(_ arguments: String) throws {
      let child = try HostLossTests.spawn("/usr/sbin/ip", arguments.split(separator: " ").map(String.init))
      var status: Int32 = 0
      waitpid(child, &status, 0)
      if status != 0 { throw StorageError(.io, "cannot run ip \(arguments)", reason: "status \(status)") }
    }
  }

  private static func spawn(_ path: String, _ words: [String]) throws -> pid_t {
    var arguments = ([path] + words).map { strdup($0) } + [nil]
    defer { for pointer in arguments { free(pointer) } }
    var child = pid_t()
    guard posix_spawn(&child, path, nil, nil, &arguments, environ) == 0 else {
      throw StorageError(.io, "cannot start \(path)", reason: String(cString: strerror(errno)))
    }
    return child
  }

  @Test(
    .enabled(if: isSlow && canCut, "REELWRIGHT_SLOW=1, as root, with iproute2 and PostgreSQL"))
  func jobsOfALostHostAreDoneElsewhere() throws {
    let host = try Host()
    let port = 20_000 + Int(getpid()) % 20_000
    let server = try PostgreSQLServer(address: host.near, port: port)
    var seconds: [Double] = []
    for round in 0..<5 {
      seconds.append(try lose(host, server, port, schema: "loss\(round)"))
    }
    seconds.sort()
    print("host loss: \(seconds.count) rounds, recovery median \(seconds[seconds.count / 2]) s, longest \(seconds.last ?? 0) s")
  }

  /// Seconds from the cut to the jobs being taken.
  private func lose(_ host: Host, _ server: PostgreSQLServer, _ port: Int, schema: String) throws -> Double {
    let folder = TemporaryFolder()
    for name in ["far", "near"] { mkdir("\(folder.path)/\(name)", 0o700) }
    var configuration = PostgreSQLConfiguration(url: "postgresql://postgres@/postgres?host=\(server.folder)&port=\(port)")
    configuration.schema = schema
    configuration.restartGraceSeconds = 0
    let events = Transitions()
    let database = try PostgreSQLDatabase(configuration)
    try database.migrate(module: "storm", [Migration(1) { _ in ["CREATE TABLE storm_event(job BIGINT NOT NULL, state BIGINT NOT NULL)"] }])
    let store = try JobStore(database: database, recorder: events)
    let id = try store.submit(JobSpec(kind: "wait")).id
    // The other host; a calm worker, which does not die by itself.
    let address = "\(schema)=postgresql://postgres@\(host.near):\(port)/postgres"
    let worker = builtProgram("storm-worker")
    let child = try HostLossTests.spawn(
      "/usr/sbin/ip", ["netns", "exec", host.name, worker, address, "\(folder.path)/far", "0", "4"])
    defer {
      kill(child, SIGKILL)
      var status: Int32 = 0
      waitpid(child, &status, 0)
    }
    try waitFor { try store.job(id)?.state == .running }
    let recovered = Mutex<Int64?>(nil)
    var settings = RunnerConfiguration()
    settings.folder = folder.path + "/near"
    settings.leaseSeconds = 4
    settings.onEvent = { event in
      if case .recovered = event { recovered.withLock { $0 = Thread.monotonicMicroseconds() } }
    }
    var handlers = JobHandlers()
    handlers.register("wait") { _ in JobAnswer() }
    let runner = try Runner(store: store, handlers: handlers, configuration: settings)
    try NativeThread {
      do { try runner.run(until: .stopped) } catch { Issue.record(error) }
    }.detach()
    defer { runner.stop() }
    // The cut comes at any moment of the other's beat.
    usleep(UInt32.random(in: 1_000_000...2_000_000))
    let cut = Thread.monotonicMicroseconds()
    try host.cut()
    try waitFor { try store.job(id)?.state == .done }
    try host.join()
    // Back again, the other finds that the job is not its own, and changes nothing.
    usleep(1_500_000)
    let job = try #require(try store.job(id))
    #expect(job.state == .done && job.crashCount == 1)
    #expect(events.of(id).count { $0 == .done } == 1)
    return Double(try #require(recovered.withLock { $0 }) - cut) / 1e6
  }

  private func waitFor(_ condition: () throws -> Bool) throws {
    for _ in 0..<6000 {
      if try condition() { return }
      usleep(10_000)
    }
    throw StorageError(.interrupted, "cannot wait any longer", reason: "a minute has passed")
  }
}
