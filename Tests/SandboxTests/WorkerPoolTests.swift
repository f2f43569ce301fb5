import FileAccess
import Glibc
import MediaCore
import Synchronization
import TestBasics
import Testing

@testable import Sandbox

@Suite struct WorkerPoolTests {
  @Test(arguments: [false, true])
  func aTaskGetsItsPayloadAndAnswers(_ template: Bool) throws {
    let pool = attackPool(template: template)
    for size in [0, 1, 70_000, 5_000_000] {
      let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      let result = try pool.run(kind: "echo", payload: payload, files: MemoryFiles())
      #expect(result.bytes == payload)
      #expect(result.isolation.seccompMode == 2)
      #expect(result.isolation.noNewPrivileges && !result.isolation.isDumpable)
      #expect(result.isolation.capabilities == 0)
      #expect(result.isolation.landlockABI == result.isolation.kernelLandlockABI)
      #expect(result.isolation.resourceLimits >= 4)
      #expect(result.peakResidentBytes > 0)
    }
  }

  @Test(arguments: [false, true])
  func filesComeByNameAsDescriptors(_ template: Bool) throws {
    let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
    let files = MemoryFiles(["in": bytes])
    #expect(try attackPool(template: template).text("copy", files: files) == "shown-in 300000")
    #expect(files.output("out") == bytes)
    #expect(files.opened == ["in"])
    #expect(try attackPool(template: template).text("scratch", "12345") == "5")
  }

  @Test func aRefusedFileArrivesAsItsError() throws {
    let error = try #require(attackPool().failure("open", "absent"))
    #expect(error.code == .missing)
    #expect(error.description == "cannot open absent: no such input (name it)")
    #expect(error.path == "absent" && error.details == ["detail"])
  }

  @Test func limitsReachTheTask() throws {
    var limits = Limits()
    limits.streams = 3
    let text = try attackPool().text("limits", limits: limits)
    #expect(text.contains("streams=3 ") && text.contains("memory=8192 "))
  }

  @Test func aTaskErrorArrivesWhole() throws {
    let error = try #require(attackPool().failure("fail", "it"))
    #expect(error.code == .damaged)
    #expect(error.description == "cannot do it: r (a)")
    #expect(error.path == "p" && error.details == ["d1", "d2"])
    #expect(error.workerDeath == nil)
  }

  @Test func progressAndLogArrive() throws {
    let seen = Mutex<[Progress]>([])
    let result = try attackPool().run(kind: "report", payload: [], files: MemoryFiles()) { progress in
      seen.withLock { $0.append(progress) }
    }
    #expect(result.log == (0...10).map { "line \($0)" })
    #expect(seen.withLock { $0.last?.done } == 1)
  }

  @Test(arguments: [false, true])
  func nothingIsInherited(_ template: Bool) throws {
    // Without close-on-exec, on purpose.
    let secret = open("/etc/passwd", O_RDONLY)
    let high = fcntl(secret, F_DUPFD, 300)
    setenv("REELWRIGHT_TEST_SECRET", "1", 1)
    defer {
      close(secret)
      close(high)
      unsetenv("REELWRIGHT_TEST_SECRET")
    }
    let pool = attackPool(template: template)
    #expect(try pool.text("descriptors") == "-1")
    let environment = try pool.text("environment")
    #expect(!environment.contains("SECRET") && !environment.contains("HOME="))
    #expect(environment.contains("SWIFT_BACKTRACE=enable=no"))
  }

