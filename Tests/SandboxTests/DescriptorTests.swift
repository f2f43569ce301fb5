import CSystem
import Glibc
import Testing

@Suite struct DescriptorTests {
  @Test("where close_range is missing, all descriptors up to the highest one are closed and no number beyond is tried")
  func listed() throws {
    // Beyond all that other tests have open.
    let first = fcntl(2, F_DUPFD_CLOEXEC, 900)
    let last = fcntl(2, F_DUPFD_CLOEXEC, 920)
    #expect(first >= 900 && last >= 920)
    let highest = rw_close_listed(first)
    #expect(highest >= last && highest < 100_000)
    #expect(fcntl(first, F_GETFD) < 0 && fcntl(last, F_GETFD) < 0 && fcntl(2, F_GETFD) >= 0)
  }
}
