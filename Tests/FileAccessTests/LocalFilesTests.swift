import FileAccess
import Glibc
import MediaCore
import TestSupport
import Testing

@Suite struct LocalFilesTests {
  private func text(_ folder: ScratchFolder, _ name: String) -> String {
    String(decoding: Tool.bytes(of: folder.path + "/" + name), as: UTF8.self)
  }

  private func write(_ files: LocalFiles, _ text: String) throws {
    let output = try files.createOutput("main")
    let bytes = Array(text.utf8)
    #expect(pwrite(output.descriptor.rawValue, bytes, bytes.count, 0) == bytes.count)
  }

  @Test func anOutputIsInvisibleUntilItIsPublished() throws {
    let scratch = try ScratchFolder()
    let files = LocalFiles(inputs: [:], outputs: ["main": scratch.path + "/out.txt"])
    try write(files, "hello")
    #expect(scratch.names == [])
    try files.publish("main", sidecar: "{}")
    #expect(scratch.names == ["out.txt", "out.txt.sidecar.json"])
    #expect(text(scratch, "out.txt") == "hello")
  }

  @Test func whatIsNotPublishedLeavesNothing() throws {
    let scratch = try ScratchFolder()
    do {
      let files = LocalFiles(inputs: [:], outputs: ["main": scratch.path + "/out.txt"])
      try write(files, "hello")
    }
    #expect(scratch.names == [])
  }

  @Test func theFirstWriterWins() throws {
    let scratch = try ScratchFolder()
    let first = LocalFiles(inputs: [:], outputs: ["main": scratch.path + "/out.txt"])
    let second = LocalFiles(inputs: [:], outputs: ["main": scratch.path + "/out.txt"])
    try write(first, "first")
    try write(second, "second")
    try first.publish("main", sidecar: "1")
    let error = #expect(throws: MediaError.self) { try second.publish("main", sidecar: "2") }
    #expect(error?.code == .exists)
    #expect(text(scratch, "out.txt") == "first")
    #expect(text(scratch, "out.txt.sidecar.json") == "1")
    #expect(scratch.names.count == 2)
  }

  @Test func replacingIsAtomicAndAsked() throws {
    let scratch = try ScratchFolder()
    for (text, replace) in [("one", false), ("two", true)] {
      let files = LocalFiles(inputs: [:], outputs: ["main": scratch.path + "/out.txt"], mayReplace: replace)
      try write(files, text)
      try files.publish("main", sidecar: text)
    }
    #expect(text(scratch, "out.txt") == "two")
    #expect(text(scratch, "out.txt.sidecar.json") == "two")
    let refused = LocalFiles(inputs: [:], outputs: ["main": scratch.path + "/out.txt"])
    #expect(throws: MediaError.self) { try refused.createOutput("main") }
    #expect(scratch.names.count == 2)
  }

  @Test func symbolicLinksAreRefusedEvenForReplacing() throws {
    let scratch = try ScratchFolder()
    symlink("/dev/null", scratch.path + "/out.txt")
    let files = LocalFiles(inputs: [:], outputs: ["main": scratch.path + "/out.txt"], mayReplace: true)
    let error = #expect(throws: MediaError.self) { try files.createOutput("main") }
    #expect(error?.code == .exists)
  }

  @Test func aSidecarWithoutItsOutputAndDeadPartialFilesAreSwept() throws {
    let scratch = try ScratchFolder()
    for name in ["out.txt.sidecar.json", ".out.txt.reel-1-abc.partial"] { fclose(fopen(scratch.path + "/" + name, "w")) }
    let files = LocalFiles(inputs: [:], outputs: ["main": scratch.path + "/out.txt"])
    _ = try files.createOutput("main")
    #expect(scratch.names == [])
  }

  @Test(arguments: [false, true]) func everyNameThatTheFileSystemTakesWorks(_ mayReplace: Bool) throws {
    let scratch = try ScratchFolder()
    // 255 bytes, not cut in the middle of a character; the second differs at its end alone.
    let names = [String(repeating: "é", count: 127) + "a", String(repeating: "é", count: 127) + "b", String(repeating: "n", count: 243)]
    for round in mayReplace ? ["one", "two"] : ["two"] {
      for name in names {
        let files = LocalFiles(inputs: [:], outputs: ["main": scratch.path + "/" + name], mayReplace: mayReplace)
        try write(files, round)
        try files.publish("main", sidecar: name)
      }
    }
    #expect(scratch.names.count == 6)
    for name in names {
      #expect(text(scratch, name) == "two")
      let sidecar = OutputNames.sidecar(of: scratch.path + "/" + name)
      #expect(sidecar.hasSuffix(".sidecar.json") && sidecar.utf8.count <= scratch.path.utf8.count + 1 + 255)
      #expect(String(decoding: Tool.bytes(of: sidecar), as: UTF8.self) == name)
    }
    #expect(OutputNames.sidecar(of: "a/out.mp4") == "a/out.mp4.sidecar.json")
  }