  @Test func threadsWorkUnderTheFilter() throws { #expect(try attackPool().text("threads") == "16000") }

  // MARK: Death

  @Test(arguments: [false, true])
  func aCrashIsADamagedInput(_ template: Bool) throws {
    let pool = attackPool(template: template)
    for (kind, cause) in [("crash", "SIGSEGV"), ("abort", "SIGABRT")] {
      let error = try #require(pool.failure(kind))
      #expect(error.code == .damaged)
      #expect(error.workerDeath == cause)
      #expect(error.description.contains("crashed (\(cause))"))
    }
    let error = try #require(pool.failure("trap"))
    #expect(error.code == .damaged)
    #expect(["SIGILL", "SIGTRAP"].contains(error.workerDeath))
  }

  @Test("a warm process that is killed ends its workers: that is named, is worth another try, and is no crash of the job")
  func theTemplateIsKilled() throws {
    var place = Array("/tmp/reelwright-template-XXXXXX".utf8CString)
    let descriptor = mkstemp(&place)
    defer {
      close(descriptor)
      unlink(place)
    }
    let path = String(decoding: place.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    // The shell becomes the template and leaves its number.
    let pool = attackPool(template: true) { $0.launcher = ["/bin/sh", "-c", "echo $$ >> \(path); exec \"$0\" \"$@\""] }
    func templates() -> [pid_t] {
      let bytes = Descriptor(owning: dup(descriptor)).bytes(at: 0, count: 4096)
      return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { pid_t($0) }
    }
    for round in 1...2 {
      do throws(MediaError) {
        _ = try pool.run(kind: "hang", payload: [], files: MemoryFiles()) { _ in
          if let template = templates().last { kill(template, SIGKILL) }
        }
      } catch {
        #expect(error.code == .retryLater && error.code.exitStatus == 75)
        #expect(error.reason.contains("warm process") && error.reason.contains("SIGKILL"), "\(error)")
        #expect(error.workerDeath == nil)
      }
      // The next task finds a new one.
      #expect(try pool.text("copy", files: MemoryFiles(["in": [1, 2]])) == "shown-in 2")
      #expect(templates().count == round + 1)
    }
  }

  @Test func anExitWithoutAnswerIsABug() throws {
    for status in [0, 3] {
      let error = try #require(attackPool().failure("exit", "\(status)"))
      #expect(error.code == .bug && error.workerDeath == "exit status \(status)")
    }
  }

  @Test func theErrorNamesTheInputThatWasBeingRead() throws {
    let error = try #require(attackPool().failure("open-and-crash", "in", files: MemoryFiles(["in": [1]])))
    #expect(error.operation == "cannot open-and-crash shown-in")
    #expect(error.path == "shown-in" && error.workerDeath == "SIGSEGV")
  }

  @Test func outputBytesAreLimited() throws {
    var limits = Limits()
    limits.outputBytes = 1 << 20
    let error = try #require(attackPool().failure("fill", limits: limits))
    #expect(error.reason == String(cString: strerror(EFBIG)))
  }

  @Test(arguments: [false, true])
  func memoryIsLimited(_ template: Bool) throws {
    var limits = Limits()
    limits.memoryMebibytes = 400
    let pool = attackPool(template: template)
    #expect(try pool.text("allocate", "\(1 << 30)", limits: limits) == "\(-ENOMEM)")
    let error = try #require(pool.failure("grow", limits: limits))
    #expect(error.code == .refused)
    #expect(error.reason.contains("memory=400"))
    #expect(error.advice?.contains("--limit memory=") == true)
  }

  @Test func wallTimeIsLimited() throws {
    var limits = Limits()
    limits.wallSeconds = 1
    for kind in ["hang", "spin", "flood", "flood-log"] {
      let error = try #require(attackPool().failure(kind, limits: limits))
      #expect(error.code == .refused)
      #expect(error.reason.contains("wall=1"))
    }
  }

  @Test func aWorkerThatClosesItsSocketIsEnded() throws {
    var limits = Limits()
    limits.wallSeconds = 1
    // Whether its own reader notices first or the wall limit does depends on timing; either way it is over.
    let error = try #require(attackPool().failure("close", limits: limits))
    #expect(error.workerDeath == "exit status 0" || error.reason.contains("wall=1"))
  }

  @Test func processorTimeIsLimited() throws {
    let error = try #require(attackPool { $0.cpuSeconds = 1 }.failure("spin"))
    #expect(["SIGXCPU", "SIGKILL"].contains(error.workerDeath))
  }

  @Test func openFilesAreLimited() throws {
    let error = try #require(attackPool { $0.openFiles = 32 }.failure("hoard"))
    #expect(error.code == .refused)
    #expect(error.reason.contains("too many open files"))
  }

  @Test func aBrokenProtocolEndsTheWorker() throws {
    var generator = SplitMix(state: 3)
    let garbage = (0..<64).map { _ in UInt8.random(in: 128...255, using: &generator) }
    let forged: [[UInt8]] = [
      garbage, [255, 255, 255, 255, FrameKind.result.rawValue, 0, 0, 0], Frame.encoded(.cancel), Frame.encoded(.forked, [1]),
      Frame.encoded(.request, [0, 0, 0, 0, 9]), Frame.encoded(.failure, [1, 2, 3]),
      Frame.encoded(.ready, [UInt8](repeating: 0, count: 46)),
    ]
    for bytes in forged {
      do throws(MediaError) {
        _ = try attackPool().run(kind: "raw", payload: bytes, files: MemoryFiles())
        Issue.record("a broken protocol was accepted: \(bytes)")
      } catch {
        #expect(error.code == .damaged)
        #expect(error.workerDeath == "protocol")
      }
    }
  }

  // MARK: Cancelling

  @Test(arguments: [false, true])
  func aTaskIsCancelledByAskingAndByForce(_ template: Bool) throws {
    let pool = attackPool(template: template) { $0.cancelGraceSeconds = 0.2 }
    for kind in ["wait", "hang"] {
      let cancellation = Cancellation()
      let error = try #require(pool.failure(kind, cancellation: cancellation) { _ in cancellation.cancel() })
      #expect(error.code == .cancelled)
    }
  }

  @Test func aCancelledTaskIsNotStarted() throws {
    let cancellation = Cancellation()
    cancellation.cancel()
    let files = MemoryFiles(["in": [1]])
    #expect(attackPool().failure("copy", files: files, cancellation: cancellation)?.code == .cancelled)
    #expect(files.opened.isEmpty)
  }

  // MARK: Processes

  @Test func aTemplateThatDiedIsReplaced() throws {
    let tag = "tag-\(UInt64.random(in: 0 ... .max))"
    let pool = attackPool(template: true) { $0.arguments = [tag] }
    #expect(try pool.text("echo", "a") == "a")
    let templates = processes(withArgument: tag)
    #expect(templates.count == 1)
    for template in templates { kill(template, SIGKILL) }
    #expect(try pool.text("echo", "b") == "b")
  }

  @Test func manyTasksSideBySide() throws {
    let pool = attackPool(template: true)
    let done = Monitor(0)
    try runThreads(8) { number in
      for step in 0..<5 {
        let text = "\(number) \(step)"
        if (try? pool.text("echo", text)) == text { done.update { $0 += 1 } }
      }
    }
    #expect(done.wait { $0 } == 40)
  }

  @Test func nothingIsLeftBehind() throws {
    let tag = "tag-\(UInt64.random(in: 0 ... .max))"
    let before = openDescriptorCount()
    do {
      let pool = attackPool(template: true) { $0.arguments = [tag] }
      for kind in ["echo", "crash", "fail", "exit"] { _ = pool.failure(kind) }
      #expect(processes(withArgument: tag).count == 1)
    }
    #expect(processes(withArgument: tag).isEmpty)
    // Other tests of this process run beside; a leak of this one would be several a task.
    #expect(openDescriptorCount() < before + 64)
  }

  @Test func workersDieWithTheirOrchestrator() throws {
    let tag = "tag-\(UInt64.random(in: 0 ... .max))"
    let orchestrator = shell("'\(attackProgram)' orchestrate \(tag) >/dev/null 2>&1 & echo $!")
    let processID = try #require(Int32(orchestrator.split(whereSeparator: \.isNewline).first ?? ""))
    // The orchestrator itself, its template and the worker.
    #expect(eventually { processes(withArgument: tag).count == 3 })
    kill(processID, SIGKILL)
    #expect(eventually { processes(withArgument: tag).isEmpty })
  }

  @Test func aMissingProgramIsNamed() throws {
    let error = try #require(attackPool { $0.executable = "/nowhere/reel-worker" }.failure("echo"))
    #expect(error.code == .configuration)
    #expect(error.description.contains("/nowhere/reel-worker"))
  }

  @Test func aProgramThatIsNoWorkerIsAnError() throws {
    for program in ["/bin/true", "/bin/cat"] {
      for template in [false, true] {
        #expect(attackPool(template: template) { $0.executable = program }.failure("echo") != nil)
      }
    }
  }

  @Test func startedByHandItSaysSo() {
    let text = shell("'\(attackProgram)' 3>&- 2>&1 </dev/null; echo $?")
    #expect(text.contains("started by reel") && text.contains("64"))
  }
}

/// Waits up to ten seconds for something to become true.
private func eventually(_ condition: () -> Bool) -> Bool {
  for _ in 0..<1000 {
    if condition() { return true }
    usleep(10_000)
  }
  return condition()
}

private func openDescriptorCount() -> Int { entries("/proc/self/fd").count }

private func entries(_ folder: String) -> [String] {
  guard let handle = opendir(folder) else { return [] }
  defer { closedir(handle) }
  var names: [String] = []
  while let entry = readdir(handle) {
    names.append(withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
  }
  return names
}

/// Living processes that have `argument` on their command line.
private func processes(withArgument argument: String) -> [pid_t] {
  entries("/proc").compactMap { pid_t($0) }.filter { processID in
    let file = open("/proc/\(processID)/cmdline", O_RDONLY)
    guard file >= 0 else { return false }
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = read(file, &buffer, buffer.count)
    return count > 0 && buffer[..<count].split(separator: 0).contains { $0.elementsEqual(argument.utf8) }
  }
}
