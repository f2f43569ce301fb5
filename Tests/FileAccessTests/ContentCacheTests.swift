import FileAccess
import Glibc
import MediaCore
import TestSupport
import Testing

@Suite struct ContentCacheTests {
  private func key(_ digit: Character) -> String { String(repeating: digit, count: 64) }

  private func put(_ key: String, bytes: Int, in cache: ContentCache, used: Int? = nil) throws {
    let pending = try cache.create(key)
    try OutputFile(descriptor: pending.descriptor, displayName: "entry").write([UInt8](repeating: 7, count: bytes))
    pending.keep()
    if let used {
      let times = [timespec(tv_sec: used, tv_nsec: 0), timespec(tv_sec: used, tv_nsec: 0)]
      utimensat(AT_FDCWD, cache.folder + "/" + key, times, 0)
    }
  }

  @Test func anEntryAppearsWhenItIsKept() throws {
    let scratch = try ScratchFolder()
    let cache = try ContentCache(folder: scratch.path + "/a/b")
    #expect(cache.open(key("1")) == nil)
    do {
      let pending = try cache.create(key("1"))
      #expect(cache.open(key("1")) == nil)
      _ = pending
    }
    #expect(try Tool.lines("ls", "-A", cache.folder).filter { !$0.isEmpty }.isEmpty)
    try put(key("1"), bytes: 100, in: cache)
    #expect(cache.open(key("1"))?.snapshot.byteCount == 100)
    cache.remove(key("1"))
    #expect(cache.open(key("1")) == nil)
  }

  @Test(arguments: ["", "../x", "ABC", String(repeating: "g", count: 64), String(repeating: "1", count: 63) + "/"])
  func onlyKeysNameEntries(_ name: String) throws {
    let scratch = try ScratchFolder()
    let cache = try ContentCache(folder: scratch.path)
    #expect(cache.open(name) == nil)
    #expect(throws: MediaError.self) { try cache.create(name) }
  }

  @Test func theLeastRecentlyUsedLeaveFirst() throws {
    let scratch = try ScratchFolder()
    let cache = try ContentCache(folder: scratch.path, quotaBytes: 1000)
    for (index, digit) in "12345".enumerated() { try put(key(digit), bytes: 300, in: cache, used: 1_000_000 + index) }
    // Reading the oldest makes it the newest.
    let held = try #require(cache.open(key("1")))
    cache.makeRoom()
    #expect(cache.open(key("2")) == nil && cache.open(key("3")) == nil)
    #expect(cache.open(key("5")) != nil && cache.open(key("1")) != nil)
    cache.remove(key("1"))
    var byte: UInt8 = 0
    #expect(pread(held.descriptor.rawValue, &byte, 1, 0) == 1 && byte == 7)
  }
}
