import FoundationEssentials
import Testing

/// The package's own files, found from where this file was compiled.
enum SourceTree {
  struct File: Sendable, CustomTestStringConvertible {
    /// Relative to the package: `"Sources/Core/MediaCore/Rational.swift"`.
    let path: String
    let text: String
    var testDescription: String { path }
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    /// The floor and target below `Sources/`: `("Core", "MediaCore")`. The umbrella is both.
    var place: (floor: String, target: String) {
      let parts = path.split(separator: "/").map(String.init)
      return parts[1] == "Reelwright" ? ("Reelwright", "Reelwright") : (parts[1], parts[2])
    }

    /// The modules that the file imports.
    var imports: [String] {
      lines.compactMap { line in
        let words = line.split(separator: " ").filter { !$0.hasPrefix("@") && !["public", "internal", "package"].contains($0) }
        return words.count >= 2 && words[0] == "import" ? String(words[1]) : nil
      }
    }
  }

  static let root: String = {
    let parts = #filePath.split(separator: "/").dropLast(3)
    return "/" + parts.joined(separator: "/")
  }()

  static func read(_ path: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(fileURLWithPath: root + "/" + path)), as: UTF8.self)
  }

  /// All files below a folder whose names end in one of the suffixes.
  static func files(below folder: String, suffixes: [String] = [".swift"]) throws -> [File] {
    let paths = try FileManager.default.subpathsOfDirectory(atPath: root + "/" + folder)
    return try paths.filter { path in suffixes.contains { path.hasSuffix($0) } }.sorted().map {
      File(path: folder + "/" + $0, text: try read(folder + "/" + $0))
    }
  }
}
