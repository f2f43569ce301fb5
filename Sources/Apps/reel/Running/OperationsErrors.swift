public import CommandLayer
public import Reelwright

extension MetadataLogError: ReportedError {
  public var codeName: String { code.name }
}

extension TransferError: ReportedError {
  public var codeName: String { isRetriable ? "retryLater" : "transfer" }
}

extension JobsError: ReportedError {
  public var codeName: String { code.name }
}

extension StorageError: ReportedError {
  public var codeName: String { code.name }
  public var file: String? { path }
}
