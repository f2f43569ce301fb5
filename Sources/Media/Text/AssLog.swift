internal import CLibass
import Glibc

/// What libass says while it works: the glyphs that no font has.
final class AssLog {
  private(set) var missingGlyphs: Set<UInt32> = []

  func install(in library: OpaquePointer) {
    ass_set_message_cb(
      library, { _, format, arguments, context in assMessage(format, arguments, context) }, Unmanaged.passUnretained(self).toOpaque())
  }

  fileprivate func note(_ message: String) {
    guard message.contains("failed to find any fallback"), let range = message.firstRange(of: "glyph 0x"),
      let code = UInt32(message[range.upperBound...].prefix { $0.isHexDigit }, radix: 16)
    else { return }
    missingGlyphs.insert(code)
  }

  /// `no font has "ꙮ" (U+A66E)`.
  var warnings: [String] {
    missingGlyphs.sorted().map { code in
      let digits = String(code, radix: 16, uppercase: true)
      let shown = Unicode.Scalar(code).map { "\"\($0)\" " } ?? ""
      return "no font has \(shown)(U+\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits))"
    }
  }
}

/// Called by libass on the thread that draws.
private func assMessage(_ format: UnsafePointer<CChar>?, _ arguments: CVaListPointer?, _ context: UnsafeMutableRawPointer?) {
  guard let format, let arguments, let context else { return }
  var buffer = [CChar](repeating: 0, count: 512)
  vsnprintf(&buffer, buffer.count, format, arguments)
  let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  Unmanaged<AssLog>.fromOpaque(context).takeUnretainedValue().note(text)
}
