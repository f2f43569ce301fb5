/// A read-only view of one plane of a frame.
public struct PlaneView: ~Escapable {
  /// All bytes from the first of row 0 to the last of the last row, padding between rows included.
  public let bytes: Span<UInt8>
  /// Bytes that carry samples in each row.
  public let rowBytes: Int
  public let rowCount: Int
  /// Bytes from the start of a row to that of the next.
  public let stride: Int

  @_lifetime(copy bytes)
  init(bytes: Span<UInt8>, rowBytes: Int, rowCount: Int, stride: Int) {
    self.bytes = bytes
    self.rowBytes = rowBytes
    self.rowCount = rowCount
    self.stride = stride
  }

  /// The samples of row `y`, 0 at the top.
  @_lifetime(copy self)
  public func row(_ y: Int) -> Span<UInt8> { bytes.extracting(y * stride..<y * stride + rowBytes) }
}

/// Where one plane lies in memory; for the package's own kernels. Valid while its frame lives.
package struct RawPlane {
  package let base: UnsafeMutablePointer<UInt8>
  package let stride: Int
  package let rowBytes: Int
  package let rowCount: Int
}
