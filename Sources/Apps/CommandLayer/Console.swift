import FoundationEssentials
import Glibc
public import MediaCore

/// Standard output and standard error.
///
/// Results go to standard output, everything else to standard error. Writes are whole and unbuffered; safe to use
/// from any thread.
public struct Console: Sendable {
  public let output: Int32
  public let error: Int32
  /// Whether standard error is a terminal that understands control sequences.
  public let isTerminal: Bool
  /// Whether colour may be used on standard error: a terminal, and `NO_COLOR` unset or empty.
  public let hasColor: Bool

  /// - Parameters:
  ///   - output: The descriptor for results. Default: standard output.
  ///   - error: The descriptor for progress and errors. Default: standard error.
  ///   - environment: Looked up for `TERM` and `NO_COLOR`. Default: that of the process.
  public init(output: Int32 = 1, error: Int32 = 2, environment: ((String) -> String?)? = nil) {
    self.output = output
    self.error = error
    let environment = environment ?? { name in getenv(name).map { String(cString: $0) } }
    isTerminal = isatty(error) == 1 && environment("TERM") != "dumb"
    hasColor = isTerminal && environment("NO_COLOR").map(\.isEmpty) ?? true
  }

  /// Takes descriptors 0 to 2 where they are closed, so that no file of ours gets their numbers. Writing to a closed standard output
  /// still fails. Call before anything is opened.
  public static func occupyStandardDescriptors() {
    for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) < 0 {
      // The lowest free number is this one.
      _ = open("/dev/null", descriptor == 2 ? O_WRONLY : O_RDONLY)
    }
  }

  /// Columns of the terminal on standard error. 80 where it is none.
  public var columns: Int {
    var size = winsize()
    guard ioctl(error, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Writes results. Throws `io` when standard output is full or closed, so that a lost result is never status 0.
  public func write(_ text: String) throws(MediaError) {
    try write(Array(text.utf8))
  }

  public func write(_ bytes: [UInt8]) throws(MediaError) {
    let failure = Console.send(bytes, to: output)
    if failure != 0 {
      throw MediaError(.io, "cannot write to standard output", reason: String(cString: strerror(failure)))
    }
  }

  /// Writes one JSON document with sorted keys and a final newline.
  public func writeJSON(_ value: some Encodable) throws {
    try write(Console.json(value) + [0x0A])
  }

  /// The JSON form that `reel` prints: sorted keys, two spaces, slashes as they are.
  public static func json(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(value))
  }

  /// Writes to standard error; a failure there has nowhere to go and is ignored.
  public func note(_ text: String) {
    _ = Console.send(Array(text.utf8), to: error)
  }

  /// The `errno` of the failure, 0 on success.
  private static func send(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
    bytes.withUnsafeBytes { buffer in
      var rest = buffer[...]
      while !rest.isEmpty {
        let written = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if written < 0 {
          if errno == EINTR { continue }
          return errno
        }
        rest = rest.dropFirst(written)
      }
      return 0
    }
  }
}
