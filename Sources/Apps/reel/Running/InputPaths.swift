import FoundationEssentials
import Glibc
import Reelwright

/// The files that arguments name: files as they are, folders by the media files in them.
enum InputPaths {
  /// Extensions that a folder's files are chosen by.
  private static let mediaExtensions: Set<String> = [
    "mp4", "m4v", "mov", "mkv", "webm", "avi", "ts", "m2ts", "mts", "mpg", "mpeg", "flv", "wmv", "3gp", "3g2", "ogv", "mxf", "y4m", "mp3",
    "m4a",
    "aac", "wav", "flac", "ogg", "opus", "jpg", "jpeg", "png", "webp", "gif", "heic", "avif", "bmp", "tif", "tiff",
  ]

  /// - Throws: `usage` when a folder holds no media file. A path that does not exist is kept: its item fails with its own error.
  static func expand(_ arguments: [String]) throws -> [String] {
    var paths: [String] = []
    for argument in arguments {
      if argument == "-" {
        throw MediaError(
          .usage, "cannot read standard input", path: argument, reason: "media is read by seeking in it, which a pipe cannot do",
          advice: "save it to a file first; a file of that name is ./-")
      }
      guard isFolder(argument) else {
        paths.append(argument)
        continue
      }
      let names = try FileManager.default.contentsOfDirectory(atPath: argument).sorted().filter {
        !$0.hasPrefix(".") && mediaExtensions.contains(pathExtension(of: $0))
      }
      if names.isEmpty {
        throw MediaError(
          .missing, "cannot read \(argument)", path: argument, reason: "the folder holds no media file", advice: "name files")
      }
      paths += names.map { argument.hasSuffix("/") ? argument + $0 : argument + "/" + $0 }
    }
    return paths
  }

  /// Whether two paths name the same file, or would if it existed.
  static func areSame(_ a: String, _ b: String) -> Bool {
    var (first, second) = (stat(), stat())
    if stat(a, &first) == 0, stat(b, &second) == 0 { return first.st_dev == second.st_dev && first.st_ino == second.st_ino }
    let plain = { (path: String) in path.split(separator: "/").filter { $0 != "." } }
    return a.hasPrefix("/") == b.hasPrefix("/") && plain(a) == plain(b)
  }

  /// Refuses what cannot be an output before any work is done for it: standard output has no place that appears whole or not at all,
  /// and a name may be too long.
  static func checkOutput(_ path: String) throws(MediaError) {
    if path == "-" {
      throw MediaError(
        .usage, "cannot write to standard output", path: path, reason: "an output appears whole or not at all, which a pipe cannot do",
        advice: "name a file; a file of that name is ./-")
    }
    guard name(of: path).utf8.count <= Int(NAME_MAX) else {
      throw MediaError(
        .exists, "cannot create \(path)", path: path, reason: String(cString: strerror(ENAMETOOLONG)),
        advice: "use a name of at most \(NAME_MAX) bytes")
    }
  }

  static func isFolder(_ path: String) -> Bool {
    var isFolder = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder
  }

  /// Makes a folder and those above it; one that exists is fine.
  ///
  /// - Returns: the folders that were made, outermost first.
  @discardableResult
  static func makeFolder(_ path: String) throws(MediaError) -> [String] {
    var made: [String] = []
    var prefix = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      prefix += part
      if mkdir(prefix, 0o777) == 0 {
        made.append(prefix)
      } else if errno != EEXIST {
        let reason = String(cString: strerror(errno))
        removeEmpty(made)
        throw MediaError(.exists, "cannot create the folder \(prefix)", path: prefix, reason: reason)
      }
      prefix += "/"
    }
    guard isFolder(path) else {
      throw MediaError(
        .exists, "cannot create the folder \(path)", path: path, reason: "a file is in its place", advice: "name another folder")
    }
    return made
  }

  /// Removes those of the folders that `makeFolder` made in which nothing came to stand.
  static func removeEmpty(_ made: [String]) {
    for folder in made.reversed() { rmdir(folder) }
  }

  /// Refuses a folder in which no file can be created, before any work is done for it.
  static func checkWritable(_ folder: String) throws(MediaError) {
    guard access(folder, W_OK | X_OK) != 0 else { return }
    throw MediaError(
      .exists, "cannot write to the folder \(folder)", path: folder, reason: String(cString: strerror(errno)),
      advice: "name another folder, or change its permissions")
  }

  /// Bytes of a file for weighing a batch; at least 1.
  static func weight(_ path: String) -> Double {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return Double(max(1, attributes?[.size] as? Int64 ?? Int64(attributes?[.size] as? Int ?? 1)))
  }

  static func name(of path: String) -> String { String(path.split(separator: "/").last ?? "") }

  /// The name without folder and extension.
  static func stem(of path: String) -> String {
    let name = name(of: path)
    guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return name }
    return String(name[..<dot])
  }

  /// The extension in lower case; empty when there is none.
  static func pathExtension(of path: String) -> String {
    let name = name(of: path)
    guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return "" }
    return name[name.index(after: dot)...].lowercased()
  }
}