  @Test func aNameThatIsTooLongIsRefusedBeforeTheWork() throws {
    let scratch = try ScratchFolder()
    let files = LocalFiles(inputs: [:], outputs: ["main": scratch.path + "/" + String(repeating: "n", count: 256)])
    for attempt in [{ _ = try files.createOutput("main") }, { try files.checkOutput("main") }] as [() throws -> Void] {
      let error = #expect(throws: MediaError.self) { try attempt() }
      #expect(error?.code == .exists && error?.advice?.contains("255") == true)
    }
    #expect(scratch.names == [])
  }

  /// Descriptors of this process that lead into a folder.
  private func open(in folder: ScratchFolder) throws -> Int {
    let listing = try #require(opendir("/proc/self/fd"))
    defer { closedir(listing) }
    var count = 0
    while let entry = readdir(listing) {
      var buffer = [CChar](repeating: 0, count: 4096)
      let length = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { readlinkat(dirfd(listing), $0, &buffer, buffer.count) }
      }
      guard length > 0 else { continue }
      if String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self).hasPrefix(folder.path) { count += 1 }
    }
    return count
  }

  @Test(arguments: [false, true]) func manyOutputsOfOneRunKeepFewDescriptors(_ mayReplace: Bool) throws {
    let scratch = try ScratchFolder()
    if mayReplace { fclose(fopen(scratch.path + "/150", "w")) }
    let before = scratch.names
    let files = LocalFiles(inputs: [:], folders: ["pages": scratch.path], mayReplace: mayReplace)
    for number in 0..<300 {
      let output = try files.createOutput("pages/\(number)")
      let bytes = Array("page \(number)".utf8)
      #expect(pwrite(output.descriptor.rawValue, bytes, bytes.count, 0) == bytes.count)
    }
    #expect(try open(in: scratch) < 80)
    // One hidden folder, which another run leaves alone.
    _ = try LocalFiles(inputs: [:], outputs: ["main": scratch.path + "/other"]).createOutput("main")
    #expect(scratch.names.filter { !$0.hasPrefix(".reel-") } == before && scratch.names.count == before.count + 1)
    #expect(files.pendingOutputs.count == 300)
    for name in files.pendingOutputs { try files.completeOutput(name) }
    #expect(scratch.names == (0..<300).map(String.init).sorted())
    for number in [0, 150, 299] { #expect(text(scratch, String(number)) == "page \(number)") }
  }

  @Test func manyOutputsThatAreGivenUpLeaveNothing() throws {
    let scratch = try ScratchFolder()
    do {
      let files = LocalFiles(inputs: [:], folders: ["pages": scratch.path])
      for number in 0..<100 { _ = try files.createOutput("pages/\(number)") }
      // Taken meanwhile: not replaced.
      fclose(fopen(scratch.path + "/99", "w"))
      let error = #expect(throws: MediaError.self) { try files.completeOutput("pages/99") }
      #expect(error?.code == .exists)
    }
    #expect(scratch.names == ["99"] && text(scratch, "99") == "")
  }

  @Test func whatAKilledRunLeftWaitingIsSwept() throws {
    let scratch = try ScratchFolder()
    for name in [".reel-1-abc.partial", ".reel-2-abc.partial"] { mkdir(scratch.path + "/" + name, 0o700) }
    for name in [".reel-1-abc.partial/1", ".reel-1-abc.partial/2", ".reel-2-abc.partial/of somebody else"] {
      fclose(fopen(scratch.path + "/" + name, "w"))
    }
    _ = try LocalFiles(inputs: [:], outputs: ["main": scratch.path + "/out.txt"]).createOutput("main")
    #expect(scratch.names == [".reel-2-abc.partial"])
    unlink(scratch.path + "/.reel-2-abc.partial/of somebody else")
    rmdir(scratch.path + "/.reel-2-abc.partial")
  }

  @Test(arguments: [("missing.mp4", MediaError.Code.missing), ("", .missing), ("pipe", .missing)])
  func onlyRegularFilesAreInputs(_ name: String, _ code: MediaError.Code) throws {
    let scratch = try ScratchFolder()
    mkfifo(scratch.path + "/pipe", 0o600)
    let error = #expect(throws: MediaError.self) { try LocalFiles.openInput(path: scratch.path + "/" + name) }
    #expect(error?.code == code)
  }
}
