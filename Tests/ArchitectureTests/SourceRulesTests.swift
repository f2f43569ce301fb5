import Testing

@Suite("Rules of the house")
struct SourceRulesTests {
  /// Code without comments and string contents, so that prose does not count.
  private static func code(_ line: Substring) -> String {
    var result = ""
    var isQuoted = false
    var previous: Character = " "
    for character in line {
      if character == "\"" && previous != "\\" { isQuoted.toggle() }
      if !isQuoted && character == "/" && previous == "/" { return String(result.dropLast()) }
      if !isQuoted { result.append(character) }
      previous = character
    }
    return result
  }

  @Test("Core/ and Media/ hold no asynchronous code", arguments: ["Sources/Core", "Sources/Media"])
  func mediaFloorsAreSynchronous(folder: String) throws {
    let forbidden: Set<String> = [
      "async", "await", "TaskGroup", "AsyncStream", "DispatchQueue", "DispatchSemaphore", "actor", "Foundation", "Dispatch",
    ]
    for file in try SourceTree.files(below: folder) {
      for (number, line) in file.lines.enumerated() {
        let words = Set(SourceRulesTests.code(line).split { !($0.isLetter || $0 == "_") }.map(String.init))
        let startsTask = SourceRulesTests.code(line).contains(/(^|[^A-Za-z])Task( \{|\.detached|\.init|\(priority)/)
        #expect(!startsTask, "\(file.path):\(number + 1): \(line)")
        #expect(words.isDisjoint(with: forbidden), "\(file.path):\(number + 1): \(line)")
      }
    }
  }

  @Test("the reader of code drops comments and strings")
  func codeReader() {
    #expect(SourceRulesTests.code("let a = b // await c").contains("await") == false)
    #expect(SourceRulesTests.code("say(\"async\")").contains("async") == false)
    #expect(SourceRulesTests.code("x = y / await").contains("await"))
  }

  @Test("no file is longer than 800 lines")
  func filesAreShort() throws {
    for folder in ["Sources", "Tests", "Samples", "Benchmarks"] {
      for file in try SourceTree.files(below: folder, suffixes: [".swift", ".c", ".h", ".py"]) {
        #expect(file.lines.count <= 800, "\(file.path) has \(file.lines.count) lines")
      }
    }
  }

  @Test("public interfaces show no pointer, except for the C floor")
  func noPointersInPublicInterfaces() throws {
    for folder in ["Sources/Core", "Sources/Media", "Sources/Operations", "Sources/Reelwright"] {
      for file in try SourceTree.files(below: folder) {
        for (number, line) in file.lines.enumerated() {
          let code = SourceRulesTests.code(line)
          guard code.contains("public ") else { continue }
          #expect(
            !code.contains("UnsafePointer") && !code.contains("UnsafeMutablePointer") && !code.contains("OpaquePointer"),
            "\(file.path):\(number + 1)")
        }
      }
    }
  }

  @Test("global state is constant")
  func noGlobalMutableState() throws {
    for file in try SourceTree.files(below: "Sources") {
      for (number, line) in file.lines.enumerated() {
        let isGlobal = ["var ", "public var ", "private var ", "fileprivate var ", "nonisolated(unsafe) var "].contains {
          line.hasPrefix($0)
        }
        #expect(!(isGlobal && !line.contains("{")), "\(file.path):\(number + 1): \(line)")
        #expect(!SourceRulesTests.code(line).contains("nonisolated(unsafe) static var"), "\(file.path):\(number + 1): \(line)")
      }
    }
  }

  @Test("no machine's own paths")
  func noMachinePaths() throws {
    let forbidden = ["/" + "work/", "/" + "tmp/clips"]
    for folder in ["Sources", "Tests"] {
      for file in try SourceTree.files(below: folder, suffixes: [".swift", ".c", ".h"]) {
        for text in forbidden { #expect(!file.text.contains(text), "\(file.path) holds \(text)") }
      }
    }
  }
}
