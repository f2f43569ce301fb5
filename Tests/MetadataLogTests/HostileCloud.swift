import Crypto
import FoundationEssentials
import MetadataLog
import Synchronization
import Transfer

/// A receiver that misbehaves in every way but one: what it has acknowledged, it has kept.
final class HostileCloud: ReportTransport {
  enum Fault: CaseIterable {
    case none, serverError, timeOut, timeOutAfterCommit, duplicate, redirect, certificate, tooMany, unavailable
  }

  struct State {
    var fault = Fault.none
    /// Deliveries by event id.
    var deliveries: [String: Int] = [:]
    var poison: Set<String> = []
    var requests = 0
    var wire: [UInt8] = []
    var keepsWire = false
    var receipts: [String] = []
    var hosts: Set<String> = []
    /// Records of telemetry, and what the collector answers.
    var telemetry = 0
    var telemetryStatus = 200
  }

  let state = Mutex(State())

  func send(_ request: HTTPRequest) throws(TransferError) -> HTTPResponse {
    let outcome: Result<HTTPResponse, TransferError> = state.withLock { state in
      state.requests += 1
      state.hosts.insert(request.url.host)
      if state.keepsWire {
        state.wire += Array("\(request.method) \(request.url.exposed)\n".utf8)
        for field in request.fields { state.wire += Array("\(field.name): \(field.value)\n".utf8) }
        state.wire += request.body
      }
      func answer(_ status: Int, _ fields: [HTTPField] = []) -> Result<HTTPResponse, TransferError> {
        .success(HTTPResponse(status: status, fields: fields, body: []))
      }
      func failure(_ code: TransferError.Code) -> Result<HTTPResponse, TransferError> {
        .failure(TransferError(code, "cannot POST", reason: "simulated"))
      }
      switch state.fault {
      case .serverError: return answer(500)
      case .unavailable: return answer(503, [HTTPField("retry-after", "45")])
      case .tooMany: return answer(429, [HTTPField("retry-after", "30")])
      case .timeOut: return failure(.retryLater)
      case .redirect, .certificate: return failure(.refused)
      case .none, .timeOutAfterCommit, .duplicate: break
      }
      if request.url.exposed.hasSuffix("/v1/logs") {
        guard state.telemetryStatus == 200 else { return answer(state.telemetryStatus) }
        state.telemetry += String(decoding: request.body, as: UTF8.self).split(separator: "timeUnixNano").count - 1
        state.receipts.append(SHA256.digest(of: request.body).hex)
        return answer(200)
      }
      struct Event: Decodable { var id: String }
      guard let events = try? JSONDecoder().decode([Event].self, from: Data(request.body)) else { return answer(400) }
      guard !events.contains(where: { state.poison.contains($0.id) }) else { return answer(422) }
      for event in events { state.deliveries[event.id, default: 0] += state.fault == .duplicate ? 2 : 1 }
      state.receipts.append(SHA256.digest(of: request.body).hex)
      return state.fault == .timeOutAfterCommit ? failure(.retryLater) : answer(202)
    }
    return try outcome.get()
  }
}
