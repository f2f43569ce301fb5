internal import CPostgreSQL
import Glibc

/// One connection with its prepared statements. Used by one thread at a time; the owner sees to that.
final class PostgreSQLConnection {
  private let handle: OpaquePointer
  private var prepared: [String: String] = [:]
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

  /// Runs one or more statements without parameters, ignoring their rows.
  func run(_ sql: String) throws(StorageError) {
    let result = PQexec(handle, sql)
    defer { PQclear(result) }
    try check(result, sql)
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
    let parameters = PostgreSQLParameters(values)
    // A NULL's type is left to the server, so the same text may be prepared once for each pattern of NULLs.
    let key = parameters.signature + sql
    let name: String
    if let known = prepared[key] {
      name = known
    } else {
      if prepared.count >= 512 {
        try run("DEALLOCATE ALL")
        prepared.removeAll(keepingCapacity: true)
      }
      name = "s\(prepared.count)"
      let result = PQprepare(handle, name, sql, Int32(values.count), parameters.types)
      defer { PQclear(result) }
      try check(result, sql)
      prepared[key] = name
    }
    let result = parameters.withPointers { pointers, lengths, formats in
      PQexecPrepared(handle, name, Int32(values.count), pointers, lengths, formats, 1)
    }
    do {
      try check(result, sql)
    } catch {
      PQclear(result)
      throw error
    }
    return result
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
