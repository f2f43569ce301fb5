import Glibc
import Storage
import Synchronization

/// The loop of a runner: wakes for rings, deaths of neighbours and times that have come; claims what fits.
final class Dispatcher {
  private let runner: Runner
  private let goal: RunnerGoal
  private let store: JobStore
  private var lock: (any SessionLock)?
  private let presence: Presence
  private let beatInterval: Int64
  private var nextBeat: Int64 = 0
  /// What is known of each other worker.
  private var peers: [Int64: Peer] = [:]

  private struct Peer {
    var beat: Int64
    /// When the beat was last seen to change, by the monotonic clock: a machine that slept has not been dead.
    var changedAt: Int64
    /// Hangs up when it dies; nil when it is not of this machine.
    var descriptor: Int32?
    /// Until when its lock is tried at short intervals: it seems to have died.
    var suspectedUntil: Int64
    /// Whether it is known to be dead, and its jobs have been taken.
    var isTaken = false
    /// When its lock is tried next, by the monotonic clock.
    var nextTry: Int64 = 0
  }

  init(_ runner: Runner, goal: RunnerGoal) throws {
    self.runner = runner
    self.goal = goal
    store = runner.store
    presence = try Presence(folder: runner.folder + "/workers", worker: runner.worker)
    let lease = runner.configuration.leaseSeconds
    beatInterval = Int64((runner.configuration.beatSeconds ?? min(5, lease / 8)) * 1e6)
    let store = store
    let worker = runner.worker
    lock = try store.retrying { try store.database.sessionLock(worker) }
    let name = runner.configuration.name ?? "process \(getpid())"
    try store.retrying { try store.register(worker: worker, name: name) }
  }

  func run() {
    Janitor(store: store, scratch: runner.scratch).sweep()
    recoverOrphans()
    // A hint: what fails here will show where it matters.
    try? store.rehearse(kinds: runner.handlers.kinds)
    while true {
      var wait: Int64
      do {
        guard let next = try step() else { break }
        wait = next
      } catch {
        runner.configuration.onEvent?(.storeFailed("\(error)"))
        wait = 200_000
      }
      _ = runner.doorbell.wait(milliseconds: Int((max(0, wait) + 999) / 1000))
    }
    for peer in peers.values { unwatch(peer) }
    try? store.deregister(worker: runner.worker)
    lock = nil
  }

  /// One round. Returns microseconds to wait for the next; nil when the runner is done.
  private func step() throws -> Int64? {
    let now = Thread.monotonicMicroseconds()
    runner.round.store(now, ordering: .relaxed)
    try attendDeaths(now)
    try beat(now)
    let (running, stop, used, ended) = runner.state.withLock { ($0.running, $0.stop, $0.used, $0.ended) }
    var wait = max(1000, nextBeat - now)
    if let stop {
      if running.isEmpty { return nil }
      if stop == .release { for context in running.values { context.stop(.shutdown) } }
    }
    if goal == .one, ended > 0, running.isEmpty { return nil }

    let free = runner.configuration.slots.filter { $0.value > used[$0.key] ?? 0 }
    let classes = stop == nil ? free.keys.sorted() : []
    var glance = try store.glance(worker: runner.worker, classes: classes, needsUnfinished: goal == .drained && running.isEmpty)
    obey(glance, running)
    wait = min(wait, try watchPeers(glance.peers, now))
    wait = min(wait, timeouts(running, now))
    guard stop == nil else { return wait }

    let clock = store.clock.now()
    if let due = glance.nextDue, due <= clock {
      glance.nextDue = try store.promote()
      return 0
    }
    if let due = glance.nextSchedule, due <= clock {
      glance.nextSchedule = try store.fireSchedules()
      return 0
    }
    for due in [glance.nextDue, glance.nextSchedule] {
      // Looked at again at least every second: the real-time clock may be set.
      if let due { wait = min(wait, max(1000, due - clock), 1_000_000) }
    }
    if try claim(free, glance.claimable, ended: ended, running: running.count) { return 0 }
    if running.isEmpty {
      if goal == .one { return nil }
      if goal == .drained, try !glance.hasUnfinished || isDrained() { return nil }
    }
    return wait
  }

