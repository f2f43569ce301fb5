import Glibc
import StormSupport

/// `storm-worker STORE FOLDER SEED LEASE_SECONDS`, or `storm-worker record FOLDER JOURNAL COUNT`.
enum PlainWorker {
  static func main() -> Int32 {
    let arguments = CommandLine.arguments
    guard arguments.count == 5, arguments[1] == "record" else {
      return StormWorker.main(slots: ["cpu": 2]) { StormWorker.registerPlain(&$0, $1) }
    }
    do {
      try Recording.run(folder: arguments[2], journal: arguments[3], count: Int(arguments[4]) ?? 1)
      return 0
    } catch {
      return 70
    }
  }
}
