/// The one writing connection. The first caller who finds it free leads: it runs everything that has queued in the
/// meantime in one SQLite transaction, each piece in its own savepoint, and commits once for all.
final class GroupCommit: @unchecked Sendable {
  /// One caller's piece of work. Touched by its caller before it is queued and after it is finished, by the leader between.
  private final class Piece: @unchecked Sendable {
    let durability: Durability
    /// Runs the body, keeping its result; throws what it throws. Given up before the piece is finished: the body is
    /// its caller's and must not be held when the caller goes on.
    var run: ((SQLiteTransaction) throws -> Void)?
    var bells: Set<String> = []
    var failure: (any Error)?
    var isFinished = false

    init(_ durability: Durability, _ run: @escaping (SQLiteTransaction) throws -> Void) {
      self.durability = durability
      self.run = run
    }
  }

  private struct Queue {
    var waiting: [Piece] = []
    var hasLeader = false
  }

  /// Used only by the leader.
  private let connection: SQLiteConnection
  private let path: String
  private let groupSize: Int
  private let queue = Monitor(Queue())

  init(_ connection: SQLiteConnection, path: String, groupSize: Int) {
    self.path = path
    self.connection = connection
    self.groupSize = max(1, groupSize)
  }

  func perform<Result>(
    _ durability: Durability, _ body: (any Transaction) throws -> Result
  ) throws -> (Result, Set<String>) {
    try withoutActuallyEscaping(body) { body in
      var result: Result?
      let piece = Piece(durability) { result = try body($0) }
      submit(piece)
      if let failure = piece.failure { throw failure }
      guard let result else { throw StorageError(.misuse, "cannot write", reason: "a transaction ended without a result") }
      return (result, piece.bells)
    }
  }

  func truncateLog() throws(StorageError) {
    queue.wait { state -> Void? in
      guard !state.hasLeader else { return nil }
      state.hasLeader = true
      return ()
    }
    defer { queue.signal { $0.hasLeader = false } }
    let rows = try connection.query("PRAGMA wal_checkpoint(TRUNCATE)", [])
    if rows.first?.integer(0) == 1 {
      throw StorageError(.busy, "cannot truncate the log", reason: "a reader still uses it", advice: "try again")
    }
  }

  private func submit(_ piece: Piece) {
    queue.withLock { $0.waiting.append(piece) }
    while true {
      // Either somebody else finishes this piece, or the lead is free and taken here with all that waits.
      let group: [Piece] = queue.wait { state in
        if piece.isFinished { return [] }
        guard !state.hasLeader else { return nil }
        state.hasLeader = true
        let group = Array(state.waiting.prefix(groupSize))
        state.waiting.removeFirst(group.count)
        return group
      }
      if group.isEmpty { return }
      commit(group)
      for member in group { member.run = nil }
      queue.signal { state in
        for member in group { member.isFinished = true }
        state.hasLeader = false
      }
    }
  }

  private func commit(_ group: [Piece]) {
    do {
      let durability: Durability = group.contains { $0.durability == .powerSafe } ? .powerSafe : .crashSafe
      try connection.setDurability(durability)
      try connection.run("BEGIN IMMEDIATE")
      if group.count == 1 {
        try runAlone(group[0])
      } else {
        for piece in group { try runInSavepoint(piece) }
      }
      if group.allSatisfy({ $0.failure != nil }) {
        connection.rollback()
      } else {
        try connection.run("COMMIT")
      }
    } catch {
      // The transaction itself failed: nothing of the group was kept, nobody may believe otherwise.
      connection.rollback()
      for piece in group where piece.failure == nil { piece.failure = error }
    }
  }

  private func runAlone(_ piece: Piece) throws {
    let transaction = SQLiteTransaction(connection) { [path] in SQLiteSessionLock.path(path, $0) }
    do {
      try piece.run?(transaction)
      piece.bells = transaction.bells
    } catch {
      piece.failure = error
    }
  }

  private func runInSavepoint(_ piece: Piece) throws {
    try connection.run("SAVEPOINT piece")
    let transaction = SQLiteTransaction(connection) { [path] in SQLiteSessionLock.path(path, $0) }
    do {
      try piece.run?(transaction)
      piece.bells = transaction.bells
    } catch {
      piece.failure = error
      // A full disk rolls back the whole transaction, also the pieces before this one.
      guard connection.isInTransaction else { throw error }
      try connection.run("ROLLBACK TO piece")
    }
    try connection.run("RELEASE piece")
  }
}
