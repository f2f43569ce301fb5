internal import Glibc

/// A request with its body in memory.
public struct HTTPRequest: Sendable {
  /// Upper case: `"GET"`, `"POST"`, `"PUT"`.
  public var method: String
  public var url: TransferURL
  /// Field names and values in order. Line breaks in them make the request throw `usage`.
  public var fields: [HTTPField]
  public var body: [UInt8]

  public init(_ method: String, _ url: TransferURL, fields: [HTTPField] = [], body: [UInt8] = []) {
    self.method = method
    self.url = url
    self.fields = fields
    self.body = body
  }
}

/// A name and a value of an HTTP header section.
public struct HTTPField: Hashable, Sendable {
  public var name: String
  public var value: String

  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// What a server answered.
public struct HTTPResponse: Sendable {
  public var status: Int
  /// Names in lower case, in order of arrival.
  public var fields: [HTTPField]
  public var body: [UInt8]

  /// - Parameter fields: names in lower case.
  public init(status: Int, fields: [HTTPField], body: [UInt8]) {
    self.status = status
    self.fields = fields
    self.body = body
  }

  /// The first value of the field `name`, whatever its case.
  public subscript(name: String) -> String? {
    let wanted = name.lowercased()
    return fields.first { $0.name == wanted }?.value
  }

  /// The wait that `Retry-After` asks for, in seconds from `now` (seconds since 1970): a number of seconds or an
  /// HTTP date. At most a day; nil without the field or when it is malformed.
  public func retryAfterSeconds(now: Double) -> Double? {
    guard let value = self["retry-after"] else { return nil }
    if let seconds = Int(value) { return seconds >= 0 ? Double(min(seconds, 86_400)) : nil }
    return HTTPDate.secondsSince1970(value).map { min(max($0 - now, 0), 86_400) }
  }
}

/// Times as HTTP writes them (IMF-fixdate, RFC 9110 section 5.6.7).
enum HTTPDate {
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  static func secondsSince1970(_ text: String) -> Double? {
    let parts = text.split(whereSeparator: { " :".contains($0) })
    guard parts.count == 8, parts[7] == "GMT", let day = Int(parts[1]), let month = months.firstIndex(of: String(parts[2])),
      let year = Int(parts[3]), let hour = Int(parts[4]), let minute = Int(parts[5]), let second = Int(parts[6]),
      (1...31).contains(day), (1970...9999).contains(year), (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
    else { return nil }
    var time = tm()
    (time.tm_year, time.tm_mon, time.tm_mday) = (Int32(year - 1900), Int32(month), Int32(day))
    (time.tm_hour, time.tm_min, time.tm_sec) = (Int32(hour), Int32(minute), Int32(second))
    return Double(timegm(&time))
  }
}
