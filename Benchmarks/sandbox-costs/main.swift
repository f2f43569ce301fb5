// What isolation costs: wall time of an empty job in a worker process beside that of a program that links the same libraries
// and does nothing.
//   sandbox-costs WORKER [ROUNDS]      one JSON line on standard output; medians in milliseconds, rounds interleaved

let arguments = CommandLine.arguments
guard arguments.count >= 2 else { fatalError("usage: sandbox-costs WORKER [ROUNDS]") }
SandboxCosts(worker: arguments[1], rounds: arguments.count > 2 ? Int(arguments[2]) ?? 50 : 50).run()
