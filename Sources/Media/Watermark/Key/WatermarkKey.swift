public import Crypto
public import MediaCore

/// The secret that places, rotates and scrambles a watermark: 128 random bits.
///
/// Who has it can find, forge and remove marks made with it; who does not has no way to tell a marked video. It
/// lives in a file that only its owner can read and is never printed, logged or put into a job.
///
/// The file is text, three lines: `reelwright-watermark-key 1` (the number is the format version, which fixes the
/// mapping of `CarrierLayout`), `id` and 8 hex digits, `secret` and 32 hex digits. The id is derived from the secret,
/// so that a damaged file is noticed.
public struct WatermarkKey: Sendable {
  /// The only mapping from key to carrier that exists so far.
  public static let currentFormatVersion = 1
  /// 128 bits.
  public static let secretByteCount = 16

  /// Names the key without revealing it: 32 bits derived from the secret.
  public let id: WatermarkKeyID
  /// Which mapping from key to carrier applies.
  public let formatVersion: Int

  let secret: SecretBytes

  package init(secret: SecretBytes, formatVersion: Int = WatermarkKey.currentFormatVersion) {
    precondition(secret.count == Self.secretByteCount)
    self.secret = secret
    self.formatVersion = formatVersion
    let digest = secret.derived("reelwright watermark key id", byteCount: 16).exposedBytes()
    id = WatermarkKeyID(digest.prefix(4).reduce(0) { $0 << 8 | UInt32($1) })
  }

  /// A new key from the system's random source.
  public static func generate() -> WatermarkKey { WatermarkKey(secret: SecretBytes(randomByteCount: secretByteCount)) }

  /// Reads a key file. Throws `missing` when there is none, `refused` when others than its owner can read it, and
  /// `configuration` when it is not a whole key of a known format version.
  public init(path: String) throws(MediaError) {
    let contents = try SecretFile.read(path, maximumByteCount: 4096)
    try self.init(contents: contents, name: path)
  }

  /// Parses the contents of a key file; `name` is used in messages.
  public init(contents: SecretBytes, name: String) throws(MediaError) {
    var bytes = contents.exposedBytes()
    defer { SecretBytes.wipe(&bytes) }
    func bad(_ reason: String) -> MediaError {
      MediaError(
        .configuration, "cannot use watermark key \(name)", path: name, reason: reason,
        advice: "a key is made by `reel watermark keygen`; restore the file from its backup")
    }
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true).map { String(decoding: $0, as: UTF8.self) }
    let header = lines.first?.split(separator: " ") ?? []
    guard header.count == 2, header[0] == "reelwright-watermark-key" else { throw bad("it is not a watermark key file") }
    guard let version = Int(header[1]) else { throw bad("its format version is not a number") }
    guard version == Self.currentFormatVersion else {
      throw bad("its format version is \(version), this version of Reelwright knows \(Self.currentFormatVersion)")
    }
    guard lines.count == 3, lines[1].hasPrefix("id "), lines[2].hasPrefix("secret "), let secret = Hex.decode(lines[2].dropFirst(7)),
      secret.count == Self.secretByteCount
    else { throw bad("it is truncated or damaged") }
    self.init(secret: SecretBytes(secret), formatVersion: version)
    guard lines[1].dropFirst(3) == id.description else { throw bad("its id and its secret do not belong together") }
  }

  /// Writes the key to a new file with mode 0600. Throws `exists` when the path is taken.
  public func create(at path: String) throws(MediaError) {
    let text = "reelwright-watermark-key \(formatVersion)\nid \(id)\nsecret \(Hex.encode(secret.exposedBytes()))\n"
    try SecretFile.create(path, contents: Array(text.utf8))
  }
}

/// Names a key: 32 bits, written as 8 hex digits.
public struct WatermarkKeyID: Hashable, Sendable, CustomStringConvertible {
  public let value: UInt32
  public init(_ value: UInt32) { self.value = value }

  public var description: String { fixedHex(UInt64(value), digits: 8) }
}

func fixedHex(_ value: UInt64, digits: Int) -> String {
  let text = String(value, radix: 16)
  return String(repeating: "0", count: max(0, digits - text.count)) + text
}
