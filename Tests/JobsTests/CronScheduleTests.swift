import Jobs
import Testing

@Suite struct CronScheduleTests {
  /// Times by Python's croniter rules, worked out by hand from a calendar. 2026-01-01 is a Thursday.
  @Test(arguments: [
    ("* * * * *", 0, 60), ("15 * * * *", 0, 900), ("0 0 * * *", 0, 86_400), ("@hourly", 1, 3600),
    // Next Monday 2026-01-05; Sunday as 0 and as 7: 2026-01-04.
    ("30 6 * * mon", 0, 4 * 86_400 + 23_400), ("0 0 * * 0", 0, 3 * 86_400), ("0 0 * * 7", 0, 3 * 86_400),
    // Either day suffices when both are restricted: Friday 2026-01-02 comes before the 13th.
    ("0 0 13 * 5", 0, 86_400), ("0 0 1 feb *", 0, 31 * 86_400), ("*/20 10-12 * * *", 36_000, 37_200),
    // 2028-02-29: 2026 and 2027 have 365 days, then 31 + 28.
    ("0 0 29 2 *", 0, (730 + 59) * 86_400),
  ]) func nextTime(_ text: String, after: Int, expected: Int) throws {
    let start: Int64 = 1_767_225_600_000_000
    let next = try #require(try CronSchedule(text).next(after: start + Int64(after) * 1_000_000))
    #expect((next - start) / 1_000_000 == Int64(expected))
  }

  @Test(arguments: [
    "", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5-1 * * * *", "*/0 * * * *", "a * * * *",
    "0 0 30 2 *", "1,,2 * * * *", "1-2-3 * * * *",
  ])
  func wrongTextIsRefused(_ text: String) {
    #expect(throws: JobsError.self) { try CronSchedule(text) }
  }
}
