import Glibc

/// Listens on a channel over its own connection.
final class PostgreSQLDoorbell: Doorbell {
  private let configuration: PostgreSQLConfiguration
  private let bell: String
  private let waker: Waker
  /// nil while the server is away.
  private let connection: Monitor<PostgreSQLConnection?>

  init(_ configuration: PostgreSQLConfiguration, bell: String) throws(StorageError) {
    self.configuration = configuration
    self.bell = bell
    waker = try Waker()
    connection = Monitor(try PostgreSQLDoorbell.listen(configuration, bell))
  }

  private static func listen(_ configuration: PostgreSQLConfiguration, _ bell: String) throws(StorageError) -> PostgreSQLConnection {
    let connection = try PostgreSQLConnection(configuration)
    try connection.run("LISTEN \(bell)")
    return connection
  }

  func wait(milliseconds: Int) -> Bool {
    let (listening, isNew) = connection.withLock { connection -> (Int32?, Bool) in
      if let connection { return (connection.socket, false) }
      connection = try? PostgreSQLDoorbell.listen(configuration, bell)
      return (connection?.socket, true)
    }
    // Without a connection nothing rings: a short nap, then the caller looks for itself and this tries again.
    guard let socket = listening else {
      _ = waker.wait(also: [], milliseconds: min(milliseconds, 200))
      return true
    }
    // What rang before it listened is lost: let the caller look.
    if isNew { return true }
    let ready = waker.wait(also: [socket], milliseconds: milliseconds)
    guard ready.contains(socket) else { return !ready.isEmpty }
    return connection.withLock { connection in
      guard let current = connection, (try? current.takeNotifications()) != nil, current.isAlive else {
        connection = nil
        return true
      }
      return true
    }
  }

  func wake() { waker.wake() }

  func watch(_ descriptor: Int32) { waker.watch(descriptor) }

  func unwatch(_ descriptor: Int32) { waker.unwatch(descriptor) }
}
