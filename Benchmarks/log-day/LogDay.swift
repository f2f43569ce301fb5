import Crypto
import Glibc
import MetadataLog
import Storage
import Synchronization
import Transfer

/// `log-day FOLDER [EVENTS_PER_SECOND [HOURS]]`: a simulated day of a busy log before a hostile receiver; by default 24
/// hours at 100 events a second. Prints what was counted; status 1 when an event is lost, came from nowhere, or the chain is broken.
enum LogDay {
  final class Clock: WallClock {
    let now = Atomic<Int64>(1_767_225_600_000_000)
    func microseconds() -> Int64 { now.load(ordering: .relaxed) }
    func advance(seconds: Double) { now.add(Int64(seconds * 1e6), ordering: .relaxed) }
  }

  static func main() -> Int32 {
    let arguments = CommandLine.arguments
    guard arguments.count >= 2 else { return 64 }
    let rate = arguments.count > 2 ? Int(arguments[2]) ?? 100 : 100
    let hours = arguments.count > 3 ? Int(arguments[3]) ?? 24 : 24
    do {
      return try run(arguments[1], rate: rate, minutes: hours * 60) ? 0 : 1
    } catch {
      note("log-day: \(error)")
      return 70
    }
  }

  private static func note(_ text: String) {
    let bytes = Array((text + "\n").utf8)
    _ = write(2, bytes, bytes.count)
  }

  private static func run(_ folder: String, rate: Int, minutes: Int) throws -> Bool {
    let clock = Clock()
    let database = try SQLiteDatabase(path: folder + "/jobs.sqlite")
    let log = try MetadataLog(database: database, masterKey: MasterKey.load(folder + "/log.key"), clock: clock)
    try log.register(TransferURL("https://cloud.example/v1/events"), for: .reporting)
    try log.setConsent(true)
    let first = try log.append(LogEvent(.jobStarted, [.job: "first", .attempt: 1]))
    let receiver = Receiver(events: rate * 60 * minutes + 1000)
    let reporter = try Reporter(log: log, transport: receiver)
    var generator = KeyedGenerator(secret: SecretBytes([1]), label: "hostile day")
    var last: Int64 = 0
    var largestSpool: Int64 = 0
    var poisoned: Set<Int> = []
    let faults = Receiver.Fault.allCases
    for minute in 0..<minutes {
      // Two minutes of a fault in every ten: each of them comes many times in a day.
      switch minute % 10 {
      case 0: receiver.state.withLock { $0.fault = faults[Int(generator.uniform(below: UInt32(faults.count)))] }
      case 2: receiver.state.withLock { $0.fault = nil }
      default: break
      }
      // The clock jumps: two hours ahead, then back.
      if minute == minutes / 3 { clock.advance(seconds: 7200) }
      if minute == minutes * 2 / 3 { clock.advance(seconds: -7200) }
      for second in 0..<60 {
        let events = (0..<rate).map { index in
          LogEvent(
            index % 3 == 0 ? .jobFinished : .jobStarted,
            index % 3 == 0
              ? [.job: .text("m\(minute)-\(second)-\(index)"), .task: "encode", .attempts: 1]
              : [.job: .text("m\(minute)-\(second)-\(index)"), .attempt: 1])
        }
        let sequences = try log.append(events, durability: .crashSafe)
        last = sequences.last ?? last
        if minute % 200 == 7, second == 0, let spoiled = sequences.first {
          poisoned.insert(Int(spoiled))
          receiver.state.withLock { _ = $0.poison.insert(Int(spoiled)) }
        }
        clock.advance(seconds: 1)
        if second % 5 == 4 { _ = try reporter.drain() }
      }
      // At the end of each fault it is largest.
      if minute % 10 == 1 { largestSpool = max(largestSpool, try log.counts().waiting) }
      if minute % 60 == 59 {
        note("hour \(minute / 60 + 1): \(last) events, largest spool \(largestSpool)")
      }
    }
    receiver.state.withLock { $0.fault = nil }
    for _ in 0..<10_000 {
      if try log.counts().waiting == 0 { break }
      _ = try reporter.drain()
      clock.advance(seconds: 30)
    }
    return try report(log, receiver, first: Int(first), last: Int(last), poisoned: poisoned, largestSpool: largestSpool)
  }

  private static func report(
    _ log: MetadataLog, _ receiver: Receiver, first: Int, last: Int, poisoned: Set<Int>, largestSpool: Int64
  ) throws -> Bool {
    let state = receiver.state.withLock { $0 }
    var lost = 0
    var repeated = 0
    var foreign = state.strangeEvents
    for (number, count) in state.deliveries.enumerated() {
      let isExpected = (first...last).contains(number) && !poisoned.contains(number)
      if isExpected, count == 0 { lost += 1 }
      if isExpected, count > 1 { repeated += 1 }
      if !isExpected, count > 0 { foreign += 1 }
    }
    let counts = try log.counts()
    let dropped = try log.droppedEvents()
    let fault = try log.verify().fault
    let met = state.met.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\"\($0.key.rawValue)\":\($0.value)" }.joined(separator: ",")
    print(
      """
      {"events":\(last - first + 1),"lost":\(lost),"foreign":\(foreign),"cameMoreThanOnce":\(repeated),"foreignHosts":\(state.foreignHosts),\
      "quarantined":\(counts.quarantined),"poisoned":\(poisoned.count),"waiting":\(counts.waiting),"dropped":\(dropped),\
      "largestSpool":\(largestSpool),"requests":\(state.requests),"bytes":\(state.bytes),"faults":{\(met)},"chain":"\(fault?.reason ?? "whole")"}
      """)
    return lost == 0 && foreign == 0 && state.foreignHosts == 0 && dropped == 0 && counts.waiting == 0
      && counts.quarantined == Int64(poisoned.count) && fault == nil
  }
}
