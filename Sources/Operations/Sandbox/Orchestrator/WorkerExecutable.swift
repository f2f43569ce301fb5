import Glibc
import MediaCore

/// Finds the worker program.
enum WorkerExecutable {
  static func locate(_ configuration: WorkerConfiguration) throws(MediaError) -> String {
    if let given = configuration.executable { return try checked(given, named: "by the configuration") }
    if let given = environmentVariable("REELWRIGHT_WORKER") { return try checked(given, named: "by REELWRIGHT_WORKER") }
    let folder = runningProgramFolder()
    let places = [folder + "/reel-worker", folder + "/../libexec/reelwright/reel-worker"]
    for place in places where access(place, X_OK) == 0 { return place }
    throw MediaError(
      .configuration, "cannot start a worker process", reason: "there is no reel-worker in \(folder) or ../libexec/reelwright",
      advice: "install it beside this program, or name it in REELWRIGHT_WORKER")
  }

  static func environmentVariable(_ name: String) -> String? {
    guard let value = getenv(name) else { return nil }
    let text = String(cString: value)
    return text.isEmpty ? nil : text
  }

  private static func checked(_ path: String, named source: String) throws(MediaError) -> String {
    if access(path, X_OK) == 0 { return path }
    throw MediaError(
      .configuration, "cannot start a worker process", path: path,
      reason: "\(path), named \(source), is not a program: \(String(cString: strerror(errno)))", advice: "correct the path")
  }

  private static func runningProgramFolder() -> String {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = buffer.withUnsafeMutableBytes { readlink("/proc/self/exe", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count) }
    guard count > 0 else { return "." }
    let path = String(decoding: buffer.prefix(count), as: UTF8.self)
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
