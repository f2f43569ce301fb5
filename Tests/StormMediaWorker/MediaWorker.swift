import Reelwright
import StormSupport

/// A worker of the kill storm that renders and encodes, each job in a sandboxed process, and dies in the middle of it.
enum MediaWorker {
  static func main() -> Int32 {
    StormWorker.main(slots: ["encode": 1]) { handlers, fate in
      let media = MediaJobHandler(.process(WorkerPool()))
      handlers.register("render") { context in
        // As long as the render takes, roughly: some die before its first frame, some after its last.
        if fate.draw(3) == 0 { fate.die("render", afterMicroseconds: UInt32(fate.draw(200_000))) }
        return try media.run(context)
      }
      handlers.register("encode", media)
    }
  }
}
