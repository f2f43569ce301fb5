import Foundation
import Glibc
import TestSupport
import Testing

/// Signals and full disks: what a user sees and what is left.
@Suite("Interruptions", .serialized)
struct InterruptionTests {
  /// Starts a long encode, waits until it reports progress, sends signals, and returns how it ended.
  private func interrupt(_ scratch: Scratch, with signals: [Int32], pause: UInt32 = 0) throws -> (
    status: Int32, reason: Process.TerminationReason, errors: String
  ) {
    let clip = try scratch.clip("long.mp4", seconds: 20, size: "1280x720")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: ReelProgram.path)
    process.arguments = ["encode", clip, "-o", scratch.path("out.mp4"), "--progress", "json", "--speed", "slow"]
    let errors = Pipe()
    process.standardError = errors
    process.standardOutput = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    try process.run()
    var seen = Data()
    while !String(decoding: seen, as: UTF8.self).contains("\"frames\"") {
      let chunk = errors.fileHandleForReading.availableData
      if chunk.isEmpty { break }
      seen += chunk
    }
    for signal in signals {
      kill(process.processIdentifier, signal)
      usleep(pause)
    }
    seen += try errors.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    let lines = String(decoding: seen, as: UTF8.self).split(separator: "\n").filter { !$0.hasPrefix("{") }
    return (process.terminationStatus, process.terminationReason, lines.joined(separator: "\n"))
  }

  @Test("one signal cancels cleanly", arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
  func cancels(signal: Int32, status: Int32) throws {
    let scratch = try Scratch()
    let end = try interrupt(scratch, with: [signal])
    #expect(end.reason == .exit && end.status == status, "\(end.errors)")
    #expect(end.errors.contains("cancelled"))
    #expect(scratch.names == ["long.mp4"])
  }

  @Test("two signals at once are one request: timeout's, to a process and its group")
  func twiceAtOnce() throws {
    let scratch = try Scratch()
    let end = try interrupt(scratch, with: [SIGTERM, SIGTERM], pause: 20_000)
    #expect(end.reason == .exit && end.status == 143, "\(end.errors)")
    #expect(scratch.names == ["long.mp4"])
    // `timeout` says 124 when the program has left by itself.
    let worker = try Tool.run(
      "timeout", ["1", ReelProgram.path, "worker"], environment: ["HOME": scratch.folder, "XDG_STATE_HOME": scratch.path("state")])
    #expect(worker.status == 124 && worker.errors.contains("\"stopping\"") && worker.errors.contains("\"stopped\""), "\(worker.errors)")
  }

  @Test("a signal half a second after the first kills what does not end")
  func later() throws {
    let scratch = try Scratch()
    // It takes connections and never answers.
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listener) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, length) == 0 && getsockname(listener, $0, &length) == 0 }
    }
    try #require(isBound && listen(listener, 8) == 0)
    let environment = ["HOME": scratch.folder, "XDG_STATE_HOME": scratch.path("state"), "REELWRIGHT_LICENCE_KEY": "k"]
    let configured = try ReelProgram.run(
      "cloud", "configure", "http://127.0.0.1:\(address.sin_port.bigEndian)", "--purpose", "licence", "--server-key",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", environment: environment)
    #expect(configured.status == 0, "\(configured.errors)")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: ReelProgram.path)
    process.arguments = ["licence", "activate"]
    process.environment = environment
    process.standardError = FileHandle.nullDevice
    try process.run()
    var entry = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
    try #require(poll(&entry, 1, 30_000) == 1)
    kill(process.processIdentifier, SIGTERM)
    usleep(50_000)
    kill(process.processIdentifier, SIGTERM)
    usleep(800_000)
    #expect(process.isRunning)
    kill(process.processIdentifier, SIGTERM)
    process.waitUntilExit()
    #expect(process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGTERM)
  }

  @Test("kill -9 leaves nothing at the final path and no temporary file")
  func killed() throws {
    let scratch = try Scratch()
    let end = try interrupt(scratch, with: [SIGKILL])
    #expect(end.reason == .uncaughtSignal && end.status == SIGKILL)
    #expect(scratch.names == ["long.mp4"])
  }

  @Test("disk full: status 74, cause named, nothing left", .enabled(if: getuid() == 0, "needs root to mount a small tmpfs"))
  func diskFull() throws {
    let scratch = try Scratch()
    let clip = try scratch.clip("a.mp4", seconds: 4, size: "640x480")
    try FileManager.default.createDirectory(atPath: scratch.path("small"), withIntermediateDirectories: true)
    let command =
      "mount -t tmpfs -o size=64k tmpfs '\(scratch.path("small"))' && '\(ReelProgram.path)' encode '\(clip)' -o '\(scratch.path("small/out.mp4"))'"
    // A mount namespace of its own: the mount is gone with it whatever happens.
    let outcome = try Tool.run("unshare", ["-m", "sh", "-c", command + "; status=$?; ls -A '\(scratch.path("small"))'; exit $status"])
    #expect(outcome.status == 74, "\(outcome.errors)")
    #expect(outcome.errors.contains("No space left"), "\(outcome.errors)")
    #expect(outcome.output == "")
  }

  @Test(
    "disk full in mid-batch: whole videos stay, the rest is told, a second run goes on", .enabled(if: getuid() == 0, "needs root to mount"))
  func diskFullInABatch() throws {
    let scratch = try Scratch()
    _ = try scratch.clip("a.mp4", seconds: 2, size: "320x240")
    try scratch.write(
      """
      { "reel": 1, "canvas": { "width": 320, "height": 240, "frameRate": 25 }, "variables": { "row": { "type": "text" } },
        "sequence": [ { "media": "a.mp4" } ], "overlays": [ { "text": "{{row}}" } ], "output": { "preset": "standard", "speed": "ultrafast" } }
      """, to: "ad.reel.json")
    try scratch.write("row\n" + (0..<5).map { "row \($0)\n" }.joined(), to: "rows.csv")
    let small = scratch.path("small")
    try FileManager.default.createDirectory(atPath: small, withIntermediateDirectories: true)
    let batch = """
      XDG_CACHE_HOME='\(scratch.path("cache"))' '\(ReelProgram.path)' render '\(scratch.path("ad.reel.json"))' --data \
      '\(scratch.path("rows.csv"))' --out-dir '\(small)'
      """
    let one = try Tool.run(
      "sh", ["-c", "'\(ReelProgram.path)' render '\(scratch.path("ad.reel.json"))' --set row=x -o '\(scratch.path("one.mp4"))'"])
    try #require(one.status == 0, "\(one.errors)")
    let bytes = Tool.bytes(of: scratch.path("one.mp4")).count
    // Room for two and a half, their sidecars included.
    let outcome = try Tool.run(
      "unshare",
      [
        "-m", "sh", "-c",
        """
        mount -t tmpfs -o size=\((bytes + 16_384) * 5 / 2) tmpfs '\(small)' && \(batch); echo "status $?"; ls -A '\(small)'
        for file in '\(small)'/*.mp4; do ffmpeg -v error -i "$file" -f null - 2>&1; done
        mount -o remount,size=64m '\(small)'; \(batch); echo "status $?"; ls -A '\(small)'
        """,
      ])
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(lines.filter { $0.hasPrefix("status") } == ["status 74", "status 0"], "\(outcome.output) \(outcome.errors)")
    #expect(outcome.errors.contains("No space left"))
    let (full, more) = (lines.firstIndex(of: "status 74") ?? 0, lines.firstIndex(of: "status 0") ?? 0)
    let first = Set(lines[full..<more].filter { $0.hasSuffix(".mp4") || $0.hasSuffix(".json") || $0.hasPrefix(".") })
    let videos = first.filter { $0.hasSuffix(".mp4") }
    #expect((1...3).contains(videos.count) && first.count == 2 * videos.count, "\(first)")
    #expect(Set(lines[more...].filter { $0.hasSuffix(".mp4") }).count == 5)
  }

  @Test("read-only mount: status 73, nothing left", .enabled(if: getuid() == 0, "needs root to mount"))
  func readOnly() throws {
    let scratch = try Scratch()
    let clip = try scratch.clip("a.mp4")
    try FileManager.default.createDirectory(atPath: scratch.path("fixed"), withIntermediateDirectories: true)
    let command =
      "mount -t tmpfs -o ro tmpfs '\(scratch.path("fixed"))' && '\(ReelProgram.path)' encode '\(clip)' -o '\(scratch.path("fixed/out.mp4"))'"
    let outcome = try Tool.run("unshare", ["-m", "sh", "-c", command])
    #expect(outcome.status == 73, "\(outcome.errors)")
    #expect(outcome.errors.contains("Read-only"), "\(outcome.errors)")
  }

  @Test("two runs, one output: one wins whole, the other is refused")
  func twoRuns() throws {
    let scratch = try Scratch()
    let clip = try scratch.clip("a.mp4", seconds: 2, size: "320x240")
    let command = "'\(ReelProgram.path)' encode '\(clip)' -o '\(scratch.path("out.mp4"))'"
    let outcome = try Tool.run("bash", ["-c", "\(command) & first=$!; \(command); second=$?; wait $first; echo $? $second"])
    #expect(
      outcome.output.split(separator: "\n").last.map { Set($0.split(separator: " ")) } == ["0", "73"], "\(outcome.output) \(outcome.errors)"
    )
    #expect(scratch.names == ["a.mp4", "out.mp4", "out.mp4.sidecar.json"])
  }
}
