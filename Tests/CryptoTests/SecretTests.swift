import Glibc
import MediaCore
import Testing

@testable import Crypto

struct SecretTests {
  @Test("a secret is never printed, dumped or reflected")
  func printing() throws {
    let secret = SecretBytes(Array("hunter2hunter2".utf8))
    var dumped = ""
    dump(secret, to: &dumped)
    for text in ["\(secret)", String(reflecting: secret), dumped] { #expect(!text.contains("104") && !text.contains("hunter")) }
    // A key shows its public half, in which any number may stand once.
    let key = try #require(Ed25519.SigningKey(seed: SecretBytes([UInt8](repeating: 104, count: 32))))
    #expect(!"\(key)".contains("104, 104"))
    #expect("\(secret)" == "<secret, 14 bytes>")
  }

  @Test func equality() {
    #expect(SecretBytes([1, 2]) == SecretBytes([1, 2]))
    #expect(SecretBytes([1, 2]) != SecretBytes([1, 3]))
    #expect(SecretBytes([1, 2]) != SecretBytes([1]))
    #expect(constantTimeEquals([], []))
    #expect(!constantTimeEquals([1], [2]))
    #expect(SecretBytes([7]).derived("a") != SecretBytes([7]).derived("b"))
    var bytes: [UInt8] = [1, 2, 3]
    SecretBytes.wipe(&bytes)
    #expect(bytes == [])
  }

  @Test func random() {
    #expect(SecureRandom.bytes(32) != SecureRandom.bytes(32))
    #expect((0..<200).allSatisfy { _ in SecureRandom.uniform(below: 3) < 3 })
    #expect(SecureRandom.bytes(0) == [])
  }

  @Test("written 0600 under any umask, never replaced, read back")
  func file() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/key"
    try SecretFile.create(path, contents: Array("secret".utf8))
    var status = stat()
    #expect(stat(path, &status) == 0 && status.st_mode & 0o7777 == 0o600)
    #expect(try SecretFile.read(path) == SecretBytes(Array("secret".utf8)))
    let again = #expect(throws: MediaError.self) { try SecretFile.create(path, contents: [1]) }
    #expect(again?.code == .exists)
    #expect(try SecretFile.read(path).count == 6)
  }

  @Test("refused when others could read or write it", arguments: [0o640, 0o604, 0o620, 0o602, 0o610, 0o666] as [mode_t])
  func modes(mode: mode_t) throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/key"
    try SecretFile.create(path, contents: [1])
    #expect(chmod(path, mode) == 0)
    let error = #expect(throws: MediaError.self) { try SecretFile.read(path) }
    #expect(error?.code == .refused)
    #expect(error?.advice == "chmod 600 \(path)")
  }

  @Test("refused: a link, a folder, a FIFO, another user's; missing; too long")
  func kinds() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/key"
    try SecretFile.create(path, contents: [UInt8](repeating: 1, count: 100))
    #expect(symlink(path, folder.path + "/link") == 0)
    #expect(mkfifo(folder.path + "/fifo", 0o600) == 0)
    func code(_ path: String) -> MediaError.Code? {
      do {
        _ = try SecretFile.read(path)
        return nil
      } catch { return error.code }
    }
    #expect(code(folder.path + "/link") == .refused)
    #expect(code(folder.path) == .refused)
    #expect(code(folder.path + "/fifo") == .refused)
    #expect(code(folder.path + "/none") == .missing)
    let long = #expect(throws: MediaError.self) { try SecretFile.read(path, maximumByteCount: 99) }
    #expect(long?.code == .configuration)
    if geteuid() == 0 {
      #expect(chown(path, 65_534, 65_534) == 0)
      #expect(code(path) == .refused)
    }
    #expect(throws: MediaError.self) { try SecretFile.create(folder.path + "/no/such/folder", contents: []) }
  }
}

/// A folder that goes away with its last reference.
private final class TemporaryFolder {
  let path: String

  init() throws {
    var template = Array("/tmp/reelwright-crypto-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw MediaError(.io, "cannot make a temporary folder", reason: "mkdtemp failed") }
    path = String(cString: made)
  }

  deinit {
    for name in ["key", "link", "fifo"] { unlink(path + "/" + name) }
    rmdir(path)
  }
}
