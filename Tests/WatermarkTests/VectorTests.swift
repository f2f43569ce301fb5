import Crypto
import Foundation
import MediaCore
import Testing

@testable import Watermark

/// `Tests/Fixtures/watermark/vectors.json`, made by `vectors.py`.
private struct Vectors: Decodable {
  struct Key: Decodable {
    var secret: String
    var id: String
    var candidates: Int
    var lines: [[Int]]
    var angleWords: [UInt32]
    var permutation: [Int]
    var scramble: String
  }
  struct Code: Decodable {
    var id: String
    var crc: UInt16
    var word: String
    var noisyHundredths: [Int]
  }
  var formatVersion: Int
  var informationSet: [Int]
  var keys: [Key]
  var codes: [Code]

  static func load() throws -> Vectors {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../Fixtures/watermark/vectors.json")
    return try JSONDecoder().decode(Vectors.self, from: Data(contentsOf: url))
  }
}

@Suite struct VectorTests {
  @Test func keysMapToTheFrozenLayout() throws {
    for vector in try Vectors.load().keys {
      let key = WatermarkKey(secret: SecretBytes(try #require(Hex.decode(vector.secret))))
      #expect(key.id.description == vector.id)
      #expect(CarrierLayout.candidates.count == vector.candidates)
      let layout = CarrierLayout(key: key)
      let lines = layout.synchronisation + layout.data + layout.variant
      #expect(lines.map { [$0.x, $0.y] } == vector.lines)
      for (line, word) in zip(lines, vector.angleWords) {
        #expect(abs(line.angle - 2 * Double.pi * Double(word) / 4_294_967_296) < 1e-12)
      }
      #expect(layout.permutation == vector.permutation)
      #expect(layout.scramble.map { $0 ? "1" : "0" }.joined() == vector.scramble)
    }
  }

  @Test func payloadsEncodeAndDecode() throws {
    let vectors = try Vectors.load()
    let code = PayloadCode()
    #expect(code.informationSet == vectors.informationSet)
    for vector in vectors.codes {
      let id = try #require(WatermarkID(vector.id))
      #expect(PayloadCode.checksum(of: id) == vector.crc)
      let word = code.encode(id)
      #expect((0..<512).map { word[$0] ? "1" : "0" }.joined() == vector.word)
      #expect(code.decode(vector.noisyHundredths.map { Float($0) / 50 }).first == id)
    }
  }

  @Test func noiseDecodesToNothingLikely() {
    // 2⁻¹⁶ of the 32 paths pass the checksum by chance: 40 words of noise give a candidate with probability 2 %.
    var random = KeyedGenerator(secret: SecretBytes([1]), label: "noise")
    let code = PayloadCode()
    let found = (0..<40).reduce(0) { count, _ in count + code.decode((0..<512).map { _ in Float(random.unit() - 0.5) }).count }
    #expect(found <= 2)
  }

  @Test(arguments: [("1000", 1000), ("0x3e8", 1000), ("00000000000003e8", 1000), ("18446744073709551615", UInt64.max)])
  func idsAreRead(_ text: String, _ value: UInt64) { #expect(WatermarkID(text)?.value == value) }

  @Test(arguments: ["", "-1", "18446744073709551616", "xyz", "0x", "1 ", "0x10000000000000000"])
  func badIdsAreRefused(_ text: String) { #expect(WatermarkID(text) == nil) }
}

@Suite struct KeyFileTests {
  private func temporaryPath() -> String { NSTemporaryDirectory() + "/watermark-key-\(UInt64.random(in: 0 ... .max))" }

  @Test func aKeySurvivesItsFile() throws {
    let path = temporaryPath()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let key = WatermarkKey.generate()
    try key.create(at: path)
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect((attributes[.posixPermissions] as? Int) == 0o600)
    let read = try WatermarkKey(path: path)
    #expect(read.id == key.id && read.secret == key.secret)
    #expect(throws: MediaError.self) { try key.create(at: path) }
  }

  @Test func othersMayNotRead() throws {
    let path = temporaryPath()
    defer { try? FileManager.default.removeItem(atPath: path) }
    try WatermarkKey.generate().create(at: path)
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
    let error = #expect(throws: MediaError.self) { try WatermarkKey(path: path) }
    #expect(error?.code == .refused)
  }

  @Test(arguments: [
    "", "reelwright-watermark-key 1\n", "reelwright-watermark-key 2\nid 00000000\nsecret 00000000000000000000000000000000\n",
    "reelwright-watermark-key 1\nid 00000000\nsecret 00000000000000000000000000000000\n",
    "reelwright-watermark-key 1\nid 12345678\nsecret 0000\n", "something else\n",
  ])
  func damagedKeysAreRefused(_ contents: String) {
    let error = #expect(throws: MediaError.self) { try WatermarkKey(contents: SecretBytes(Array(contents.utf8)), name: "k") }
    #expect(error?.code == .configuration)
  }

  @Test func theSecretIsNotPrinted() {
    let key = WatermarkKey(secret: SecretBytes([UInt8](repeating: 0xAB, count: 16)))
    #expect(!String(describing: key).contains("abab") && !String(reflecting: key).contains("171"))
  }
}
