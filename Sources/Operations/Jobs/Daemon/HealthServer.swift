import Glibc
import MediaCore
import Synchronization

/// Answers `/livez`, `/readyz` and `/metrics` over HTTP/1.1 on a unix socket (0600), to processes of the same user and
/// of root only: the kernel says who asks.
public final class HealthServer: Sendable {
  /// What is asked; GET only.
  public struct Answer: Sendable {
    public var status: Int
    public var text: String

    public init(_ status: Int, _ text: String) {
      self.status = status
      self.text = text
    }
  }

  private let path: String
  private let listener: Int32
  private let answer: @Sendable (String) -> Answer?
  private let isClosed = Atomic<Bool>(false)

  /// Listens at `path`; a socket that a dead process left there is replaced, one that answers is not.
  /// - Parameter answer: the answer for a path; nil for 404. Called on the server's thread.
  public init(path: String, answer: @escaping @Sendable (String) -> Answer?) throws(JobsError) {
    guard var address = UnixAddress(path), !path.hasPrefix("@") else {
      throw JobsError(.invalidSpec, "cannot listen on \(path)", reason: "a socket's path has at most 107 bytes")
    }
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let probe = socket(AF_UNIX, type, 0)
    let isTaken = address.withAddress { connect(probe, $0, $1) } == 0
    Glibc.close(probe)
    if isTaken { throw JobsError(.outputExists, "cannot listen on \(path)", reason: "another process answers there") }
    var status = stat()
    if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK { unlink(path) }
    listener = socket(AF_UNIX, type, 0)
    guard listener >= 0 else { throw PendingFile.failure("open a socket for", path, errno) }
    self.path = path
    self.answer = answer
    // The mode is right before anybody can connect: bound first, restricted, then opened.
    guard address.withAddress({ bind(listener, $0, $1) }) == 0, chmod(path, 0o600) == 0, listen(listener, 16) == 0 else {
      throw PendingFile.failure("listen on", path, errno)
    }
    do throws(MediaError) {
      try NativeThread { self.serve() }.detach()
    } catch {
      throw JobsError(.io, "cannot listen on \(path)", reason: error.reason)
    }
  }

  /// Stops answering and removes the socket.
  public func close() {
    guard !isClosed.exchange(true, ordering: .relaxed) else { return }
    unlink(path)
    shutdown(listener, Int32(SHUT_RDWR))
  }

  private func serve() {
    while !isClosed.load(ordering: .relaxed) {
      let connection = accept(listener, nil, nil)
      guard connection >= 0 else {
        if isClosed.load(ordering: .relaxed) { break }
        // Out of descriptors: wait for some to be freed.
        usleep(10_000)
        continue
      }
      serve(connection)
      Glibc.close(connection)
    }
    Glibc.close(listener)
  }

  private func serve(_ connection: Int32) {
    // One that says nothing must not keep the others out.
    var limit = timeval(tv_sec: 1, tv_usec: 0)
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var request: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while request.count < 16_384, !HealthServer.isComplete(request) {
      let count = recv(connection, &buffer, buffer.count, 0)
      guard count > 0 else { return }
      request += buffer[..<count]
    }
    // After the request was read: closing with unread bytes would reset the connection before the answer arrives.
    guard let user = HealthServer.peer(connection), user == geteuid() || user == 0 else {
      return reply(connection, Answer(403, "another user\n"), hasBody: true)
    }
    let line = String(decoding: request.prefix { $0 != 13 && $0 != 10 }, as: UTF8.self).split(separator: " ")
    guard line.count == 3, line[2].hasPrefix("HTTP/1.") else { return reply(connection, Answer(400, "not HTTP\n"), hasBody: true) }
    guard line[0] == "GET" || line[0] == "HEAD" else { return reply(connection, Answer(405, "GET only\n"), hasBody: true) }
    let path = String(line[1].prefix { $0 != "?" })
    reply(connection, answer(path) ?? Answer(404, "not found\n"), hasBody: line[0] == "GET")
  }

  private static func isComplete(_ request: [UInt8]) -> Bool {
    let end: [UInt8] = [13, 10, 13, 10]
    return request.count >= 4 && request.suffix(4).elementsEqual(end)
  }

  /// The user at the other end (`SO_PEERCRED`: pid, uid, gid).
  private static func peer(_ connection: Int32) -> uid_t? {
    var credentials: (Int32, UInt32, UInt32) = (0, 0, 0)
    var size = socklen_t(MemoryLayout.size(ofValue: credentials))
    guard getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0, size == 12 else { return nil }
    return credentials.1
  }

  private func reply(_ connection: Int32, _ answer: Answer, hasBody: Bool) {
    let reasons = [
      200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable",
    ]
    let head = """
      HTTP/1.1 \(answer.status) \(reasons[answer.status] ?? "Error")\r
      Content-Type: text/plain; version=0.0.4; charset=utf-8\r
      Content-Length: \(answer.text.utf8.count)\r
      Connection: close\r
      \r

      """
    var rest = Array((head + (hasBody ? answer.text : "")).utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }
}
