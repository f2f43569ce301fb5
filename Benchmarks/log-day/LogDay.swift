import Crypto
import Glibc
import MetadataLog
import Storage
import Synchronization

/// `log-day FOLDER [EVENTS_PER_SECOND [HOURS]]`: a simulated day of a busy log before a hostile receiver on 127.0.0.1; by
/// default 24 hours at 100 events a second. The clock is simulated, the requests are real. Prints what was counted; status
/// 1 when an event is lost, came from nowhere or not as the API says, or the chain is broken.
///
/// Two minutes of a fault in every ten, a twelfth of the day without a receiver (no more than two hours), the clock two
/// hours ahead for a third of it.
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

  private static func events(_ rate: Int, _ moment: String) -> [LogEvent] {
    (0..<rate).map { index in
      LogEvent(
        index % 3 == 0 ? .jobFinished : .jobStarted,
        index % 3 == 0
          ? [.job: .text("m\(moment)-\(index)"), .task: "encode", .attempts: 1] : [.job: .text("m\(moment)-\(index)"), .attempt: 1])
    }
  }

  private static func run(_ folder: String, rate: Int, minutes: Int) throws -> Bool {
    let clock = Clock()
    let database = try SQLiteDatabase(path: folder + "/jobs.sqlite")
    let log = try MetadataLog(database: database, masterKey: MasterKey.load(folder + "/log.key"), clock: clock)
    let receiver = try Receiver(log)
    try log.setConsent(true)
    let first = try log.append(LogEvent(.jobStarted, [.job: "first", .attempt: 1]))
    let reporter = try Reporter(log: log, transport: receiver.client)
    var generator = KeyedGenerator(secret: SecretBytes([1]), label: "hostile day")
    var last = first
    var largestSpool: Int64 = 0
    var poisoned: Set<Int64> = []
    let outage = (minutes / 2)..<(minutes / 2 + min(120, minutes / 12))
    for minute in 0..<minutes {
      if outage.contains(minute) {
        if minute == outage.lowerBound { try receiver.misbehave(.timeOut) }
      } else if minute % 10 == 0 {
        try receiver.misbehave(Receiver.Fault.allCases[Int(generator.uniform(below: UInt32(Receiver.Fault.allCases.count)))])
      } else if minute % 10 == 2 || minute == outage.upperBound {
        try receiver.misbehave(nil)
      }
      if minute == minutes / 3 { clock.advance(seconds: 7200) }
      if minute == minutes * 2 / 3 { clock.advance(seconds: -7200) }
      for second in 0..<60 {
        let sequences = try log.append(events(rate, "\(minute)-\(second)"), durability: .crashSafe)
        last = sequences.last ?? last
        if minute % 200 == 7, second == 0, let spoiled = sequences.first {
          poisoned.insert(spoiled)
          try receiver.poison(poisoned)
        }
        clock.advance(seconds: 1)
        if second % 5 == 4 { _ = try reporter.drain() }
      }
      // Not `counts()`, which also counts the events of the whole log.
      let waiting = try database.read { try $0.integer("SELECT count(*) FROM log_outbox WHERE state = 0") ?? 0 }
      largestSpool = max(largestSpool, waiting)
      if minute % 60 == 59 { note("hour \(minute / 60 + 1): \(last) events, largest spool \(largestSpool)") }
    }
    try receiver.misbehave(nil)
    for _ in 0..<100_000 {
      if try log.counts().waiting == 0 { break }
      _ = try reporter.drain()
      clock.advance(seconds: 30)
    }
    return try report(log, receiver.summary(first...last), events: last - first + 1, poisoned: poisoned.count, largestSpool: largestSpool)
  }

  private static func report(
    _ log: MetadataLog, _ seen: Receiver.Summary, events: Int64, poisoned: Int, largestSpool: Int64
  ) throws -> Bool {
    let counts = try log.counts()
    let dropped = try log.droppedEvents()
    let fault = try log.verify().fault
    let unknown = Set(try log.sentBatches().map(\.digest)).subtracting(seen.receipts).count
    func object(_ counts: [String: Int]) -> String {
      "{" + counts.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }
    print(
      """
      {"events":\(events),"lost":\(seen.lost),"foreign":\(seen.foreign),"cameMoreThanOnce":\(seen.repeated),"otherHost":\(seen.otherHost),\
      "broken":\(object(seen.problems)),"quarantined":\(counts.quarantined),"poisoned":\(poisoned),"waiting":\(counts.waiting),\
      "dropped":\(dropped),"largestSpool":\(largestSpool),"ledgerWithoutReceipt":\(unknown),"requests":\(seen.requests),"replayed":\(seen.replayed),\
      "bytes":\(seen.bytes),"parsedByCloudEvents":\(seen.parsed),"faults":\(object(seen.met)),"chain":"\(fault?.reason ?? "whole")"}
      """)
    return seen.lost == 0 && seen.foreign == 0 && seen.otherHost == 0 && seen.problems.isEmpty && dropped == 0 && counts.waiting == 0
      && unknown == 0 && counts.quarantined == Int64(poisoned) && fault == nil
  }
}
