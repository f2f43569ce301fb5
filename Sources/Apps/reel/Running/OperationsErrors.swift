public import CommandLayer
public import Reelwright

extension MetadataLogError: ReportedError {
  public var codeName: String { code.name }
  public var line: String { description }
  public var file: String? { nil }
  public var detailLines: [String] { [] }
}

extension TransferError: ReportedError {
  public var codeName: String { isRetriable ? "retryLater" : "transfer" }
  public var line: String { description }
  public var file: String? { nil }
  public var detailLines: [String] { [] }
}

extension JobsError: ReportedError {
  public var codeName: String { code.name }
  public var line: String { description }
  public var file: String? { nil }
  public var detailLines: [String] { [] }
}

extension StorageError: ReportedError {
  public var codeName: String { code.name }
  public var line: String { description }
  public var file: String? { path }
  public var detailLines: [String] { [] }
}
