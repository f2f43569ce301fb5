import Crypto
import DatabaseTestSupport
import Glibc
import MetadataLog
import Storage
import Synchronization
import Testing
import Transfer

struct LogKeeperTests {
  private func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
    for _ in 0..<1000 {
      if try condition() { return true }
      usleep(20_000)
    }
    return false
  }

  @Test("sends what is appended, purges what is due, and leaves the place to the next when it ends")
  func keeps() throws {
    let fixture = try LogFixture()
    let cloud = HostileCloud()
    try fixture.log.register(TransferURL("https://cloud.example/v1/events"), for: .reporting)
    try fixture.log.setConsent(true)
    try fixture.log.append(LogEvent(.jobStarted, [.job: "old", .attempt: 1]))
    fixture.clock.advance(seconds: 100_000)
    let keeper = try LogKeeper(fixture.log, transport: cloud)
    let second = try LogKeeper(fixture.log, transport: cloud)
    keeper.start()
    #expect(try eventually { try !fixture.log.entries().contains { $0.event.fields[.job] == "old" } })
    // Made after the purge: what is gone from the log is not in the copy.
    #expect(eventually { access(fixture.folder.path + "/jobs.sqlite.backup", F_OK) == 0 })
    second.start()
    try fixture.log.append(sampleEvents())
    #expect(eventually { cloud.state.withLock { $0.deliveries.count } >= 5 })
    keeper.stop()
    let before = cloud.state.withLock { $0.deliveries.count }
    try fixture.log.append(sampleEvents())
    #expect(eventually { cloud.state.withLock { $0.deliveries.count } >= before + 5 })
    second.stop()
    #expect(cloud.state.withLock { $0.deliveries.values.allSatisfy { $0 == 1 } })
    #expect(try fixture.log.verify().fault == nil)
  }
}
