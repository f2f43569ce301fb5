import CFFmpeg
import CShims
import MediaCore

/// FFmpeg's negative return codes, told apart and put into words.
enum FFmpegError {
  static func text(_ code: Int32) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
      rw_error_text(code, buffer.baseAddress!, buffer.count)
      return String(cString: buffer.baseAddress!)
    }
  }

  /// The error for `code`, met while doing `operation`. `fallback` is the kind of codes that say nothing by themselves.
  static func make(
    _ code: Int32, _ operation: String, path: String? = nil, fallback: MediaError.Code = .damaged, advice: String? = nil,
    diagnostics: Diagnostics? = nil
  ) -> MediaError {
    let kind: MediaError.Code =
      switch code {
      case rw_error_interrupted: .cancelled
      case rw_error_no_memory: .refused
      case rw_error_io, rw_error_no_space: .io
      case rw_error_again: .retryLater
      case rw_error_no_decoder, rw_error_no_demuxer, rw_error_unsupported: .unavailable
      default: fallback
      }
    let lines = diagnostics?.lines ?? []
    return MediaError(
      kind, operation, path: path, reason: kind == .cancelled ? "cancelled" : lines.last.map { "\(text(code)): \($0)" } ?? text(code),
      advice: advice ?? (kind == .retryLater ? NativeThread.limitAdvice : nil), details: lines)
  }

  /// The error for a codec that did not open. Codecs that start threads say nothing of use when they get none.
  static func opening(
    _ code: Int32, _ operation: String, path: String? = nil, fallback: MediaError.Code, diagnostics: Diagnostics
  ) -> MediaError {
    do throws(MediaError) {
      if code != rw_error_no_memory { try NativeThread {}.join() }
    } catch {
      return MediaError(
        error.code, operation, path: path, reason: "\(error.operation): \(error.reason)", advice: error.advice, details: diagnostics.lines)
    }
    return make(code, operation, path: path, fallback: fallback, diagnostics: diagnostics)
  }
}

extension Rational {
  init(_ value: AVRational) { self.init(Int64(value.num), Int64(value.den)) }

  /// The nearest fraction that fits FFmpeg's 32-bit form.
  var avRational: AVRational {
    if let n = Int32(exactly: numerator), let d = Int32(exactly: denominator) { return AVRational(num: n, den: d) }
    return av_d2q(doubleValue, Int32.max)
  }
}
