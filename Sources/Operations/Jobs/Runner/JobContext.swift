public import MediaCore
import Synchronization

/// Why a running job is to stop.
public enum StopReason: Hashable, Sendable {
  case pause, cancel, timeout
  /// The worker is shutting down; the job goes back to the queue.
  case shutdown
  /// Another worker has taken the job over; nothing more may be written.
  case lost
}

/// What a handler gets: the job, its files, and ways to report. Safe to use from any thread.
public final class JobContext: Sendable {
  public let job: Job
  /// The files of this attempt; they become visible when the handler has returned.
  public let files: JobFiles
  /// Set when the handler is to stop; `stopReason` says why.
  public let cancellation = Cancellation()
  let claim: JobClaim
  let deadline: Int64
  private let store: JobStore
  private let scratch: Scratch
  private let state = Mutex(State())

  private struct State {
    var reason: StopReason?
    var stoppedAt: Int64?
    var isKilled = false
    var kill: (@Sendable () -> Void)?
    var reportedAt: Int64?
    var reportedStage: String?
  }

  init(_ claimed: ClaimedJob, store: JobStore, scratch: Scratch, files: JobFiles, deadline: Int64) {
    job = claimed.job
    claim = claimed.claim
    self.store = store
    self.scratch = scratch
    self.files = files
    self.deadline = deadline
  }

  public var stopReason: StopReason? { state.withLock { $0.reason } }

  /// What the last attempt saved; nil for the first.
  public var checkpoint: [UInt8]? { job.checkpoint }

  /// Saves what another attempt needs to go on from here. Survives a power failure when it returns. At most a few MB:
  /// bulky state belongs into `scratchFolder`, and is to be flushed before the checkpoint that speaks of it.
  public func saveCheckpoint(_ bytes: [UInt8]) throws {
    do {
      try store.retrying { try store.saveCheckpoint(claim, bytes) }
    } catch let error as JobsError where error.code == .fenced {
      stop(.lost)
      throw error
    }
  }

  /// A folder (0700) that the attempts of this job share; removed when the job is finished.
  public func scratchFolder() throws -> String { try scratch.folder(claim.job) }

  /// Reports how far the job has come. Cheap: written at most four times a second, and lost reports do no harm.
  /// - Parameter done: 0...1; nil while unknown.
  public func report(done: Double?, etaSeconds: Double? = nil, stage: String? = nil) {
    let now = Thread.monotonicMicroseconds()
    let isDue = state.withLock { state in
      if let last = state.reportedAt, now - last < 250_000, stage == state.reportedStage { return false }
      state.reportedAt = now
      state.reportedStage = stage
      return true
    }
    guard isDue else { return }
    do {
      try store.saveProgress(claim, done: done, etaSeconds: etaSeconds, stage: stage)
    } catch let error as JobsError where error.code == .fenced {
      stop(.lost)
    } catch {
      // The next report comes soon.
    }
  }

  /// Registers what ends the job at once when it does not obey in time: killing the process group that does the work.
  public func onKill(_ kill: @escaping @Sendable () -> Void) {
    let isLate = state.withLock { state in
      state.kill = kill
      return state.isKilled
    }
    if isLate { kill() }
  }

  /// Asks the handler to stop. The first reason counts, except that a lost job is lost whatever else was asked.
  func stop(_ reason: StopReason) {
    state.withLock { state in
      if state.reason == nil || reason == .lost { state.reason = reason }
      if state.stoppedAt == nil { state.stoppedAt = Thread.monotonicMicroseconds() }
    }
    cancellation.cancel()
  }

  /// Kills what has not stopped `grace` microseconds after it was asked; returns when that is due, nil when it is not.
  func killWhenDue(now: Int64, grace: Int64) -> Int64? {
    let (due, kill) = state.withLock { state -> (Int64?, (@Sendable () -> Void)?) in
      guard let stoppedAt = state.stoppedAt, !state.isKilled else { return (nil, nil) }
      guard now - stoppedAt >= grace else { return (stoppedAt + grace, nil) }
      state.isKilled = true
      return (nil, state.kill)
    }
    kill?()
    return due
  }
}
