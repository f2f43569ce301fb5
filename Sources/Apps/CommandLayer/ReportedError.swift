public import MediaCore

/// An error that knows how the command line reports it. `MediaError` is one; error types of other modules conform
/// where the executable imports them.
public protocol ReportedError: Error {
  /// The process exit status (BSD sysexits).
  var exitStatus: Int32 { get }
  /// A stable name for scripts: `"damaged"`.
  var codeName: String { get }
  /// `what failed: why (what to do)`, one line.
  var line: String { get }
  /// The file concerned.
  var file: String? { get }
  /// Lines for `--verbose`.
  var detailLines: [String] { get }
}

extension ReportedError {
  public var file: String? { nil }
  public var detailLines: [String] { [] }
}

extension ReportedError where Self: CustomStringConvertible {
  public var line: String { description }
}

extension MediaError: ReportedError {
  public var exitStatus: Int32 { code.exitStatus }
  public var codeName: String { code.name }
  public var file: String? { path }
  public var detailLines: [String] { details }
}