  /// Whether all that is unfinished is nothing that this runner could do; then says so.
  private func isDrained() throws -> Bool {
    let classes = runner.configuration.slots.filter { $0.value > 0 }.keys.sorted()
    if try store.hasWork(kinds: runner.handlers.kinds, classes: classes) { return false }
    let stranded = try store.strandedJobs(kinds: runner.handlers.kinds, classes: classes)
    if !stranded.isEmpty { runner.configuration.onEvent?(.stranded(stranded)) }
    return true
  }

  /// Returns whether anything was claimed.
  private func claim(_ free: [String: Int], _ claimable: Set<String>, ended: Int, running: Int) throws -> Bool {
    var found = false
    for slotClass in claimable.sorted() {
      if goal == .one, ended + running > 0 || found { break }
      let used = runner.state.withLock { $0.used[slotClass] ?? 0 }
      let count = goal == .one ? 1 : (runner.configuration.slots[slotClass] ?? 0) - used
      for claimed in try store.claim(worker: runner.worker, slotClass: slotClass, count: count, kinds: runner.handlers.kinds) {
        found = true
        runner.start(claimed)
      }
    }
    return found
  }

  /// Shows that this worker lives, and that its lock is held: a server that restarted has forgotten it.
  private func beat(_ now: Int64) throws {
    guard now >= nextBeat else { return }
    if lock?.isHeld() != true {
      lock = nil
      lock = try store.database.sessionLock(runner.worker)
    }
    if try !store.beat(worker: runner.worker) {
      try store.register(worker: runner.worker, name: runner.configuration.name ?? "process \(getpid())")
    }
    nextBeat = now + beatInterval
    recoverOrphans()
  }

  /// Passes on what the running jobs were asked.
  private func obey(_ glance: QueueGlance, _ running: [JobID: JobContext]) {
    for (id, context) in running {
      // A job that ended since the glance is not missing.
      guard runner.state.withLock({ $0.running[id] === context }) else { continue }
      guard let entry = glance.requests[id], entry.token == context.claim.token else {
        if (try? store.isOwned(context.claim)) == false { context.stop(.lost) }
        continue
      }
      switch entry.request {
      case .none: break
      case .pause: context.stop(.pause)
      case .cancel: context.stop(.cancel)
      }
    }
  }

  private func timeouts(_ running: [JobID: JobContext], _ now: Int64) -> Int64 {
    var wait = Int64.max
    for context in running.values {
      if now >= context.deadline { context.stop(.timeout) } else { wait = min(wait, context.deadline - now) }
      if let due = context.killWhenDue(now: now, grace: Int64(runner.configuration.graceSeconds * 1e6)) { wait = min(wait, due - now) }
    }
    return wait
  }

  // MARK: Neighbours

  /// Comes before everything else of a round: the jobs of a neighbour that has just died wait for it.
  ///
  /// The kernel says that the process is gone, so that its lock is not waited for: a server frees that only when it has noticed
  /// the end of the connection, which takes as long as all the rest. A commit of the dead that is still under way keeps its rows
  /// locked, or comes too late for its token. One that claims may come later still: the lock is tried afterwards, and then all
  /// is taken that is there.
  private func attendDeaths(_ now: Int64) throws {
    var dead: [Int64] = []
    // A commit under way is waited for a few milliseconds here, the rest between rounds. The dead take turns, so that one whose
    // last transaction is still being written holds up no other.
    for _ in 0..<20 {
      for (id, peer) in peers {
        guard let descriptor = peer.descriptor, Dispatcher.hasHungUp(descriptor) else { continue }
        unwatch(peer)
        peers[id]?.descriptor = nil
        peers[id]?.suspectedUntil = now + 2_000_000
        dead.append(id)
      }
      dead = try dead.filter { try !takeJobs($0) }
      if dead.isEmpty { return }
      Thread.sleep(microseconds: 1000)
    }
  }

