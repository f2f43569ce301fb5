import FoundationEssentials
import MetadataLog
import Synchronization
import Transfer

/// A receiver that misbehaves in every way but one: what it has acknowledged, it has kept.
final class Receiver: ReportTransport {
  enum Fault: String, CaseIterable {
    case serverError, timeOut, timeOutAfterCommit, slow, torn, duplicate, redirect, certificate, tooMany, unavailable
  }

  struct State {
    var fault: Fault?
    /// How often each event came, by its number.
    var deliveries: [UInt8] = []
    var poison: Set<Int> = []
    var requests = 0
    var bytes = 0
    var foreignHosts = 0
    var strangeEvents = 0
    /// How many requests met each fault.
    var met: [Fault: Int] = [:]
  }

  let state: Mutex<State>

  init(events: Int) {
    var state = State()
    state.deliveries = [UInt8](repeating: 0, count: events)
    self.state = Mutex(state)
  }

  func send(_ request: HTTPRequest) throws(TransferError) -> HTTPResponse {
    let outcome: Result<HTTPResponse, TransferError> = state.withLock { state in
      state.requests += 1
      state.bytes += request.body.count
      if request.url.host != "cloud.example" { state.foreignHosts += 1 }
      func answer(_ status: Int, _ fields: [HTTPField] = []) -> Result<HTTPResponse, TransferError> {
        .success(HTTPResponse(status: status, fields: fields, body: []))
      }
      func failure(_ code: TransferError.Code) -> Result<HTTPResponse, TransferError> {
        .failure(TransferError(code, "cannot POST", reason: "simulated"))
      }
      if let fault = state.fault { state.met[fault, default: 0] += 1 }
      switch state.fault {
      case .serverError: return answer(500)
      case .unavailable: return answer(503, [HTTPField("retry-after", "45")])
      case .tooMany: return answer(429, [HTTPField("retry-after", "30")])
      case .timeOut: return failure(.retryLater)
      // HTTPClient follows neither, and says so.
      case .redirect, .certificate: return failure(.refused)
      case nil, .timeOutAfterCommit, .slow, .torn, .duplicate: break
      }
      guard let numbers = Receiver.numbers(request.body) else { return answer(400) }
      guard !numbers.contains(where: state.poison.contains) else { return answer(422) }
      for number in numbers {
        guard number < state.deliveries.count else {
          state.strangeEvents += 1
          continue
        }
        let copies: UInt8 = state.fault == .duplicate ? 2 : 1
        state.deliveries[number] = state.deliveries[number] > 200 ? 200 : state.deliveries[number] + copies
      }
      switch state.fault {
      // Kept, but the sender does not hear of it: too late, or an answer that breaks off.
      case .timeOutAfterCommit, .slow, .torn: return failure(.retryLater)
      default: return answer(202)
      }
    }
    return try outcome.get()
  }

  /// The `id` of each event of a batch; found in the text, because a whole day of JSON takes a parser longer than the rest.
  private static func numbers(_ body: [UInt8]) -> [Int]? {
    guard body.first == UInt8(ascii: "["), body.last == UInt8(ascii: "]") else { return nil }
    let mark = Array("{\"specversion\":\"1.0\",\"id\":\"".utf8)
    var numbers: [Int] = []
    var place = 1
    while place < body.count - 1 {
      guard body[place...].starts(with: mark) else { return nil }
      place += mark.count
      var number = 0
      while body[place] != UInt8(ascii: "\"") {
        number = number * 10 + Int(body[place] - 48)
        place += 1
      }
      numbers.append(number)
      // Events are separated by a comma and a newline, which stand in no string.
      while place < body.count - 1, body[place] != 10 { place += 1 }
      place += 1
    }
    return numbers
  }
}
