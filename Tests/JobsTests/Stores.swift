import DatabaseTestSupport
import Storage
import Synchronization
import Testing

@testable import Jobs

/// The stores that the conformance suite runs on.
enum StoreKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case sqlite, postgresql

  static var installed: [StoreKind] { PostgreSQLServer.isInstalled ? allCases : [.sqlite] }

  var testDescription: String { rawValue }
}

/// A store in a folder of its own, with a clock that the test moves.
final class StoreFixture: Sendable {
  let folder = TemporaryFolder()
  let clock = ManualClock()
  let database: any Database
  let recorder = Transitions()
  let store: JobStore

  init(_ kind: StoreKind) throws {
    switch kind {
    case .sqlite: database = try SQLiteDatabase(path: folder.path + "/jobs.sqlite")
    case .postgresql:
      let server = try #require(PostgreSQLServer.shared)
      database = try PostgreSQLDatabase(server.configuration())
    }
    store = try JobStore(database: database, clock: clock.clock, recorder: recorder)
  }

  func runner(_ handlers: JobHandlers, _ change: (inout RunnerConfiguration) -> Void = { _ in }) throws -> Runner {
    var configuration = RunnerConfiguration()
    configuration.folder = folder.path
    change(&configuration)
    return try Runner(store: store, handlers: handlers, configuration: configuration)
  }
}

/// Remembers transitions and can refuse them.
final class Transitions: JobRecorder, Sendable {
  private let state = Mutex<(list: [JobTransition], refuses: JobState?)>(([], nil))

  struct Refusal: Error {}

  func record(_ transition: JobTransition, in transaction: any Transaction) throws {
    try state.withLock { state throws in
      if state.refuses == transition.to { throw Refusal() }
      state.list.append(transition)
    }
  }

  func refuse(_ state: JobState?) { self.state.withLock { $0.refuses = state } }

  func of(_ id: JobID) -> [JobState] { state.withLock { $0.list.filter { $0.job == id }.map(\.to) } }
}
