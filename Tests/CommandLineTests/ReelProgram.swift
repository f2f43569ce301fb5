import Foundation
import TestSupport

/// The built `reel`, run as a user runs it.
struct ReelProgram {
  /// The executable beside the test bundle.
  static let path: String = {
    let bundle = Bundle.allBundles.map(\.bundlePath).first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent("reel").path
  }()

  @discardableResult
  static func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Tool.Outcome {
    try Tool.run(path, arguments, environment: environment)
  }

  static func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Tool.Outcome {
    try Tool.run(path, arguments, environment: environment)
  }

  /// The only JSON document on standard output.
  static func json(_ outcome: Tool.Outcome) throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    guard let document = object as? [String: Any] else { throw Tool.Failure(description: "not an object: \(outcome.output.prefix(200))") }
    return document
  }
}
