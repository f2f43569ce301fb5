import FileAccess
import Glibc
import MediaCore
import Sandbox

/// A program that embeds the sandbox, to be killed.
enum Orchestrator {
  private final class NoFiles: Files {
    func openInput(_ name: String) throws(MediaError) -> InputFile { throw none }
    func createOutput(_ name: String) throws(MediaError) -> OutputFile { throw none }
    func createScratch() throws(MediaError) -> Descriptor { throw none }
    private var none: MediaError { MediaError(.missing, "cannot open", reason: "there is nothing") }
  }

  static func run(tag: String) {
    var configuration = WorkerConfiguration()
    configuration.executable = "/proc/self/exe"
    configuration.arguments = [tag]
    let pool = WorkerPool(configuration)
    _ = try? pool.run(kind: "hang", payload: [], files: NoFiles()) { _ in print("running") }
  }
}
