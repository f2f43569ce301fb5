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

  @Test(arguments: [("missing.mp4", MediaError.Code.missing), ("", .missing), ("pipe", .missing)])
  func onlyRegularFilesAreInputs(_ name: String, _ code: MediaError.Code) throws {
    let scratch = try ScratchFolder()
    mkfifo(scratch.path + "/pipe", 0o600)
    let error = #expect(throws: MediaError.self) { try LocalFiles.openInput(path: scratch.path + "/" + name) }
    #expect(error?.code == code)
  }
}
