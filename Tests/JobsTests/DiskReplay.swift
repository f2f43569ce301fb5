import FoundationEssentials
import Glibc
import TestBasics

@testable import Jobs

/// What a disk saw, as the durability shim recorded it, replayed up to any point: what was flushed is there, what was not
/// is dropped, or kept in part.
struct DiskReplay {
  enum Step {
    case write(inode: UInt64, offset: Int, bytes: [UInt8])
    case truncate(inode: UInt64, length: Int)
    case flush(inode: UInt64)
    case flushFolder(String)
    case name(inode: UInt64, path: String)
    case rename(from: String, to: String)
    case unlink(String)
    case mark(String)
  }

  /// A change of a file's content that has not been flushed.
  private enum Pending {
    case write(offset: Int, bytes: [UInt8])
    case truncate(Int)
  }

  let steps: [Step]

  init(journal: [UInt8]) {
    var steps: [Step] = []
    var position = 0
    var renamedFrom = ""
    while let end = journal[position...].firstIndex(of: 10) {
      let text = String(decoding: journal[position..<end], as: UTF8.self)
      position = end + 1
      let rest = String(text.dropFirst(2))
      let fields = rest.split(separator: " ", maxSplits: text.hasPrefix("N") ? 1 : 8).map(String.init)
      switch text.first {
      case "W":
        let count = Int(fields[2]) ?? 0
        steps.append(.write(inode: UInt64(fields[0]) ?? 0, offset: Int(fields[1]) ?? 0, bytes: Array(journal[position..<position + count])))
        position += count
      case "T": steps.append(.truncate(inode: UInt64(fields[0]) ?? 0, length: Int(fields[1]) ?? 0))
      case "S": steps.append(.flush(inode: UInt64(rest) ?? 0))
      case "F": steps.append(.flushFolder(rest))
      case "N": steps.append(.name(inode: UInt64(fields[0]) ?? 0, path: fields[1]))
      case "R": renamedFrom = rest
      case "r": steps.append(.rename(from: renamedFrom, to: rest))
      case "U": steps.append(.unlink(rest))
      default: steps.append(.mark(rest))
      }
    }
    self.steps = steps
  }

  /// How much of what was not flushed is kept.
  enum Keep {
    /// Nothing: the worst disk that keeps its word.
    case nothing
    /// Each change with the probability one half, writes in pieces of a sector; names in the order of their changes.
    case some(seed: UInt64)
  }

  /// The files by path after the first `count` steps and a power failure.
  func files(after count: Int, _ keep: Keep) -> [String: [UInt8]] {
    var content: [UInt64: [UInt8]] = [:]
    var pending: [UInt64: [Pending]] = [:]
    var durableNames: [String: UInt64] = [:]
    var names: [String: UInt64] = [:]
    // Changes of names that are not flushed, in order: path and what it leads to, nil when removed.
    var pendingNames: [(path: String, inode: UInt64?)] = []
    for step in steps.prefix(count) {
      switch step {
      case .write(let inode, let offset, let bytes): pending[inode, default: []].append(.write(offset: offset, bytes: bytes))
      case .truncate(let inode, let length): pending[inode, default: []].append(.truncate(length))
      case .flush(let inode):
        for change in pending.removeValue(forKey: inode) ?? [] { DiskReplay.apply(change, to: &content[inode, default: []]) }
      case .name(let inode, let path):
        if names[path] != inode { pendingNames.append((path, inode)) }
        names[path] = inode
      case .rename(let from, let to):
        let inode = names.removeValue(forKey: from)
        names[to] = inode
        pendingNames += [(to, inode), (from, nil)]
      case .unlink(let path):
        if names.removeValue(forKey: path) != nil { pendingNames.append((path, nil)) }
      case .flushFolder(let folder):
        for change in pendingNames where PendingFile.split(change.path).folder == folder { durableNames[change.path] = change.inode }
        pendingNames.removeAll { PendingFile.split($0.path).folder == folder }
      case .mark: break
      }
    }
    if case .some(let seed) = keep {
      var random = SplitMix(state: seed)
      for change in pendingNames.prefix(Int(random.next() % UInt64(pendingNames.count + 1))) { durableNames[change.path] = change.inode }
      for (inode, changes) in pending.sorted(by: { $0.key < $1.key }) {
        for change in changes {
          if case .write(let offset, let bytes) = change {
            for start in stride(from: 0, to: bytes.count, by: 512) where random.next() % 2 == 0 {
              let sector = Array(bytes[start..<min(start + 512, bytes.count)])
              DiskReplay.apply(.write(offset: offset + start, bytes: sector), to: &content[inode, default: []])
            }
          } else if random.next() % 2 == 0 {
            DiskReplay.apply(change, to: &content[inode, default: []])
          }
        }
      }
    }
    return durableNames.mapValues { content[$0] ?? [] }
  }

  private static func apply(_ change: Pending, to content: inout [UInt8]) {
    switch change {
    case .truncate(let length):
      if length < content.count { content.removeLast(content.count - length) }
      if length > content.count { content += [UInt8](repeating: 0, count: length - content.count) }
    case .write(let offset, let bytes):
      let end = offset + bytes.count
      if content.count < end { content += [UInt8](repeating: 0, count: end - content.count) }
      content.replaceSubrange(offset..<end, with: bytes)
    }
  }
}
