import Glibc

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
}
