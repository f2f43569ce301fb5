import Reelwright

/// `probe --json`: the report of the task with every key of the contract present, null where nothing is known.
struct ProbeDocument: Encodable {
  private let report: ProbeReport

  init(_ report: ProbeReport) { self.report = report }

  func encode(to encoder: any Swift.Encoder) throws {
    var document = encoder.container(keyedBy: Key.self)
    try document.encode(1, forKey: "schema")
    var files = document.nestedUnkeyedContainer(forKey: "files")
    for file in report.files {
      var values = files.nestedContainer(keyedBy: Key.self)
      try values.encode(file.file, forKey: "file")
      try values.encode(file.format, forKey: "format")
      try values.encode(file.durationSeconds, forKey: "durationSeconds")
      try values.encode(file.bytes, forKey: "bytes")
      try values.encode(file.video, forKey: "video")
      try values.encode(file.audio, forKey: "audio")
      try values.encode(file.other, forKey: "other")
      try values.encode(file.chapters, forKey: "chapters")
      try values.encode(file.title, forKey: "title")
      try values.encode(file.problems, forKey: "problems")
      try values.encode(file.error, forKey: "error")
    }
  }

  struct Key: CodingKey, ExpressibleByStringLiteral {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringLiteral value: String) { stringValue = value }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}
