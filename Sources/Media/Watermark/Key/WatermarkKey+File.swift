internal import Crypto
public import FileAccess
internal import Glibc
public import MediaCore

extension WatermarkKey {
  /// Reads a key from an opened file, as a task gets it from its `Files`.
  ///
  /// The same checks as for a path: throws `refused` when others than its owner may read the file.
  public init(_ file: InputFile) throws(MediaError) {
    let name = file.displayName
    var status = stat()
    guard fstat(file.descriptor.rawValue, &status) == 0, status.st_mode & 0o077 == 0 else {
      throw MediaError(
        .refused, "cannot read \(name)", path: name, reason: "others than its owner may read it", advice: "chmod 600 \(name)")
    }
    var bytes = [UInt8](repeating: 0, count: 4096)
    defer { SecretBytes.wipe(&bytes) }
    let count = bytes.withUnsafeMutableBytes { pread(file.descriptor.rawValue, $0.baseAddress, $0.count, 0) }
    guard count >= 0 else {
      throw MediaError(.io, "cannot read \(name)", path: name, reason: String(cString: strerror(errno)))
    }
    try self.init(contents: SecretBytes(Array(bytes.prefix(count))), name: name)
  }
}
