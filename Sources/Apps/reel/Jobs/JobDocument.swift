import Reelwright

/// A job as `reel jobs` prints it.
enum JobDocument {
  static func json(_ job: Job, outputs: [JobOutput] = []) -> JSON {
    // Member by member: one literal of mixed values takes the type checker minutes.
    var members: [(String, JSON)] = []
    func add(_ key: String, _ value: JSON) { members.append((key, value)) }
    add("id", JSON.integer(job.id.rawValue))
    add("state", JSON.string(job.state.name))
    add("kind", JSON.string(job.spec.kind))
    add("name", JSON(job.spec.name))
    add("project", JSON.string(job.spec.project))
    add("class", JSON.string(job.spec.slotClass))
    add("priority", JSON(job.spec.priority))
    add("attempt", JSON(job.attempt))
    add("attempts", JSON(job.spec.retry.attempts))
    add("crashCount", JSON(job.crashCount))
    add("createdAt", time(job.createdAt))
    add("startedAt", time(job.startedAt))
    add("finishedAt", time(job.finishedAt))
    add("dueAt", job.state == .scheduled || job.state == .retryable ? time(job.dueAt) : JSON.null)
    add("waitingFor", JSON(job.waitingFor))
    add("progress", number(job.progress))
    add("etaSeconds", number(job.etaSeconds))
    add("stage", JSON(job.stage))
    add("spec", job.spec.shown.json)
    add("result", document(job.result))
    add("outputs", JSON.array(outputs.map(output)))
    add("error", failure(job.failure))
    return JSON.object(members)
  }

  private static func document(_ bytes: [UInt8]?) -> JSON {
    guard let bytes, let node = try? JSONParser.parse(bytes, source: JSONSource("result")) else { return JSON.null }
    return JSON(node.value)
  }

  private static func output(_ output: JobOutput) -> JSON {
    var members: [(String, JSON)] = [("name", JSON.string(output.name))]
    members.append(("file", JSON.string(output.path)))
    members.append(("sha256", JSON.string(output.sha256)))
    members.append(("bytes", JSON.integer(output.byteCount)))
    return JSON.object(members)
  }

  private static func failure(_ failure: JobFailure?) -> JSON {
    guard let failure else { return JSON.null }
    var members: [(String, JSON)] = [("code", JSON.string(failure.code))]
    members.append(("message", JSON.string(failure.message)))
    members.append(("exitStatus", JSON.integer(Int64(failure.exitStatus))))
    return JSON.object(members)
  }

  /// Seconds since 1970.
  private static func time(_ microseconds: Int64?) -> JSON { microseconds.map { JSON.double(Double($0) / 1e6) } ?? JSON.null }

  private static func number(_ value: Double?) -> JSON { value.map { JSON.double($0) } ?? JSON.null }

  /// One line for a list: id, state, kind, name, what there is to say.
  static func columns(_ job: Job) -> [String] {
    [job.id.description, job.state.name, job.spec.kind, job.spec.name ?? "-", remark(job)]
  }

  static func remark(_ job: Job) -> String {
    switch job.state {
    case .running:
      let percent = job.progress.map { "\(Int($0 * 100)) %" } ?? ""
      let eta = job.etaSeconds.map { ", \(Int($0.rounded(.up))) s left" } ?? ""
      let asked = job.request == .pause ? ", pausing" : job.request == .cancel ? ", cancelling" : ""
      return (job.stage.map { "\($0) " } ?? "") + percent + eta + asked
    case .scheduled: return job.waitingFor > 0 ? "waits for \(job.waitingFor) jobs" : ""
    case .retryable: return "attempt \(job.attempt) of \(job.spec.retry.attempts) failed: \(job.failure?.message ?? "")"
    case .failed, .cancelled: return job.failure?.message ?? ""
    default: return ""
    }
  }
}
