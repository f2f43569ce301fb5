// encode-ten-lines IN OUT: a web-ready file at most 240 lines high.
import Reelwright

let arguments = CommandLine.arguments
var task = EncodeTask()
task.bounds = FrameSize(0, 240)
let files = LocalFiles(inputs: [task.input: arguments[1]], outputs: [task.output: arguments[2]])
let report = try task.run(in: TaskContext(files: files))
try files.publish(task.output, of: task, report: report)
print("\(report.outputs[0].frames) frames")
