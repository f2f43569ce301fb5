import Foundation
import Testing

@testable import CommandLayer

@Suite("Help, manual page and completion")
struct HelpTests {
  @Test("help X and X --help are the same text", arguments: [["make"], ["fail"], ["group"], ["group", "inner"], ["help"]])
  func sameText(path: [String]) throws {
    let first = try SampleTool.run(["help"] + path)
    let second = try SampleTool.run(path + ["--help"])
    #expect(first.status == 0 && first.output == second.output)
    #expect(first.output.hasPrefix("tool \(path.joined(separator: " ")): "))
    #expect(try SampleTool.run(path + ["-h"]).output == first.output)
  }

  @Test("alone it prints the overview; --version the version; help all commands")
  func overview() throws {
    #expect(try SampleTool.run([]).output == "overview\n")
    #expect(try SampleTool.run(["--version"]).output == "tool 1.2\n")
    let all = try SampleTool.run(["--help"]).output
    #expect(try SampleTool.run(["help"]).output == all)
    for name in ["make", "fail", "group", "help"] { #expect(all.contains("\n  \(name) ")) }
  }

  @Test("the whole text of one command")
  func golden() throws {
    #expect(
      try SampleTool.run(["help", "make"]).output == """
        tool make: makes a thing

        Usage: tool make IN… [LAST] [OPTIONS]

        It makes one thing from many.

        Arguments:
          IN    What to read.
          LAST  The last one.

        Options:
          -o, --output OUT   Where to write. Default: none.
          --size N           How big. Default: 10.
          --gain X           How loud. Default: 0.
          --mode fast|exact  How. Default: exact.
          --set K=V …        Sets a variable. Default: none.
          --dry-run          Only says what it would do. Default: off.

        Common options:
          --json     Print exactly one JSON document on standard output, errors
                     included. Default: off.
          --verbose  Print the details of an error and what is being done. Default: off.
          --quiet    Print nothing but results and errors. Default: off.

        Examples:
          tool make a b -o c
              makes c

        """)
  }

  @Test("lines of help fit 80 columns where words allow")
  func width() throws {
    for line in try SampleTool.run(["help", "make"]).output.split(separator: "\n") { #expect(line.count <= 80) }
  }

  @Test("the manual page is accepted by groff without a warning", .enabled(if: Shell.has("groff")))
  func manualPage() throws {
    let page = try SampleTool.run(["help", "--man"]).output
    #expect(page.contains(".SS tool make IN… [LAST] [OPTIONS]"))
    let result = try Shell.run("groff -man -Tutf8 -ww -K utf8 -z", input: page)
    #expect(result.output == "" && result.status == 0)
  }

  @Test(
    "bash completes commands, options and values", .enabled(if: Shell.has("bash")),
    arguments: [
      (["tool", "ma"], "make"), (["tool", "group", ""], "inner"), (["tool", "make", "--dr"], "--dry-run"),
      (["tool", "make", "--mode", "f"], "fast"), (["tool", "make", "x", "--mode", ""], "fast exact"),
    ])
  func bash(words: [String], expected: String) throws {
    let script = try SampleTool.run(["help", "--completion", "bash"]).output
    let line = words.map { "'\($0)'" }.joined(separator: " ")
    let result = try Shell.run(
      "bash --norc", input: script + "\nCOMP_WORDS=(\(line)); COMP_CWORD=\(words.count - 1); _tool; echo \"${COMPREPLY[*]}\"\n")
    #expect(result.output == expected + "\n")
  }

  @Test("zsh and fish scripts parse", arguments: [("zsh", "zsh -n"), ("fish", "fish --no-execute")])
  func otherShells(shell: String, command: String) throws {
    let script = try SampleTool.run(["help", "--completion", shell]).output
    for name in ["make", "group", "inner", "dry-run"] { #expect(script.contains(name)) }
    guard Shell.has(shell) else { return }
    #expect(try Shell.run(command + " /dev/stdin", input: script).status == 0)
  }
}
