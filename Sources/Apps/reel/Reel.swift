import CommandLayer
import Glibc
import Reelwright

/// The tool `reel`: its commands, its overview, its entry.
enum Reel {
  static let version = Version.current

  /// Runs the process's command line.
  static func main() -> Int32 {
    Console.occupyStandardDescriptors()
    let cancellation = Cancellation()
    let words = Array(CommandLine.arguments.dropFirst())
    do throws(MediaError) {
      let watcher = try SignalWatcher(cancelling: cancellation)
      return tool.run(words, console: Console(), cancellation: cancellation, signalReceived: { watcher.signalReceived })
    } catch {
      return tool.report(error, words, console: Console())
    }
  }

  static var tool: Tool {
    Tool(
      Command(
        "reel", summary: "local media toolkit",
        discussion: """
          Probes, encodes and renders video, audio and images on this machine. Media is read in a sandboxed worker \
          process, an output appears whole or not at all, and nothing is sent anywhere.

          Times: 1.5, 1.5s, 250ms, 00:01:02.500, or 45f for the frame of index 45, from 0. Ranges are half-open: A..B.

          Exit status: 0 done, 64 usage, 65 media damaged or incomplete, 66 input missing, 69 not available here, 70 bug \
          in reel, 73 output exists or cannot be created, 74 I/O error, 75 try again later, 77 refused, 78 configuration, \
          130 or 143 cancelled.
          """,
        subcommands: commands),
      version: version, overview: overview, manualSections: manualSections)
  }

  static var commands: [Command] {
    [
      ProbeCommand.command,
      FramesCommand.command,
      EncodeCommand.command,
      RenderCommand.command,
      CheckCommand.command,
      TransitionsCommand.command,
      WatermarkCommand.command,
      JobsCommand.command,
      WorkerCommand.command,
      LogCommand.command,
      CloudCommand.command,
      LicenceCommand.command,
      CreatorsCommand.command,
      SchemaCommand.command,
      DoctorCommand.command,
    ]
  }

  static let overview = """
    reel \(version): local media toolkit

      reel probe clip.mp4                          what a file is
      reel encode clip.mov -o clip.mp4             a web-ready H.264 file
      reel render ad.reel.json -o ad.mp4           a video from a document

    'reel help' lists all commands, 'reel help COMMAND' explains one.

    """

  static let manualSections: [(title: String, text: String)] = [
    (
      "Exit status",
      """
        0 done; 64 usage; 65 media damaged, incomplete or not media; 66 input missing; 69 codec or feature not available here;
        70 bug in reel; 73 output exists or cannot be created; 74 I/O error; 75 try again later; 77 refused by a limit, a
        permission or a licence; 78 configuration; 130 and 143 cancelled by SIGINT and SIGTERM.
      """
    ),
    (
      "Files",
      """
        $XDG_STATE_HOME/reelwright  job store and log, readable by their owner only
        $XDG_CACHE_HOME/reelwright  caches, with a quota
        OUT.sidecar.json  beside an output: inputs with their hashes, parameters, versions, report
      """
    ),
    (
      "Environment",
      """
        NO_COLOR  no colour in the progress bar when set and not empty
        XDG_STATE_HOME, XDG_CACHE_HOME  default to ~/.local/state and ~/.cache
      """
    ),
  ]
}
