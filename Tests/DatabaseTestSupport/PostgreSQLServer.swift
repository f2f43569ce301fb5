import Glibc
public import Storage

/// A PostgreSQL server of the test's own: in a temporary folder, on a unix socket only, gone with the test process
/// however that ends. `initdb` refuses root, which becomes the user `postgres` for it.
public final class PostgreSQLServer: @unchecked Sendable {
  /// The server that the tests of one process share; each test takes a schema of its own. nil where PostgreSQL 15 is
  /// not installed.
  public static let shared: PostgreSQLServer? = try? PostgreSQLServer()

  public let folder: String
  private let commands: Int32
  private let answers: Int32
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private var schemas = 0

  public static let isInstalled = access("/usr/lib/postgresql/15/bin/postgres", X_OK) == 0

  /// - Parameter address: an IPv4 address to listen on besides the unix socket, for connections of its network (/30).
  public init(address: String? = nil, port: Int = 5432) throws {
    guard PostgreSQLServer.isInstalled else { throw StorageError(.cannotOpen, "cannot start a server", reason: "not installed") }
    pthread_mutex_init(lock, nil)
    let place = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(place)/reelwright-postgres-XXXXXX".utf8CString)
    precondition(mkdtemp(&template) != nil)
    folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    (commands, answers) = PostgreSQLServer.start(folder, address ?? "", port)
    guard readAnswer() == "ready" else { throw StorageError(.cannotOpen, "cannot start a server", reason: "it did not start") }
  }

  deinit {
    close(commands)
    _ = readAnswer()
    close(answers)
  }

  /// A configuration with a fresh schema.
  public func configuration() -> PostgreSQLConfiguration {
    pthread_mutex_lock(lock)
    schemas += 1
    let schema = "test\(schemas)"
    pthread_mutex_unlock(lock)
    var configuration = PostgreSQLConfiguration(url: url)
    configuration.schema = schema
    configuration.restartGraceSeconds = 0
    return configuration
  }

  public var url: String { "postgresql://postgres@/postgres?host=\(folder)" }

  /// Stops and starts the server; without mercy: sessions are cut, as in a crash.
  public func restart() { send("restart") }

  public func stop() { send("stop") }

  public func start() { send("start") }

  private func send(_ command: String) {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    let line = Array((command + "\n").utf8)
    _ = write(commands, line, line.count)
    precondition(readAnswer() == "ready", "the server did not \(command)")
  }

  private func readAnswer() -> String {
    var line: [UInt8] = []
    var byte: UInt8 = 0
    while read(answers, &byte, 1) == 1, byte != 10 { line.append(byte) }
    return String(decoding: line, as: UTF8.self)
  }

  /// A shell that starts the server, obeys, and ends it when its standard input ends.
  private static func start(_ folder: String, _ address: String, _ port: Int) -> (commands: Int32, answers: Int32) {
    let script = """
      trap '' INT TERM HUP
      cd / && run= && if [ "$(id -u)" = 0 ]; then chown postgres "$1"; run='runuser -u postgres --'; fi
      bin=/usr/lib/postgresql/15/bin
      $run $bin/initdb -D "$1/data" -A trust -U postgres --no-sync >"$1/log" 2>&1
      if [ -n "$2" ]; then echo "host all all $2/30 trust" >>"$1/data/pg_hba.conf"; fi
      address=$2 port=$3
      ctl() { $run $bin/pg_ctl -D "$1/data" -l "$1/data/server.log" -w -o \
        "-k $1 -p $port -c listen_addresses=$address -c max_connections=200 -c shared_buffers=32MB" "$2" -m immediate >/dev/null 2>&1; }
      ctl "$1" start && echo ready || echo failed
      while read -r command; do ctl "$1" "$command" && echo ready || echo failed; done
      ctl "$1" stop; rm -rf "$1"; echo gone
      """
    var input: [Int32] = [-1, -1]
    var output: [Int32] = [-1, -1]
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    precondition(socketpair(AF_UNIX, type, 0, &input) == 0 && socketpair(AF_UNIX, type, 0, &output) == 0)
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, input[1], 0)
    posix_spawn_file_actions_adddup2(&actions, output[1], 1)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    var arguments = (["sh", "-c", script, "sh", folder, address, "\(port)"] as [String]).map { strdup($0) } + [nil]
    var child = pid_t()
    let result = posix_spawn(&child, "/bin/sh", &actions, &attributes, &arguments, environ)
    precondition(result == 0, "cannot start a shell")
    for pointer in arguments { free(pointer) }
    posix_spawn_file_actions_destroy(&actions)
    posix_spawnattr_destroy(&attributes)
    close(input[1])
    close(output[1])
    return (commands: input[0], answers: output[0])
  }
}
