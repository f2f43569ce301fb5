import Crypto
import FileAccess
import Glibc
import LoopbackServer
import MediaCore
import Synchronization
import TestBasics
import Testing

@testable import Transfer

struct InputCacheTests {
  private let folder = "/tmp/reelwright-cache-\(Hex.encode(SecureRandom.bytes(6)))"

  private func remove() {
    for name in names() { unlink("\(folder)/\(name)") }
    rmdir(folder)
  }

  private func names() -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      names.append(
        withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } })
    }
    return names.filter { $0 != "." && $0 != ".." }
  }

  private func client() throws -> HTTPClient {
    var configuration = HTTPClient.Configuration()
    configuration.addresses = .globalAndLoopback
    return try HTTPClient(configuration)
  }

  private func content(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: ($0 % 65536) * 31 + (($0 % 65536) >> 8) * 7) }
  }

  @Test("fetched once, handed out whole, fetched anew when damaged")
  func hits() throws {
    defer { remove() }
    let server = try LoopbackServer("transfer_server.py")
    let client = try client()
    let cache = try InputCache(folder: folder)
    let url = try TransferURL(server.url("/file/5000"))
    let digest = SHA256.digest(of: content(5000))
    let first = try cache.input(from: url, digest: digest, client: client)
    #expect(first.wasFetched && first.byteCount == 5000 && first.digest == digest)
    #expect(try !cache.input(from: url, digest: digest, client: client).wasFetched)
    #expect(try SHA256.digest(ofDescriptor: first.descriptor.rawValue) == digest)
    var status = stat()
    #expect(stat(folder, &status) == 0 && status.st_mode & 0o777 == 0o700)
    let path = "\(folder)/sha256-\(digest.hex)"
    #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    let damaged = open(path, O_WRONLY)
    #expect(pwrite(damaged, "x", 1, 100) == 1)
    close(damaged)
    #expect(try cache.input(from: url, digest: digest, client: client).wasFetched)
    #expect(try cache.cached(digest) != nil)
    #expect(throws: TransferError.self) { try cache.input(from: url, digest: SHA256.digest(of: "other"), client: client) }
    #expect(!names().contains { $0.hasPrefix("partial-") })
  }

  @Test("the least recently used leave when the quota is full")
  func quota() throws {
    defer { remove() }
    let server = try LoopbackServer("transfer_server.py")
    let client = try client()
    let cache = try InputCache(folder: folder, quotaBytes: 10_000)
    func fetch(_ count: Int) throws -> InputCache.Entry {
      try cache.input(from: try TransferURL(server.url("/file/\(count)")), digest: SHA256.digest(of: content(count)), client: client)
    }
    let first = try fetch(4000)
    usleep(20_000)
    _ = try fetch(4001)
    usleep(20_000)
    #expect(try !fetch(4000).wasFetched)
    usleep(20_000)
    #expect(try fetch(4002).wasFetched)
    #expect(try cache.cached(SHA256.digest(of: content(4001))) == nil)
    #expect(try cache.cached(SHA256.digest(of: content(4000))) != nil)
    #expect(cache.usedBytes() <= 10_000)
    _ = try fetch(9000)
    // Gone from the folder, still readable where it is open.
    #expect(try cache.cached(first.digest) == nil)
    #expect(try SHA256.digest(ofDescriptor: first.descriptor.rawValue) == first.digest)
    let found = #expect(throws: TransferError.self) { try fetch(10_001) }
    #expect(found?.code == .tooLarge)
  }

  @Test("several threads that want one input fetch it once; leftovers are swept")
  func sharing() throws {
    defer { remove() }
    let server = try LoopbackServer("transfer_server.py")
    let cache = try InputCache(folder: folder)
    let url = try TransferURL(server.url("/file/200000"))
    let digest = SHA256.digest(of: content(200_000))
    let fetched = Mutex(0)
    let clients = try (0..<6).map { _ in try client() }
    try runThreads(clients.count) { index in
      if let entry = try? cache.input(from: url, digest: digest, client: clients[index]), entry.wasFetched { fetched.withLock { $0 += 1 } }
    }
    #expect(fetched.withLock { $0 } == 1)
    let leftover = open("\(folder)/partial-0123", O_RDWR | O_CREAT, 0o600)
    close(leftover)
    let busy = open("\(folder)/partial-4567", O_RDWR | O_CREAT, 0o600)
    flock(busy, LOCK_EX)
    _ = try InputCache(folder: folder)
    #expect(!names().contains("partial-0123") && names().contains("partial-4567"))
    close(busy)
  }

  @Test func foreignFolder() throws {
    defer { remove() }
    #expect(symlink("/tmp", folder) == 0)
    #expect(throws: TransferError.self) { try InputCache(folder: folder) }
    unlink(folder)
  }
}
