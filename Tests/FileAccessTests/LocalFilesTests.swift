import FileAccess
import Glibc
import MediaCore
import Testing

/// A folder that goes away with the test.
private final class Scratch {
  let path: String
  init() {
    var template = Array("\(getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp")/reel-files-XXXXXX".utf8CString)
    mkdtemp(&template)
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
  deinit {
    for name in names { unlink(path + "/" + name) }
    rmdir(path)
  }
  var names: [String] {
    guard let listing = opendir(path) else { return [] }
    defer { closedir(listing) }
    var result: [String] = []
    while let entry = readdir(listing) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { result.append(name) }
    }
    return result.sorted()
  }
  func text(_ name: String) -> String {
    guard let file = fopen(path + "/" + name, "r") else { return "?" }
    defer { fclose(file) }
    var buffer = [UInt8](repeating: 0, count: 4096)
    return String(decoding: buffer[..<fread(&buffer, 1, 4096, file)], as: UTF8.self)
  }
}

@Suite struct LocalFilesTests {
  private func write(_ files: LocalFiles, _ text: String) throws {
    let output = try files.createOutput("main")
    let bytes = Array(text.utf8)
    #expect(pwrite(output.descriptor.rawValue, bytes, bytes.count, 0) == bytes.count)
  }

  @Test func anOutputIsInvisibleUntilItIsPublished() throws {
    let scratch = Scratch()
    let files = LocalFiles(inputs: [:], outputs: ["main": scratch.path + "/out.txt"])
    try write(files, "hello")
    #expect(scratch.names == [])
    try files.publish("main", sidecar: "{}")
    #expect(scratch.names == ["out.txt", "out.txt.sidecar.json"])
    #expect(scratch.text("out.txt") == "hello")
  }

  @Test func whatIsNotPublishedLeavesNothing() throws {
    let scratch = Scratch()
    do {
      let files = LocalFiles(inputs: [:], outputs: ["main": scratch.path + "/out.txt"])
      try write(files, "hello")
    }
    #expect(scratch.names == [])
  }

  @Test func theFirstWriterWins() throws {
    let scratch = Scratch()
    let first = LocalFiles(inputs: [:], outputs: ["main": scratch.path + "/out.txt"])
    let second = LocalFiles(inputs: [:], outputs: ["main": scratch.path + "/out.txt"])
    try write(first, "first")
    try write(second, "second")
    try first.publish("main", sidecar: "1")
    let error = #expect(throws: MediaError.self) { try second.publish("main", sidecar: "2") }
    #expect(error?.code == .exists)
    #expect(scratch.text("out.txt") == "first")
    #expect(scratch.text("out.txt.sidecar.json") == "1")
    #expect(scratch.names.count == 2)
  }

  @Test func replacingIsAtomicAndAsked() throws {
    let scratch = Scratch()
    for (text, replace) in [("one", false), ("two", true)] {
      let files = LocalFiles(inputs: [:], outputs: ["main": scratch.path + "/out.txt"], mayReplace: replace)
      try write(files, text)
      try files.publish("main", sidecar: text)
    }
    #expect(scratch.text("out.txt") == "two")
    #expect(scratch.text("out.txt.sidecar.json") == "two")
    let refused = LocalFiles(inputs: [:], outputs: ["main": scratch.path + "/out.txt"])
    #expect(throws: MediaError.self) { try refused.createOutput("main") }
    #expect(scratch.names.count == 2)
  }

  @Test func symbolicLinksAreRefusedEvenForReplacing() throws {
    let scratch = Scratch()
    symlink("/dev/null", scratch.path + "/out.txt")
    let files = LocalFiles(inputs: [:], outputs: ["main": scratch.path + "/out.txt"], mayReplace: true)
    let error = #expect(throws: MediaError.self) { try files.createOutput("main") }
    #expect(error?.code == .exists)
  }

  @Test func aSidecarWithoutItsOutputAndDeadPartialFilesAreSwept() throws {
    let scratch = Scratch()
    for name in ["out.txt.sidecar.json", ".out.txt.reel-1-abc.partial"] { fclose(fopen(scratch.path + "/" + name, "w")) }
    let files = LocalFiles(inputs: [:], outputs: ["main": scratch.path + "/out.txt"])
    _ = try files.createOutput("main")
    #expect(scratch.names == [])
  }

  @Test(arguments: [("missing.mp4", MediaError.Code.missing), ("", .missing), ("pipe", .missing)])
  func onlyRegularFilesAreInputs(_ name: String, _ code: MediaError.Code) throws {
    let scratch = Scratch()
    mkfifo(scratch.path + "/pipe", 0o600)
    let error = #expect(throws: MediaError.self) { try LocalFiles.openInput(path: scratch.path + "/" + name) }
    #expect(error?.code == code)
  }
}
