// probe-file FILE: what a file is.
import Reelwright

let files = LocalFiles(inputs: ["input": CommandLine.arguments[1]])
let report = try ProbeTask(inputs: ["input"]).run(in: TaskContext(files: files))
for file in report.files {
  for video in file.video { print("\(video.codec) \(video.displayWidth)x\(video.displayHeight), \(video.frameCount) frames") }
  for audio in file.audio { print("\(audio.codec) \(audio.sampleRate) Hz, \(audio.channels) channels") }
  if let error = file.error { print(error.message) }
}
