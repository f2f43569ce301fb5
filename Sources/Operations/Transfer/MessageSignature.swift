public import Crypto

/// HTTP message signatures (RFC 9421) with Ed25519, and content digests (RFC 9530) with SHA-256.
public enum MessageSignature {
  /// A part of the message that is signed: a derived component such as `@method`, or a header field.
  public struct Component: Hashable, Sendable {
    /// Lower case: `"@method"`, `"content-type"`.
    public var name: String
    /// Parameters with string values, in order: `name` of `@query-param`.
    public var parameters: [HTTPField]

    public init(_ name: String, parameters: [HTTPField] = []) {
      self.name = name.lowercased()
      self.parameters = parameters
    }

    /// As it stands in the signature base and in `Signature-Input`.
    var identifier: String {
      MessageSignature.quoted(name) + parameters.map { ";\($0.name)=\(MessageSignature.quoted($0.value))" }.joined()
    }
  }

  /// The signature's own parameters, written in this order; those that are nil are left out.
  public struct Parameters: Sendable {
    /// Seconds since 1970.
    public var created: Int64?
    /// Seconds since 1970.
    public var expires: Int64?
    public var keyIdentifier: String?
    public var algorithm: String?
    public var nonce: String?
    public var tag: String?

    public init() {}
  }

  /// The message as far as components can name it.
  public struct Message: Sendable {
    public var method: String
    public var url: TransferURL
    /// The status of a response; nil for a request.
    public var status: Int?
    public var fields: [HTTPField]

    public init(method: String, url: TransferURL, status: Int? = nil, fields: [HTTPField]) {
      self.method = method
      self.url = url
      self.status = status
      self.fields = fields
    }
  }

  /// `("@method" "content-type");created=…;keyid="…"`: the value of `@signature-params` and of `Signature-Input`.
  public static func signatureParameters(_ components: [Component], _ parameters: Parameters) -> String {
    var text = "(" + components.map(\.identifier).joined(separator: " ") + ")"
    if let created = parameters.created { text += ";created=\(created)" }
    if let expires = parameters.expires { text += ";expires=\(expires)" }
    let strings = [
      ("keyid", parameters.keyIdentifier), ("alg", parameters.algorithm), ("nonce", parameters.nonce), ("tag", parameters.tag),
    ]
    for (name, value) in strings {
      if let value { text += ";\(name)=\(quoted(value))" }
    }
    return text
  }

  /// The text that is signed (RFC 9421 section 2.5). Throws `usage` when a component occurs twice or is not in the message.
  public static func base(_ components: [Component], of message: Message, _ parameters: Parameters) throws(TransferError) -> String {
    var lines: [String] = []
    guard Set(components).count == components.count else {
      throw TransferError(.usage, "cannot sign a message", reason: "a component is named twice")
    }
    for component in components {
      guard let value = value(of: component, in: message) else {
        throw TransferError(.usage, "cannot sign a message", reason: "it has no \(component.name)")
      }
      lines.append("\(component.identifier): \(value)")
    }
    lines.append("\"@signature-params\": \(signatureParameters(components, parameters))")
    return lines.joined(separator: "\n")
  }

  /// `sha-256=:…:`, the value of `Content-Digest`.
  public static func contentDigest(_ body: [UInt8]) -> String { "sha-256=:\(Base64.encode(SHA256.digest(of: body).bytes)):" }

  /// Adds `Content-Digest`, `Signature-Input` and `Signature` to a request. Signed are the method, the authority, the
  /// path, the query when there is one, every field already there, and the digest.
  ///
  /// - Parameters:
  ///   - created: seconds since 1970.
  ///   - nonce: different for every request; default 16 random bytes.
  public static func sign(
    _ request: inout HTTPRequest, key: Ed25519.SigningKey, keyIdentifier: String, created: Int64,
    nonce: String = Base64.encode(SecureRandom.bytes(16), .url)
  ) throws(TransferError) {
    request.fields.append(HTTPField("Content-Digest", contentDigest(request.body)))
    var names = ["@method", "@authority", "@path"] + (request.url.query == nil ? [] : ["@query"])
    for field in request.fields where !names.contains(field.name.lowercased()) { names.append(field.name.lowercased()) }
    let components = names.map { Component($0) }
    var parameters = Parameters()
    parameters.created = created
    parameters.keyIdentifier = keyIdentifier
    parameters.algorithm = "ed25519"
    parameters.nonce = nonce
    let message = Message(method: request.method, url: request.url, fields: request.fields)
    let signature = key.signature(for: Array(try base(components, of: message, parameters).utf8))
    request.fields.append(HTTPField("Signature-Input", "reel=\(signatureParameters(components, parameters))"))
    request.fields.append(HTTPField("Signature", "reel=:\(Base64.encode(signature)):"))
  }

  private static func value(of component: Component, in message: Message) -> String? {
    switch component.name {
    case "@method": return message.method
    case "@authority": return message.url.authority
    case "@scheme": return message.url.scheme
    case "@target-uri": return message.url.exposed
    case "@path": return message.url.path
    case "@query": return "?" + (message.url.query ?? "")
    case "@status": return message.status.map { String($0) }
    case "@query-param":
      guard let wanted = component.parameters.first(where: { $0.name == "name" })?.value else { return nil }
      let values = (message.url.query ?? "").split(separator: "&").filter { $0.prefix { $0 != "=" } == wanted }
      // A parameter that occurs twice must not be signed (section 2.2.8).
      guard values.count == 1 else { return nil }
      return String(values[0].drop { $0 != "=" }.dropFirst())
    default:
      // Values of one field are joined; white space around them does not count (section 2.1).
      let values = message.fields.filter { $0.name.lowercased() == component.name }.map { trimmed($0.value) }
      return values.isEmpty ? nil : values.joined(separator: ", ")
    }
  }

  private static func trimmed(_ text: String) -> Substring {
    var text = text[...].drop { $0 == " " || $0 == "\t" }
    while text.last == " " || text.last == "\t" { text.removeLast() }
    return text
  }

  /// A string of structured fields (RFC 8941 section 3.3.3).
  static func quoted(_ text: String) -> String {
    "\"" + text.flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] } + "\""
  }
}
