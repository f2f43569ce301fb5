/// Does the work of one kind of job. Called on an own thread; may block. Several jobs of the kind may run at once.
public protocol JobHandler: Sendable {
  /// - Returns: the answer, once every output has been written through `context.files`.
  /// - Throws: an error that `JobFailure` can classify. When `context.cancellation` is set, stop soon and throw.
  func run(_ context: JobContext) throws -> JobAnswer
}

/// What a handler answers.
public struct JobAnswer: Sendable {
  /// Kept with the job: a JSON document of the kind's own shape. Default empty.
  public var result: [UInt8]
  /// For each output that has one, the text of its sidecar; it is handed the output's SHA-256 in hex.
  public var sidecars: [String: @Sendable (String) -> String]

  public init(result: [UInt8] = [], sidecars: [String: @Sendable (String) -> String] = [:]) {
    self.result = result
    self.sidecars = sidecars
  }
}

/// Which handler does which kind.
public struct JobHandlers: Sendable {
  private var handlers: [String: any JobHandler] = [:]

  public init() {}

  /// Registers a handler; a second one for the same kind replaces the first.
  public mutating func register(_ kind: String, _ handler: any JobHandler) { handlers[kind] = handler }

  /// Registers a function.
  public mutating func register(_ kind: String, _ run: @escaping @Sendable (JobContext) throws -> JobAnswer) {
    handlers[kind] = FunctionHandler(body: run)
  }

  public var kinds: [String] { handlers.keys.sorted() }

  subscript(kind: String) -> (any JobHandler)? { handlers[kind] }

  private struct FunctionHandler: JobHandler {
    let body: @Sendable (JobContext) throws -> JobAnswer
    func run(_ context: JobContext) throws -> JobAnswer { try body(context) }
  }
}
