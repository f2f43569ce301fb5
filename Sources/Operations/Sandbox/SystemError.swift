import Glibc
import MediaCore

/// The error of a CSystem function: `failure` is a negated errno value.
func systemError(_ operation: String, _ failure: Int32, path: String? = nil, code: MediaError.Code = .io) -> MediaError {
  MediaError(code, operation, path: path, reason: String(cString: strerror(-failure)))
}
