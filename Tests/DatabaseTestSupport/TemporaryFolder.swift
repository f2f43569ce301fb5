import FoundationEssentials
import Glibc

/// A fresh folder in `$TMPDIR` (default /tmp), removed with everything in it.
public final class TemporaryFolder: Sendable {
  public let path: String

  public init() {
    let place = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(place)/reelwright-test-XXXXXX".utf8CString)
    precondition(mkdtemp(&template) != nil)
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
