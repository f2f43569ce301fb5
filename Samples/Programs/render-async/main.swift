// render-async DOC OUT: renders a document inside an async program; the render has a thread of its own.
import Reelwright

let arguments = CommandLine.arguments
let reel = try ReelFile(path: arguments[1])
let task = try reel.task(values: ["headline": "Go outside"])
let files = try reel.files(of: task, output: arguments[2])
let context = TaskContext(files: files, progress: { print("\(Int(($0.done ?? 0) * 100)) %") })

// Other work of the program goes on meanwhile; cancelling this task cancels the render, and nothing is left behind.
async let report = task.perform(in: context)
try files.publish(task.output, of: task, report: try await report)
print("\(try await report.outputs[0].frames) frames")
