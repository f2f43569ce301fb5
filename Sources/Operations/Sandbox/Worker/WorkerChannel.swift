internal import CSystem
import FileAccess
import Glibc
import MediaCore

/// The worker's end of the socket. Frames are read by the main thread alone and sent by any.
final class WorkerChannel: Sendable {
  private struct Requests {
    var lastID: UInt32 = 0
    var answers: [UInt32: Answer] = [:]
  }

  /// What the orchestrator said to a request; the descriptor belongs to whoever takes the answer.
  struct Answer: Sendable {
    var displayName = ""
    var snapshot: FileSnapshot?
    var descriptor: Descriptor?
    var error: MediaError?
  }

  private let requests = Monitor(Requests())
  private let output = Monitor(())

  /// Sends a whole frame. When the orchestrator has gone there is nobody left to work for, and the process ends.
  func send(_ kind: FrameKind, _ body: [UInt8]) {
    let bytes = Frame.encoded(kind, body)
    output.update { _ in
      var sent = 0
      while sent < bytes.count {
        let count = bytes.withUnsafeBytes { rw_send(RW_WORKER_SOCKET, $0.baseAddress! + sent, $0.count - sent, nil, 0) }
        guard count > 0 else { _exit(1) }
        sent += count
      }
    }
  }

  /// Asks for a file and waits for the answer.
  func ask(_ operation: RequestMessage.Operation, _ name: String) throws(MediaError) -> Answer {
    let id = requests.update { state in
      state.lastID &+= 1
      return state.lastID
    }
    send(.request, RequestMessage(id: id, operation: operation, name: name).body)
    let answer = requests.wait { $0.answers.removeValue(forKey: id) }
    if let error = answer.error { throw error }
    return answer
  }

  /// Hands an answer to the thread that waits for it.
  func deliver(_ answer: Answer, id: UInt32) {
    requests.update { $0.answers[id] = answer }
  }
}
