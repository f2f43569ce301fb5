// Feeds made-up bytes to one of our parsers until it traps. Built by `make fuzz`.
//
//     fuzz-parsers [libFuzzer's options] [FOLDER OF SEEDS]      the parser is named by FUZZ_TARGET
//
// A parser may throw its own errors; everything else that ends the process is a finding, and so is a broken promise that
// `FuzzTarget` checks.

import CFuzzer
import Glibc

let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
guard let target = FuzzTarget(rawValue: name) else {
  print("FUZZ_TARGET is one of: " + FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))
  exit(64)
}
chosen = target
var count = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
exit(
  LLVMFuzzerRunDriver(&count, &arguments) { data, size in
    chosen.run(Array(UnsafeBufferPointer(start: data, count: size)))
    return 0
  })
