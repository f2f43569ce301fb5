import Glibc
import MediaCore
import Storage
import Synchronization

extension Runner {
  /// Starts a claimed job on a thread of its own.
  func start(_ claimed: ClaimedJob) {
    let deadline = Thread.monotonicMicroseconds() + Int64(claimed.job.spec.timeoutSeconds * 1e6)
    let context = JobContext(
      claimed, store: store, scratch: scratch,
      files: JobFiles(spec: claimed.job.spec, claim: claimed.claim, scratch: scratch),
      deadline: deadline)
    state.withLock { state in
      state.running[claimed.job.id] = context
      state.used[claimed.job.spec.slotClass, default: 0] += 1
    }
    configuration.onEvent?(.claimed(claimed.job.id, kind: claimed.job.spec.kind, attempt: claimed.job.attempt))
    do {
      try NativeThread { self.perform(context) }.detach()
    } catch {
      finished(context, .available, JobFailure(error), since: Thread.monotonicMicroseconds())
      try? store.release(context.claim, to: .available)
    }
  }

  private func perform(_ context: JobContext) {
    let start = Thread.monotonicMicroseconds()
    var state: JobState?
    var failure: JobFailure?
    do {
      configuration.onPhase?(.claim, context.job.id)
      try attempt(context)
      state = .done
    } catch {
      // The files of a failed attempt vanish before the job is given back.
      _ = context.files.takePending()
      (state, failure) = settle(context, error)
    }
    if state?.isFinal == true { scratch.remove(context.job.id) }
    finished(context, state, failure, since: start)
  }

  private func attempt(_ context: JobContext) throws {
    let job = context.job
    let publication = Publication(
      store: store, claim: context.claim, spec: job.spec, remote: configuration.remote, cancellation: context.cancellation
    ) { [configuration] in configuration.onPhase?($0, job.id) }
    if !job.spec.outputs.isEmpty {
      // The claim's number tells a first claim from one after a take-over; the attempt's does not.
      if context.claim.token > 1 {
        for path in job.spec.outputs.values where !RemoteFiles.isRemote(path) {
          PendingFile.sweep(path, job: job.id, except: context.claim.token)
        }
        if try publication.adopt() { return }
      }
      try publication.check()
    }
    guard let handler = handlers[job.spec.kind] else {
      throw JobsError(.unknownKind, "cannot run job \(job.id)", reason: "no handler is registered for \(job.spec.kind)")
    }
    try context.files.fetch(configuration.remote, context.cancellation)
    configuration.onPhase?(.run, job.id)
    let answer = try handler.run(context)
    // Work that is complete is not thrown away for a pause or a shutdown, but for the others.
    switch context.stopReason {
    case .cancel, .timeout, .lost: throw JobsError(.stopped, "cannot finish job \(job.id)", reason: "it was told to stop")
    default: break
    }
    let files = context.files.takePending()
    let missing = Set(job.spec.outputs.keys).subtracting(files.map(\.name))
    if let name = missing.sorted().first {
      throw JobsError(.failed, "cannot finish job \(job.id)", reason: "its handler wrote no output \(name)")
    }
    try publication.run(files, answer)
  }

  /// Writes how an attempt ended. Returns nil when the job belongs to another worker by now.
  private func settle(_ context: JobContext, _ error: any Error) -> (JobState?, JobFailure?) {
    do {
      if let error = error as? JobsError, error.code == .fenced { return (nil, nil) }
      switch context.stopReason {
      case .lost: return (nil, nil)
      case .pause: return (try release(context, .paused), nil)
      case .cancel: return (try release(context, .cancelled), nil)
      case .shutdown: return (try release(context, .available), nil)
      case .timeout:
        let seconds = Int(context.job.spec.timeoutSeconds)
        return try fail(context, JobsError(.timeout, "cannot finish job \(context.job.id)", reason: "it ran longer than \(seconds) s"))
      case nil: break
      }
      if let error = error as? JobsError, error.code == .crashed {
        return (try store.retrying { try store.crash(context.claim, message: error.reason) }, JobFailure(error))
      }
      return try fail(context, error)
    } catch {
      // Taken over meanwhile, or the store stayed away for minutes: then the job is recovered when this process ends.
      if (error as? JobsError)?.code != .fenced { configuration.onEvent?(.storeFailed("\(error)")) }
      return (nil, nil)
    }
  }

  private func release(_ context: JobContext, _ state: JobState) throws -> JobState {
    try store.retrying { try store.release(context.claim, to: state) }
    return state
  }

  private func fail(_ context: JobContext, _ error: any Error) throws -> (JobState?, JobFailure?) {
    let failure = JobFailure(error)
    return (try store.retrying { try store.fail(context.claim, failure) }, failure)
  }

  private func finished(_ context: JobContext, _ state: JobState?, _ failure: JobFailure?, since start: Int64) {
    let seconds = Double(Thread.monotonicMicroseconds() - start) / 1e6
    configuration.onEvent?(.ended(context.job.id, kind: context.job.spec.kind, state: state, failure: failure, seconds: seconds))
    self.state.withLock { runner in
      // After a lease ran out the same job may have been claimed here again; the slot is freed either way.
      if runner.running[context.job.id] === context { runner.running[context.job.id] = nil }
      runner.used[context.job.spec.slotClass, default: 1] -= 1
      runner.ended += 1
    }
    doorbell.wake()
  }
}