  /// Takes the jobs of a neighbour that is known to be dead; false when some of them are locked.
  private func takeJobs(_ worker: Int64) throws -> Bool {
    guard let jobs = try store.recover(worker: worker, from: .dead) else { return false }
    peers[worker]?.isTaken = true
    // First what was taken is claimed.
    peers[worker]?.nextTry = Thread.monotonicMicroseconds() + 20_000
    report(worker, jobs)
    return true
  }

  private func watchPeers(_ beats: [Int64: Int64], _ now: Int64) throws -> Int64 {
    for (id, peer) in peers where beats[id] == nil {
      unwatch(peer)
      peers[id] = nil
    }
    var wait = Int64.max
    let lease = Int64(runner.configuration.leaseSeconds * 1e6)
    for (id, beat) in beats {
      if peers[id] == nil {
        let descriptor = Presence.watch(folder: runner.folder + "/workers", worker: id)
        if let descriptor { runner.doorbell.watch(descriptor) }
        // It may have died before it was watched: try its lock now.
        peers[id] = Peer(beat: beat, changedAt: now, descriptor: descriptor, suspectedUntil: now)
        if try recover(id, needsLock: true) { continue }
      }
      guard var peer = peers[id] else { continue }
      if peer.beat != beat {
        peer.beat = beat
        peer.changedAt = now
      }
      peers[id] = peer
      if now - peer.changedAt >= lease {
        if try !recover(id, needsLock: false) { wait = min(wait, 20_000) }
        continue
      }
      // Looked at again when its lease runs out, whatever happens until then.
      wait = min(wait, peer.changedAt + lease - now)
      if now < peer.suspectedUntil {
        // Of one whose jobs are taken only a late claim may be left.
        if now < peer.nextTry {
          wait = min(wait, peer.nextTry - now)
        } else if try !recover(id, needsLock: true) {
          let pause: Int64 = peer.isTaken ? 50_000 : 2000
          peers[id]?.nextTry = now + pause
          wait = min(wait, pause)
        }
      } else if peer.descriptor == nil, now - peer.changedAt >= beatInterval {
        // Not of this machine, or its sign is gone: its lock is the only sign there is.
        if try !recover(id, needsLock: true) { wait = min(wait, beatInterval) }
      }
    }
    return wait
  }

  private static func hasHungUp(_ descriptor: Int32) -> Bool {
    var entry = pollfd(fd: descriptor, events: 0, revents: 0)
    return poll(&entry, 1, 0) == 1
  }

  /// Takes the jobs of a worker that is gone; false when it lives.
  private func recover(_ worker: Int64, needsLock: Bool) throws -> Bool {
    guard let jobs = try store.recover(worker: worker, from: needsLock ? .unlocked : .silent) else { return false }
    let peer = peers.removeValue(forKey: worker)
    if let peer { unwatch(peer) }
    Presence.remove(folder: runner.folder + "/workers", worker: worker)
    if peer?.isTaken != true || !jobs.isEmpty { report(worker, jobs) }
    return true
  }

  private func report(_ worker: Int64, _ jobs: [(job: JobID, state: JobState)]) {
    for entry in jobs where entry.state.isFinal { runner.scratch.remove(entry.job) }
    runner.configuration.onEvent?(.recovered(worker: worker, jobs: jobs.map(\.job)))
  }

  private func recoverOrphans() {
    for worker in (try? store.orphans()) ?? [] where worker != runner.worker { _ = try? recover(worker, needsLock: true) }
  }

  private func unwatch(_ peer: Peer) {
    guard let descriptor = peer.descriptor else { return }
    runner.doorbell.unwatch(descriptor)
    close(descriptor)
  }
}
