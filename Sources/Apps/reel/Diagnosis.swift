import FoundationEssentials
import Glibc
import Reelwright

/// What `reel doctor` looks at.
enum Diagnosis {
  struct Finding: Encodable {
    enum State: String, Encodable {
      case ok, note, problem
    }
    var name: String
    var state: State
    var value: String
    /// What to do about a note or a problem.
    var advice: String?
  }

  static func findings() -> [Finding] {
    [ffmpeg(), processor()] + encoders() + [filters(), worker(), isolation(), fonts(), state(), clock()]
  }

  private static func ffmpeg() -> Finding {
    let libraries = Capabilities.libraries.map { "\($0.name) \($0.version)" }.joined(separator: ", ")
    return Finding(name: "FFmpeg", state: .ok, value: "\(FFmpegLibraries.version): \(libraries)")
  }

  private static func processor() -> Finding {
    Finding(name: "processor", state: .ok, value: "\(sysconf(Int32(_SC_NPROCESSORS_ONLN))) cores")
  }

  /// The encoders that presets and `--codec` name; one of each kind is enough.
  private static func encoders() -> [Finding] {
    let kinds: [(codec: String, encoders: [String], isNeeded: Bool)] = [
      ("H.264", ["libx264"], true), ("AAC", ["aac"], true), ("HEVC", ["libx265"], false), ("VP9", ["libvpx-vp9"], false),
      ("AV1", ["libsvtav1", "libaom-av1", "librav1e"], false), ("ProRes", ["prores_ks"], false), ("FFV1", ["ffv1"], false),
      ("Opus", ["libopus"], false), ("MP3", ["libmp3lame"], false),
    ]
    return kinds.map { kind in
      let present = kind.encoders.filter(Capabilities.hasEncoder)
      let advice = "install an FFmpeg build with \(kind.encoders[0])"
      let name = "\(kind.codec) encoder"
      if !present.isEmpty { return Finding(name: name, state: .ok, value: present.joined(separator: ", ")) }
      return Finding(name: name, state: kind.isNeeded ? .problem : .note, value: "not there", advice: advice)
    }
  }

  private static func filters() -> Finding {
    let wanted = ["zscale", "tonemap", "loudnorm", "ebur128", "bwdif", "rubberband"]
    let missing = wanted.filter { !Capabilities.hasFilter($0) }
    if missing.isEmpty { return Finding(name: "filters", state: .ok, value: wanted.joined(separator: ", ")) }
    return Finding(
      name: "filters", state: .note, value: "missing: " + missing.joined(separator: ", "), advice: "install a fuller FFmpeg build")
  }

  private static func worker() -> Finding {
    let path = directoryOfThisProgram() + "/reel-worker"
    if access(path, X_OK) == 0 { return Finding(name: "worker", state: .ok, value: path) }
    return Finding(
      name: "worker", state: .problem, value: "\(path) is not there", advice: "install reel-worker beside reel, or use --isolation none")
  }

  /// What holds a worker back, as a worker that was started for this says itself.
  private static func isolation() -> Finding {
    let advice = "--isolation none runs without isolation: only for files that you trust"
    do throws(MediaError) {
      let run = try TaskExecutor().run(ProbeTask(inputs: []), in: TaskContext(files: LocalFiles(inputs: [:])))
      guard let report = run.isolation else {
        return Finding(name: "isolation", state: .problem, value: "the worker does not say what holds it back", advice: advice)
      }
      let seccomp = report.seccompMode == 2 ? "seccomp filter" : "no seccomp filter"
      let value = "Landlock ABI \(report.landlockABI) (kernel: \(report.kernelLandlockABI)), \(seccomp)"
      if report.notEnforced.isEmpty { return Finding(name: "isolation", state: .ok, value: value) }
      return Finding(
        name: "isolation", state: .note, value: "\(value); not enforced: \(report.notEnforced.joined(separator: ", "))",
        advice: "a newer kernel enforces them")
    } catch {
      return Finding(name: "isolation", state: .problem, value: error.reason, advice: error.advice ?? advice)
    }
  }

  private static func fonts() -> Finding {
    let folders = ["/usr/share/fonts", "/usr/local/share/fonts", home() + "/.fonts", home() + "/.local/share/fonts"]
    let extensions: Set<String> = ["ttf", "otf", "ttc", "pfb"]
    let count = folders.reduce(0) { total, folder in
      let paths = (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
      return total + paths.count { extensions.contains(String($0.split(separator: ".").last ?? "").lowercased()) }
    }
    if count > 0 { return Finding(name: "fonts", state: .ok, value: "\(count) font files") }
    return Finding(name: "fonts", state: .note, value: "none", advice: "install fonts-dejavu-core for captions and labels")
  }

  private static func state() -> Finding {
    let folder = (environment("XDG_STATE_HOME") ?? home() + "/.local/state") + "/reelwright"
    var status = stat()
    guard stat(folder, &status) == 0 else {
      return Finding(name: "state", state: .ok, value: "\(folder), made on first use")
    }
    let mode = status.st_mode & 0o777
    if mode & 0o077 != 0 {
      return Finding(name: "state", state: .problem, value: "\(folder) is open to others", advice: "chmod 700 \(folder)")
    }
    return Finding(name: "state", state: .ok, value: folder)
  }

  /// A clock before this program was written breaks retention and signatures.
  private static func clock() -> Finding {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    let built = 1_735_689_600  // 2025-01-01T00:00:00Z
    if time.tv_sec < built {
      return Finding(name: "clock", state: .problem, value: "the clock is set to before 2025", advice: "set the clock")
    }
    return Finding(name: "clock", state: .ok, value: Date(timeIntervalSince1970: Double(time.tv_sec)).ISO8601Format())
  }

  private static func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }

  private static func home() -> String { environment("HOME") ?? "/" }

  static func directoryOfThisProgram() -> String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    guard count > 0 else { return "." }
    let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
  }
}
