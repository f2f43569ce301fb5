import DatabaseTestSupport
import FoundationEssentials
import Glibc
import MediaCore
import Storage
import Synchronization
import Testing

@testable import Jobs

@Suite struct DaemonTests {
  private let folder = TemporaryFolder()

  /// A datagram socket that plays the service manager.
  private func listen() throws -> (path: String, descriptor: Int32) {
    let path = folder.path + "/notify"
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var address = try #require(UnixAddress(path))
    try #require(address.withAddress { bind(descriptor, $0, $1) } == 0)
    return (path, descriptor)
  }

  private func receive(_ descriptor: Int32) -> [String] {
    var messages: [String] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
      guard count > 0 else { return messages }
      messages.append(String(decoding: buffer[..<count], as: UTF8.self))
    }
  }

  /// Asks with curl, an independent client.
  private func ask(_ socket: String, _ path: String) throws -> String {
    let output = folder.path + "/answer"
    let texts = ["curl", "-s", "-o", output, "--unix-socket", socket, "-w", "%{http_code}", "http://x" + path]
    var arguments = texts.map { strdup($0) } + [nil]
    defer { for pointer in arguments { free(pointer) } }
    var child = pid_t()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 1, output + ".status", O_CREAT | O_WRONLY | O_TRUNC, 0o600)
    try #require(posix_spawnp(&child, "curl", &actions, nil, &arguments, environ) == 0)
    var status: Int32 = 0
    waitpid(child, &status, 0)
    let code = Publication.contents(output + ".status").map { String(decoding: $0, as: UTF8.self) } ?? ""
    return code + " " + (Publication.contents(output).map { String(decoding: $0, as: UTF8.self) } ?? "")
  }

  @Test func lifeOfADaemon() throws {
    let manager = try listen()
    defer { close(manager.descriptor) }
    let store = try JobStore(database: SQLiteDatabase(path: folder.path + "/state/jobs.sqlite"))
    let id = try store.submit(JobSpec(kind: "wait")).id
    let socket = folder.path + "/health"
    let cancellation = Cancellation()
    let answers = Mutex<[String]>([])
    var handlers = JobHandlers()
    handlers.register("wait") { context in
      let texts = try ["/livez", "/readyz", "/metrics", "/other"].map { try self.ask(socket, $0) }
      answers.withLock { $0 = texts }
      cancellation.cancel()
      while !context.cancellation.isCancelled { usleep(1000) }
      throw MediaError(.cancelled, "cannot go on", reason: "cancelled")
    }
    var configuration = Daemon.Configuration()
    configuration.socketPath = socket
    let lines = Mutex<[String]>([])
    configuration.log = { line in lines.withLock { $0.append(line) } }
    let environment = ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "\(getpid())"]
    configuration.notifier = ServiceNotifier { environment[$0] }
    try Daemon(store: store, handlers: handlers, configuration: configuration).run(cancellation: cancellation)

    let texts = answers.withLock { $0 }
    try #require(texts.count == 4)
    #expect(texts[0] == "200 ok\n" && texts[1] == "200 ok\n")
    #expect(texts[2].contains("\nreel_slots_used{class=\"cpu\"} 1\n") && texts[2].contains("\nreel_jobs{state=\"running\"} 1\n"))
    #expect(texts[3].hasPrefix("404"))
    // Every sample is a name with optional labels and a number.
    let samples = texts[2].dropFirst(4).split(separator: "\n").filter { !$0.hasPrefix("#") }
    #expect(samples.allSatisfy { $0.split(separator: " ").count == 2 && Double($0.split(separator: " ")[1]) != nil })
    let messages = receive(manager.descriptor)
    #expect(messages.first?.hasPrefix("READY=1\n") == true)
    #expect(messages.contains("WATCHDOG=1"))
    #expect(messages.last { $0 != "WATCHDOG=1" }?.hasPrefix("STOPPING=1\n") == true)
    #expect(try store.job(id)?.state == .available, "released, not failed")
    #expect(access(socket, F_OK) != 0)
    for line in lines.withLock({ $0 }) {
      let object = try JSONSerializationCheck.object(line)
      #expect(object.contains("event") && object.contains("time") && object.contains("level"))
    }
  }

  @Test func socketIsPrivateAndNotStolen() throws {
    let old = umask(0)
    defer { umask(old) }
    let path = folder.path + "/health"
    let server = try HealthServer(path: path) { _ in .init(200, "ok\n") }
    var status = stat()
    #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    #expect(throws: JobsError.self) { try HealthServer(path: path) { _ in nil } }
    #expect(try ask(path, "/x") == "200 ok\n")
    server.close()
  }

  /// The mode opened by hand, another user's request is still refused: the kernel says who asks.
  @Test(.enabled(if: geteuid() == 0, "only root can become another user")) func anotherUserIsRefused() throws {
    let path = folder.path + "/health"
    let server = try HealthServer(path: path) { _ in .init(200, "secret\n") }
    defer { server.close() }
    chmod(path, 0o666)
    chmod(folder.path, 0o755)
    let output = folder.path + "/answer"
    let command = "runuser -u nobody -- curl -s --unix-socket '\(path)' -w '%{http_code}' http://x/livez > '\(output)'"
    var arguments = (["sh", "-c", command] as [String]).map { strdup($0) } + [nil]
    defer { for pointer in arguments { free(pointer) } }
    var child = pid_t()
    try #require(posix_spawn(&child, "/bin/sh", nil, nil, &arguments, environ) == 0)
    var status: Int32 = 0
    waitpid(child, &status, 0)
    let answer = Publication.contents(output).map { String(decoding: $0, as: UTF8.self) } ?? ""
    #expect(answer.hasSuffix("403") && !answer.contains("secret"))
  }
}

/// Reads a log line with the JSON parser of the Swift project, not ours.
enum JSONSerializationCheck {
  private struct AnyKeys: Decodable {
    struct Key: CodingKey {
      let stringValue: String
      var intValue: Int? { nil }
      init?(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }
    let keys: Set<String>
    init(from decoder: any Decoder) throws { keys = Set(try decoder.container(keyedBy: Key.self).allKeys.map(\.stringValue)) }
  }

  static func object(_ line: String) throws -> Set<String> { try JSONDecoder().decode(AnyKeys.self, from: Data(line.utf8)).keys }
}
