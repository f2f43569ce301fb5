public import Crypto
internal import Glibc
internal import MediaCore

/// Where the installation's master key comes from.
public enum MasterKey {
  /// The key in `path`; made there, with mode 0600, when there is none and `makes` is true, which is the default.
  ///
  /// A systemd credential called `reelwright-log-key` goes first (`$CREDENTIALS_DIRECTORY`). Throws `refused` when the
  /// file is open to others, `configuration` when it does not hold 32 bytes, `missing` when it is not there and not to be made.
  public static func load(_ path: String, makes: Bool = true) throws(MetadataLogError) -> SecretBytes {
    let credential = getenv("CREDENTIALS_DIRECTORY").map { String(cString: $0) + "/reelwright-log-key" }
    do {
      if let credential, access(credential, F_OK) == 0 { return try checked(SecretFile.read(credential)) }
      if makes, access(path, F_OK) != 0 {
        let key = SecretBytes(randomByteCount: 32)
        var bytes = key.exposedBytes()
        defer { SecretBytes.wipe(&bytes) }
        do {
          try SecretFile.create(path, contents: bytes)
          return key
        } catch {
          // Another process made it at the same moment.
          guard error.code == .exists, access(path, F_OK) == 0 else { throw error }
        }
      }
      return try checked(SecretFile.read(path))
    } catch let error as MediaError {
      throw MetadataLogError(
        error.code == .refused ? .refused : error.code == .missing ? .missing : .configuration, "cannot read the log's key",
        reason: error.reason, advice: error.advice)
    } catch { throw error as! MetadataLogError }
  }

  private static func checked(_ key: SecretBytes) throws(MetadataLogError) -> SecretBytes {
    guard key.count == 32 else {
      throw MetadataLogError(.configuration, "cannot read the log's key", reason: "it has \(key.count) bytes instead of 32")
    }
    return key
  }
}
