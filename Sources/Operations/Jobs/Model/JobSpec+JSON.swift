public import MediaCore
public import PositionedJSON

extension JobSpec {
  /// Reads `{"schema":1,"kind":…,"payload":…,…}`. Unknown members, wrong types and values out of bounds throw with line
  /// and column.
  public init(json: JSONNode) throws(MediaError) {
    var fields = try json.fields("a job: an object with kind and payload")
    if let schema = fields.optional("schema") { _ = try schema.integer(in: 1...1) }
    self.init(kind: try fields.required("kind").string())
    if let payload = fields.optional("payload") { self.payload = Array(JSON(payload.value).text(indent: nil).utf8) }
    name = try fields.optional("name")?.string()
    if let project = fields.optional("project") { self.project = try project.string() }
    if let inputs = fields.optional("inputs") { self.inputs = try JobSpec.texts(inputs) }
    if let outputs = fields.optional("outputs") { self.outputs = try JobSpec.texts(outputs) }
    if let overwrite = fields.optional("overwrite") { self.overwrite = try overwrite.bool() }
    if let slotClass = fields.optional("class") { self.slotClass = try slotClass.string() }
    if let priority = fields.optional("priority") { self.priority = Int(try priority.integer(in: -1_000_000...1_000_000)) }
    uniqueKey = try fields.optional("uniqueKey")?.string()
    if let notBefore = fields.optional("notBefore") {
      self.notBefore = Int64(try notBefore.number(in: Rational(0)...Rational(32_503_680_000)).doubleValue * 1e6)
    }
    for dependency in try fields.optional("after")?.array() ?? [] { after.append(JobID(try dependency.integer(in: 1 ... .max))) }
    if let timeout = fields.optional("timeoutSeconds") { timeoutSeconds = try timeout.number().doubleValue }
    if let retry = fields.optional("retry") {
      var policy = try retry.fields("an object with attempts, baseSeconds and capSeconds")
      if let attempts = policy.optional("attempts") { self.retry.attempts = Int(try attempts.integer(in: 1...1000)) }
      if let base = policy.optional("baseSeconds") { self.retry.baseSeconds = try base.number().doubleValue }
      if let cap = policy.optional("capSeconds") { self.retry.capSeconds = try cap.number().doubleValue }
      try policy.finish()
    }
    if let limit = fields.optional("crashLimit") { crashLimit = Int(try limit.integer(in: 1...1_000_000)) }
    if let labels = fields.optional("labels") { self.labels = try JobSpec.texts(labels) }
    try fields.finish()
    do {
      try validate()
    } catch {
      throw json.error(error.reason)
    }
  }

  /// The form that `init(json:)` reads; members that have their default are left out.
  public var json: JSON {
    let plain = JobSpec(kind: kind)
    var members: [(String, JSON)] = [("schema", 1), ("kind", .string(kind))]
    if let node = try? JSONParser.parse(payload, source: JSONSource("payload")) { members.append(("payload", JSON(node.value))) }
    if let name { members.append(("name", .string(name))) }
    if project != plain.project { members.append(("project", .string(project))) }
    if !inputs.isEmpty { members.append(("inputs", JobSpec.object(inputs))) }
    if !outputs.isEmpty { members.append(("outputs", JobSpec.object(outputs))) }
    if overwrite { members.append(("overwrite", true)) }
    if slotClass != plain.slotClass { members.append(("class", .string(slotClass))) }
    if priority != 0 { members.append(("priority", JSON(priority))) }
    if let uniqueKey { members.append(("uniqueKey", .string(uniqueKey))) }
    if let notBefore { members.append(("notBefore", .double(Double(notBefore) / 1e6))) }
    if !after.isEmpty { members.append(("after", .array(after.map { .integer($0.rawValue) }))) }
    if timeoutSeconds != plain.timeoutSeconds { members.append(("timeoutSeconds", .double(timeoutSeconds))) }
    if retry != plain.retry {
      var policy: [(String, JSON)] = [("attempts", JSON(retry.attempts))]
      policy.append(("baseSeconds", JSON.double(retry.baseSeconds)))
      policy.append(("capSeconds", JSON.double(retry.capSeconds)))
      members.append(("retry", JSON.object(policy)))
    }
    if crashLimit != plain.crashLimit { members.append(("crashLimit", JSON(crashLimit))) }
    if !labels.isEmpty { members.append(("labels", JobSpec.object(labels))) }
    return .object(members)
  }

  static func texts(_ node: JSONNode) throws(MediaError) -> [String: String] {
    let fields = try node.fields("an object of texts")
    var result: [String: String] = [:]
    for (key, value) in fields.node.asObject ?? [] { result[key] = try value.string() }
    return result
  }

  static func object(_ texts: [String: String]) -> JSON { .object(texts.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }) }

  /// The text of a column that holds a dictionary; empty for an empty one, which costs nothing to read.
  static func column(_ texts: [String: String]) -> String { texts.isEmpty ? "" : object(texts).text(indent: nil) }

  static func dictionary(column: String) -> [String: String] {
    guard !column.isEmpty, let node = try? JSONParser.parse(Array(column.utf8), source: JSONSource("store")) else { return [:] }
    return (try? texts(node)) ?? [:]
  }
}
