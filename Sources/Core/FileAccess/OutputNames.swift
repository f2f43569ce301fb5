/// Names of the files that stand beside an output. None is longer than the 255 bytes that a file system takes, whatever the
/// output is called: of a long name only the beginning is used, and a hash of the whole tells it from others.
public enum OutputNames {
  private static let sidecarEnding = ".sidecar.json"
  private static let longest = 255

  /// The path of the record beside the output at `path`: `PATH.sidecar.json`.
  ///
  /// Where the output's name is longer than 242 bytes, it is `BEGINNING~HASH.sidecar.json` of the same folder.
  public static func sidecar(of path: String) -> String {
    let start = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    return path[..<start] + shortened(String(path[start...]), to: longest - sidecarEnding.utf8.count) + sidecarEnding
  }

  /// Whether `name` is that of a sidecar.
  static func isSidecar(_ name: String) -> Bool { name.hasSuffix(sidecarEnding) }

  /// `.NAME.reel-TAG.partial`, for what becomes `name`.
  ///
  /// - Parameter tag: at most 80 bytes; tells attempts from each other.
  public static func temporary(for name: String, tag: String) -> String { temporaryBeginning(for: name) + tag + ".partial" }

  /// What the temporary names of `name` begin with, whatever their tags.
  public static func temporaryBeginning(for name: String) -> String { "." + shortened(name, to: 160) + ".reel-" }

  private static func shortened(_ name: String, to limit: Int) -> String {
    guard name.utf8.count > limit else { return name }
    // FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    var end = name.utf8.index(name.startIndex, offsetBy: limit - 17)
    while end.samePosition(in: name.unicodeScalars) == nil { name.utf8.formIndex(before: &end) }
    return name[..<end] + "~" + String(hash, radix: 16)
  }
}
