import CommandLayer
import Glibc
import Reelwright

/// `reel licence`: activation, status, giving back. It gates nothing in `reel`.
enum LicenceCommand {
  static var command: Command {
    Command(
      "licence", summary: "activate, show or give back a licence",
      discussion: """
        A licence gates nothing in reel itself; products built on Reelwright may ask for it. The server is configured with \
        'reel cloud configure URL --purpose licence --server-key HEX'.
        """,
      subcommands: [activate, status, deactivate])
  }

  private static var activate: Command {
    Command(
      "activate", summary: "get a licence for this device",
      discussion: "The key is read from a file with mode 0600 or from $REELWRIGHT_LICENCE_KEY, never from the command line.",
      options: [Option("key-file", .file("FILE"), default: "$REELWRIGHT_LICENCE_KEY", "A file that holds the licence key.")],
      commonOptions: CommonOptions.store,
      action: { invocation in
        let key = try licenceKey(invocation)
        let log = try Store.log(invocation)
        let licence = try Licence(log, trusting: log.trustedLicenceKeys())
        _ = try licence.activate(key: key, transport: log.makeClient())
        return try show(licence, invocation)
      })
  }

  private static var status: Command {
    Command(
      "status", summary: "what the licence is worth now",
      discussion: "The status is 77 unless the licence is good.",
      options: [.flag("online", "Ask the server for a fresh licence first.")],
      commonOptions: CommonOptions.store,
      action: { invocation in
        guard let log = try Store.existingLog(invocation) else { return try show(nil, invocation) }
        let licence = try Licence(log, trusting: log.trustedLicenceKeys())
        if invocation.flag("online") { _ = try licence.validate(transport: log.makeClient()) }
        return try show(licence, invocation)
      })
  }

  private static var deactivate: Command {
    Command(
      "deactivate", summary: "give the licence back, for another device", commonOptions: CommonOptions.store,
      action: { invocation in
        guard let log = try Store.existingLog(invocation) else {
          throw MetadataLogError(
            .missing, "cannot deactivate the licence", reason: "there is none on this machine", advice: "reel licence status")
        }
        let licence = try Licence(log, trusting: log.trustedLicenceKeys())
        try licence.deactivate(transport: log.makeClient())
        if invocation.isJSON { try invocation.console.writeJSON(Document(status: licence.status().name)) }
        return 0
      })
  }

  private struct Document: Encodable {
    var schema = 1
    var status: String
    var licence: String?
    var tier: String?
    var features: [String]?
    var quota: [String: Int64]?
    var expiresSeconds: Int64?
    var graceUntilSeconds: Int64?
  }

  /// - Parameter licence: nil when there is no store that could hold one.
  private static func show(_ licence: Licence?, _ invocation: Invocation) throws -> Int32 {
    let status = try licence?.status() ?? .missing
    let token = try licence?.token()
    var document = Document(
      status: status.name, licence: token?.licence, tier: token?.tier, features: token?.features, quota: token?.quota,
      expiresSeconds: token?.expires)
    if case .grace(let until) = status { document.graceUntilSeconds = until }
    if invocation.isJSON {
      try invocation.console.writeJSON(document)
    } else {
      var table = TextTable()
      table.add("status", status.name)
      if let token {
        table.add("licence", token.licence)
        table.add("tier", token.tier)
        table.add("features", token.features.isEmpty ? "none" : token.features.joined(separator: ", "))
      }
      try invocation.console.write(table.text())
    }
    return status.isGood ? 0 : 77
  }

  private static func licenceKey(_ invocation: Invocation) throws -> String {
    var bytes: [UInt8]
    if let path = invocation.value("key-file") {
      bytes = try SecretFile.read(path, maximumByteCount: 4096).exposedBytes()
    } else if let text = getenv("REELWRIGHT_LICENCE_KEY") {
      bytes = Array(String(cString: text).utf8)
    } else {
      throw MediaError(.usage, "cannot activate a licence", reason: "no key is given", advice: "use --key-file FILE")
    }
    while let last = bytes.last, last == 10 || last == 13 || last == 32 { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }
}
