import Foundation
import Testing

@testable import CommandLayer

@Suite("Command lines")
struct CommandLineTests {
  @Test(
    "accepted forms",
    arguments: [
      (["make", "a", "b", "-o", "c"], "in=a,b out=c size=10 gain=0.0 mode=exact set= dry=false\n"),
      (["make", "-oc", "a"], "in=a out=c size=10 gain=0.0 mode=exact set= dry=false\n"),
      (["make", "--output=c=d", "a", "--dry-run"], "in=a out=c=d size=10 gain=0.0 mode=exact set= dry=true\n"),
      (["make", "a", "--set", "x=1=2", "--set=y="], "in=a out=- size=10 gain=0.0 mode=exact set=x→1=2,y→ dry=false\n"),
      (["make", "--gain", "-5", "--size", "100", "--mode", "fast", "a"], "in=a out=- size=100 gain=-5.0 mode=fast set= dry=false\n"),
      (["make", "--", "--size", "-"], "in=--size,- out=- size=10 gain=0.0 mode=exact set= dry=false\n"),
      (["make", "-", "-o", "-"], "in=- out=- size=10 gain=0.0 mode=exact set= dry=false\n"),
    ])
  func accepted(words: [String], expected: String) throws {
    let result = try run(words)
    #expect(result.error == "")
    #expect(result.output == expected)
    #expect(result.status == 0)
  }

  @Test(
    "refused forms",
    arguments: [
      (["mkae"], "tool: unknown command 'mkae': tool has no such command (did you mean 'tool make'?)\n"),
      (["zzz"], "tool: unknown command 'zzz': tool has no such command ('tool help' lists the commands)\n"),
      (["group", "iner"], "tool: unknown command 'group iner': tool group has no such command (did you mean 'tool group inner'?)\n"),
      (["make", "a", "--ouput", "c"], "tool: unknown option '--ouput': tool make has no such option (did you mean --output?)\n"),
      (["make", "a", "-q"], "tool: unknown option '-q': tool make has no such option ('tool make --help' lists its options)\n"),
      (["--json", "make"], "tool: unknown option '--json': options follow the command (as in 'tool make …')\n"),
      (["make"], "tool: make: IN is missing (usage: tool make IN… [LAST] [OPTIONS])\n"),
      (["make", "a", "-o"], "tool: make: -o needs a value (as in -o OUT)\n"),
      (["make", "a", "-o", "--dry-run"], "tool: make: -o needs a value (as in -o OUT)\n"),
      (["make", "a", "--dry-run=yes"], "tool: make: --dry-run takes no value\n"),
      (["make", "a", "--size", "0"], "tool: bad option --size: '0' is not a whole number from 1 to 100\n"),
      (["make", "a", "--size", "ten"], "tool: bad option --size: 'ten' is not a whole number from 1 to 100\n"),
      (["make", "a", "--gain", "nan"], "tool: bad option --gain: 'nan' is not a number from -10.0 to 10.0\n"),
      (
        ["make", "a", "--mode", "fsat"],
        "tool: bad option --mode: 'fsat' is not one of its values (did you mean fast? values: fast, exact)\n"
      ),
      (["make", "a", "--set", "x"], "tool: bad option --set: 'x' is not NAME=VALUE (as in --set name=value)\n"),
      (["make", "a", "-o", "b", "-o", "c"], "tool: make: -o is given twice (give it once)\n"),
      (["make", "a", "--output="], "tool: bad option --output: the value is empty\n"),
      (["fail", "io", "b"], "tool: fail: 'b' is one argument too many (usage: tool fail CODE [OPTIONS])\n"),
    ])
  func refused(words: [String], expected: String) throws {
    let result = try run(words)
    #expect(result.error == expected)
    #expect(result.output == "" || words.contains("--json"))
    #expect(result.status == 64)
  }

  @Test("an error is one line; details come with --verbose, a document with --json; the code decides the status")
  func errors() throws {
    let plain = try run(["fail", "damaged"])
    #expect(plain.status == 65)
    #expect(plain.error == "tool: cannot read a.mp4: it is broken (mend it)\n")
    #expect(try run(["fail", "damaged", "--verbose"]).error.hasSuffix("\n  first detail\n"))
    let json = try run(["fail", "io", "--json"])
    #expect(json.status == 74)
    let document = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    let error = try #require(document["error"] as? [String: Any])
    #expect(document["schema"] as? Int == 1)
    #expect(error["code"] as? String == "io")
    #expect(error["message"] as? String == "cannot read a.mp4: it is broken (mend it)")
    #expect(error["file"] as? String == "a.mp4")
  }

  @Test("a cancelled run exits with 128 + the signal", arguments: [(nil, 130), (2, 130), (15, 143)] as [(Int32?, Int32)])
  func cancelled(signal: Int32?, status: Int32) throws {
    #expect(try run(["fail", "cancelled"], signal: signal).status == status)
  }

  @Test("a command's own status is kept")
  func status() throws { #expect(try run(["group", "inner"]).status == 3) }

  @Test("output that cannot be written is an error")
  func fullOutput() throws {
    let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
    let error = Pipe()
    let console = Console(output: full.fileDescriptor, error: error.fileHandleForWriting.fileDescriptor)
    #expect(SampleTool.tool.run(["make", "a"], console: console) == 74)
  }

  private func run(_ words: [String], signal: Int32? = nil) throws -> (status: Int32, output: String, error: String) {
    try SampleTool.run(words, signal: signal)
  }
}
