/// A time table in the five fields of cron: minute, hour, day of month, month, day of week (POSIX `crontab`), in UTC.
///
/// A field is `*`, a number, a range `a-b`, a step `*/n` or `a-b/n`, or a list of these; months and days of the week have
/// their English three-letter names too; 0 and 7 are Sunday. When both days are restricted, either one suffices, as
/// POSIX says. `@hourly`, `@daily`, `@weekly`, `@monthly` and `@yearly` are known.
public struct CronSchedule: Hashable, Sendable, CustomStringConvertible {
  public let description: String
  private let minutes: Set<Int>
  private let hours: Set<Int>
  private let days: Set<Int>
  private let months: Set<Int>
  private let weekdays: Set<Int>
  private let daysAreFree: Bool
  private let weekdaysAreFree: Bool

  /// - Throws: `invalidSpec` naming the field that is wrong, or when no date ever fits (30 February).
  public init(_ text: String) throws(JobsError) {
    let names = ["@hourly": "0 * * * *", "@daily": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *"]
    let fields = (names[text] ?? text).split(whereSeparator: \.isWhitespace).map(String.init)
    guard fields.count == 5 else {
      throw JobsError(.invalidSpec, "cannot read the schedule \(text.prefix(80))", reason: "it needs five fields, or @hourly … @yearly")
    }
    description = text
    minutes = try CronSchedule.parse(fields[0], "minute", 0...59)
    hours = try CronSchedule.parse(fields[1], "hour", 0...23)
    days = try CronSchedule.parse(fields[2], "day of month", 1...31)
    months = try CronSchedule.parse(
      fields[3], "month", 1...12, names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])
    let week = try CronSchedule.parse(fields[4], "day of week", 0...7, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"])
    weekdays = Set(week.map { $0 % 7 })
    daysAreFree = fields[2].hasPrefix("*")
    weekdaysAreFree = fields[4].hasPrefix("*")
    if next(after: 0) == nil {
      throw JobsError(.invalidSpec, "cannot read the schedule \(text.prefix(80))", reason: "no date ever fits it")
    }
  }

  private static func parse(
    _ field: String, _ name: String, _ range: ClosedRange<Int>, names: [String] = []
  ) throws(JobsError) -> Set<Int> {
    func wrong() -> JobsError {
      JobsError(
        .invalidSpec, "cannot read the \(name) \(field.prefix(40)) of a schedule",
        reason: "it must be *, a number in \(range.lowerBound)-\(range.upperBound), a range, a step, or a list of these")
    }
    func number(_ text: Substring) throws(JobsError) -> Int {
      if let index = names.firstIndex(of: text.lowercased()) { return index + range.lowerBound }
      guard let value = Int(text), range.contains(value) else { throw wrong() }
      return value
    }
    var result: Set<Int> = []
    for part in field.split(separator: ",", omittingEmptySubsequences: false) {
      let pieces = part.split(separator: "/", omittingEmptySubsequences: false)
      guard (1...2).contains(pieces.count) else { throw wrong() }
      var step = 1
      if pieces.count == 2 {
        guard let value = Int(pieces[1]), value > 0 else { throw wrong() }
        step = value
      }
      if pieces[0] == "*" {
        result.formUnion(stride(from: range.lowerBound, through: range.upperBound, by: step))
        continue
      }
      let ends = pieces[0].split(separator: "-", omittingEmptySubsequences: false)
      guard (1...2).contains(ends.count) else { throw wrong() }
      let first = try number(ends[0])
      let last = ends.count == 2 ? try number(ends[1]) : pieces.count == 2 ? range.upperBound : first
      guard first <= last else { throw wrong() }
      result.formUnion(stride(from: first, through: last, by: step))
    }
    return result
  }

  /// The first minute after `microseconds` (since 1970) that fits; nil when none does within 400 years.
  public func next(after microseconds: Int64) -> Int64? {
    let minute = Int64(floorDiv(microseconds, 60_000_000) + 1)
    var day = floorDiv(minute, 1440)
    var start = Int(minute - day * 1440)
    // The Gregorian calendar repeats after 146,097 days, a whole number of weeks.
    for _ in 0...146_097 {
      if fits(day: day) {
        for candidate in start..<1440 where hours.contains(candidate / 60) && minutes.contains(candidate % 60) {
          return (day * 1440 + Int64(candidate)) * 60_000_000
        }
      }
      day += 1
      start = 0
    }
    return nil
  }

  private func fits(day: Int64) -> Bool {
    let date = CronSchedule.civil(day)
    guard months.contains(date.month) else { return false }
    // 1970-01-01 was a Thursday.
    let weekday = Int((day % 7 + 11) % 7)
    let dayFits = days.contains(date.day)
    let weekdayFits = weekdays.contains(weekday)
    if daysAreFree || weekdaysAreFree { return dayFits && weekdayFits }
    return dayFits || weekdayFits
  }

  /// Days since 1970 to month and day (Hinnant, "chrono-compatible low-level date algorithms").
  private static func civil(_ day: Int64) -> (month: Int, day: Int) {
    let shifted = day + 719_468
    let era = floorDiv(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let month = (5 * dayOfYear + 2) / 153
    return (Int(month < 10 ? month + 3 : month - 9), Int(dayOfYear - (153 * month + 2) / 5 + 1))
  }
}

private func floorDiv(_ a: Int64, _ b: Int64) -> Int64 { a >= 0 ? a / b : -((b - 1 - a) / b) }
