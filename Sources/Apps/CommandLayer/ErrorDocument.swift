/// The JSON form of an error: `{"schema":1,"error":{"code":…,"message":…,"file":…}}`.
public struct ErrorDocument: Encodable, Sendable {
  public struct Body: Encodable, Sendable {
    public var code: String
    public var message: String
    public var file: String?
    public var details: [String]?

    public init(_ error: any ReportedError) {
      code = error.codeName
      message = error.line
      file = error.file
      details = error.detailLines.isEmpty ? nil : error.detailLines
    }

    private enum CodingKeys: String, CodingKey { case code, message, file, details }

    /// `file` is always there, null where no file is concerned.
    public func encode(to encoder: any Encoder) throws {
      var values = encoder.container(keyedBy: CodingKeys.self)
      try values.encode(code, forKey: .code)
      try values.encode(message, forKey: .message)
      try values.encode(file, forKey: .file)
      try values.encodeIfPresent(details, forKey: .details)
    }
  }

  public var schema = 1
  public var error: Body

  public init(_ error: any ReportedError) { self.error = Body(error) }
}
