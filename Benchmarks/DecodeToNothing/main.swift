import Glibc
import Reelwright

// decode-to-nothing FILE THREADS: decodes the first video stream and drops the frames; prints how many there were.
guard CommandLine.arguments.count == 3, let threads = Int(CommandLine.arguments[2]) else {
  print("usage: decode-to-nothing FILE THREADS")
  exit(64)
}
do {
  let input = try LocalFiles.openInput(path: CommandLine.arguments[1])
  let source = try VideoDecodeSource(input, environment: MediaEnvironment(threads: threads))
  var frames = 0
  while try source.next() != nil { frames += 1 }
  print(frames)
} catch {
  print("decode-to-nothing: \(error)")
  exit(error.code.exitStatus)
}
