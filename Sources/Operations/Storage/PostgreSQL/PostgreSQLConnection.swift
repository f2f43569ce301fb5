internal import CPostgreSQL
import Glibc

/// One connection with its prepared statements. Used by one thread at a time; the owner sees to that.
final class PostgreSQLConnection {
  private let handle: OpaquePointer
  private var prepared: [String: String] = [:]
  private var names = 0
  /// What goes to the server together with the next statement.
  private var ahead: [String] = []
  /// Whether a command was sent whose answer has not been read.
  private var owesAnswer = false
  let displayName: String

  init(_ configuration: PostgreSQLConfiguration) throws(StorageError) {
    let silence = max(1, configuration.silenceSeconds)
    let options: [(String, String)] = [
      ("dbname", configuration.url), ("connect_timeout", "\(max(2, configuration.connectSeconds))"),
      ("application_name", "reelwright"), ("client_encoding", "UTF8"), ("keepalives", "1"), ("keepalives_idle", "1"),
      ("keepalives_interval", "1"), ("keepalives_count", "\(silence)"), ("tcp_user_timeout", "\(silence * 1000)"),
    ]
    let connection = PostgreSQLConnection.connect(options)
    guard let connection else { throw StorageError(.io, "cannot connect to the store", reason: "out of memory") }
    let name = PostgreSQLConnection.name(connection)
    guard PQstatus(connection) == CONNECTION_OK else {
      let message = String(cString: PQerrorMessage(connection))
      PQfinish(connection)
      throw StorageError(
        // A server that is starting or restarting looks the same as one that is not there.
        .connectionLost, "cannot connect to the store", path: name, reason: PostgreSQLConnection.oneLine(message),
        advice: "check that the server runs and the URL is right")
    }
    handle = connection
    displayName = name
    PQsetNoticeProcessor(connection, { _, _ in }, nil)
    try run(
      """
      SET search_path TO \(configuration.schema); SET lock_timeout = \(configuration.lockMilliseconds); \
      SET tcp_keepalives_idle = 1; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = \(silence); \
      SET tcp_user_timeout = \(silence * 1000); SET idle_in_transaction_session_timeout = 60000; SET bytea_output = hex
      """)
  }

  deinit { PQfinish(handle) }

  private static func connect(_ options: [(String, String)]) -> OpaquePointer? {
    let keys = options.map { strdup($0.0) }
    let values = options.map { strdup($0.1) }
    defer { for pointer in keys + values { free(pointer) } }
    var keyList = keys.map { UnsafePointer<CChar>($0) } + [nil]
    var valueList = values.map { UnsafePointer<CChar>($0) } + [nil]
    return PQconnectdbParams(&keyList, &valueList, 1)
  }

  /// Host and database, never the user's secret.
  private static func name(_ connection: OpaquePointer) -> String {
    let host = PQhost(connection).map { String(cString: $0) } ?? ""
    let database = PQdb(connection).map { String(cString: $0) } ?? ""
    return "postgresql://\(host)/\(database)"
  }

