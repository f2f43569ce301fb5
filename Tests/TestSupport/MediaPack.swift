import Glibc
public import Testing

/// The pack of real media files that lies beside the checkout (`../shared/media`) or where `REELWRIGHT_MEDIA` says.
public enum MediaPack {
  /// The folder; nil when there is none here.
  public static let folder: String? = {
    if let value = getenv("REELWRIGHT_MEDIA") { return String(cString: value) }
    var path = #filePath[...]
    while let slash = path.lastIndex(of: "/") {
      path = path[..<slash]
      let candidate = path + "/shared/media"
      if access(candidate + "/MANIFEST.tsv", R_OK) == 0 { return String(candidate) }
    }
    return nil
  }()

  public static var isPresent: Bool { folder != nil }

  /// The path of a file by its name in the manifest; nil when it is not there.
  public static func path(_ name: String) -> String? {
    folder.map { $0 + "/" + name }.flatMap { access($0, R_OK) == 0 ? $0 : nil }
  }

  /// Whether the slow part of the suite was asked for.
  public static var isSlowRun: Bool { getenv("REELWRIGHT_SLOW").map { String(cString: $0) == "1" } ?? false }

  /// One line of the manifest.
  public struct Entry: Sendable, CustomTestStringConvertible {
    public let name: String
    /// Whether a full decode with FFmpeg is free of complaints.
    public let isClean: Bool
    public let isLarge: Bool
    public var testDescription: String { name }
  }

  /// All files of the manifest; empty without the pack.
  public static let manifest: [Entry] = {
    guard let folder else { return [] }
    let lines = String(decoding: Tool.bytes(of: folder + "/MANIFEST.tsv"), as: UTF8.self).split(separator: "\n").dropFirst()
    return lines.compactMap { line in
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
      guard fields.count > 11 else { return nil }
      let sides = fields[5].split(separator: "x").compactMap { Int($0) }
      return Entry(
        name: String(fields[0]), isClean: fields[11] == "clean" || fields[11].hasPrefix("rc0;0"), isLarge: sides.reduce(1, *) > 2_500_000)
    }
  }()
}
