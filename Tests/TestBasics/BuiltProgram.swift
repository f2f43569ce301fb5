import Glibc

/// A program of this package: it lies beside the tests, or in the folder that REELWRIGHT_TEST_PROGRAMS names. The sanitizers' runs name
/// that of a plain build: a sanitizer does not fit into a worker's limit of address space.
public func builtProgram(_ name: String) -> String {
  if let folder = getenv("REELWRIGHT_TEST_PROGRAMS") { return String(cString: folder) + "/" + name }
  var buffer = [CChar](repeating: 0, count: 4096)
  let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
  let executable = String(decoding: buffer.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  let built = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? executable
  return built.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/" + name
}