  private static func oneLine(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).joined(separator: "; ")
  }

  var isAlive: Bool { PQstatus(handle) == CONNECTION_OK }

  /// The socket, for `poll`.
  var socket: Int32 { PQsocket(handle) }

  /// Whether it can be used, as far as this side knows: what the server has said, or that it has hung up, is read. Never waits
  /// for the server, except for an answer that it owes.
  var isUsable: Bool {
    settle()
    var entry = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
    // First comes what a server that goes down says, then its end.
    while isAlive, poll(&entry, 1, 0) > 0 {
      if PQconsumeInput(handle) != 1 { return false }
    }
    return isAlive
  }

  /// Runs one or more statements without parameters, ignoring their rows.
  func run(_ sql: String) throws(StorageError) {
    settle()
    let whole = (ahead + [sql]).joined(separator: "; ")
    ahead = []
    let result = PQexec(handle, whole)
    defer { PQclear(result) }
    try check(result, whole)
  }

  /// Has commands without rows run before the next statement, in the same message: each answer that is waited for costs a change of
  /// process on a server that is near, and a round trip to one that is not.
  func runAhead(_ commands: [String]) { ahead += commands }

  /// Takes back what `runAhead` was given; false when it has been sent.
  func takeBack() -> Bool {
    defer { ahead = [] }
    return !ahead.isEmpty
  }

  /// Ends a transaction that only read; the answer is not waited for.
  func commitReading() {
    guard PQsendQuery(handle, "COMMIT") == 1 else { return }
    owesAnswer = true
  }

  /// Reads the answer that is owed.
  private func settle() {
    guard owesAnswer else { return }
    owesAnswer = false
    while let result = PQgetResult(handle) { PQclear(result) }
  }

  func execute(_ sql: String, _ values: [SQLValue]) throws(StorageError) -> Int {
    let result = try perform(sql, values)
    defer { PQclear(result) }
    return Int(String(cString: PQcmdTuples(result))) ?? 0
  }

  func query(_ sql: String, _ values: [SQLValue]) throws(StorageError) -> [Row] {
    let result = try perform(sql, values)
    defer { PQclear(result) }
    let columns = PQnfields(result)
    let types = try (0..<columns).map { (column) throws(StorageError) -> PostgreSQLType in
      guard let type = PostgreSQLType(PQftype(result, column)) else {
        throw StorageError(
          .misuse, "cannot read a row", path: displayName, reason: "column \(column) of \(sql.prefix(60)) has a type not in use here")
      }
      return type
    }
    return (0..<PQntuples(result)).map { row in
      Row(
        (0..<columns).map { column in
          guard PQgetisnull(result, row, column) == 0 else { return .null }
          let bytes = UnsafeRawBufferPointer(start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
          return types[Int(column)].value(bytes)
        })
    }
  }

  /// Whether a notification has come since the last call. Reads what the socket has, without waiting.
  func takeNotifications() throws(StorageError) -> Bool {
    settle()
    guard PQconsumeInput(handle) == 1 else {
      throw StorageError(.connectionLost, "cannot listen to the store", path: displayName, reason: lastMessage)
    }
    var found = false
    while let notification = PQnotifies(handle) {
      PQfreemem(notification)
      found = true
    }
    return found
  }

  private var lastMessage: String { PostgreSQLConnection.oneLine(String(cString: PQerrorMessage(handle))) }

  private func perform(_ sql: String, _ values: [SQLValue]) throws(StorageError) -> OpaquePointer? {
    settle()
    let parameters = PostgreSQLParameters(values)
    // A NULL's type is left to the server, so the same text may be prepared once for each pattern of NULLs.
    let key = parameters.signature + sql
    let known = prepared[key]
    if known == nil, prepared.count >= 512 {
      try run("DEALLOCATE ALL")
      prepared.removeAll(keepingCapacity: true)
    }
    if known == nil { names += 1 }
    let name = known ?? "s\(names)"
    let result: OpaquePointer?
    if known != nil, ahead.isEmpty {
      result = parameters.withPointers { pointers, lengths, formats in
        PQexecPrepared(handle, name, Int32(values.count), pointers, lengths, formats, 1)
      }
    } else {
      let isPrepared: Bool
      (result, isPrepared) = performTogether(name, sql, parameters, isNew: known == nil)
      if isPrepared { prepared[key] = name }
    }
    do {
      try check(result, sql)
    } catch {
      PQclear(result)
      throw error
    }
    return result
  }

  /// Sends what is ahead, the preparation of a statement where it is new, and the statement, then reads all answers.
  /// - Returns: the statement's result, or the first failure, nil when the connection is lost; and whether the statement is
  ///   prepared now, which it stays when it fails.
  private func performTogether(
    _ name: String, _ sql: String, _ parameters: PostgreSQLParameters, isNew: Bool
  ) -> (result: OpaquePointer?, isPrepared: Bool) {
    let commands = ahead
    ahead = []
    guard PQenterPipelineMode(handle) == 1 else { return (nil, false) }
    var sent = 0
    func add(_ result: Int32) { sent += result == 1 ? 1 : 0 }
    for command in commands { add(PQsendQueryParams(handle, command, 0, nil, nil, nil, nil, 0)) }
    let count = Int32(parameters.types.count)
    if isNew { add(PQsendPrepare(handle, name, sql, count, parameters.types)) }
    add(
      parameters.withPointers { pointers, lengths, formats in
        PQsendQueryPrepared(handle, name, count, pointers, lengths, formats, 1)
      })
    let isWhole = sent == commands.count + (isNew ? 2 : 1) && PQpipelineSync(handle) == 1
    var answer: OpaquePointer?
    var hasFailed = false
    var isPrepared = !isNew
    for index in 0..<(isWhole ? sent : 0) {
      // One result each, then nil; after a failure the rest are passed over.
      while let result = PQgetResult(handle) {
        if hasFailed {
          PQclear(result)
          continue
        }
        PQclear(answer)
        answer = result
        let status = PQresultStatus(result)
        hasFailed = status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY
        if index == commands.count, isNew { isPrepared = !hasFailed }
      }
    }
    if isWhole, isAlive { PQclear(PQgetResult(handle)) }
    _ = PQexitPipelineMode(handle)
    return (answer, isPrepared)
  }

  private func check(_ result: OpaquePointer?, _ sql: String) throws(StorageError) {
    switch PQresultStatus(result) {
    case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: return
    default: break
    }
    let what = sql.split(separator: " ").prefix(3).joined(separator: " ")
    // 'C': the SQLSTATE field.
    let state = PQresultErrorField(result, 67).map { String(cString: $0) }
    let message = PQresultErrorField(result, 77).map { String(cString: $0) } ?? lastMessage
    throw StorageError.postgreSQL(state, alive: isAlive, "cannot run \(what) … on the store", path: displayName, message: message)
  }
}
