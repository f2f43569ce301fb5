internal import CKernels
public import MediaCore

/// A picture with transparency, converted once to the premultiplied 4:2:0 planes of one video format and blended as
/// often as wanted with `FrameBlender.overlay`.
///
/// Chroma samples cover 2x2 pixels, so that the planes depend on whether the picture starts on an odd column or row: each
/// of the four cases is made when first needed. One thread at a time.
public final class OverlayImage {
  public let size: FrameSize
  private let rgba: [UInt8]
  private let matrix: rw_color_matrix
  private var prepared: [Planes?] = [nil, nil, nil, nil]

  fileprivate struct Planes {
    var color: [[UInt16]]
    var alpha: [[Int16]]
  }

  /// `rgba`: straight (not premultiplied) alpha, 8 bits, `size.width × 4` bytes a row, sRGB or the video's own R'G'B'.
  /// `tags` and `bits` describe the video it will be blended onto; `tags` must be resolved.
  public init(rgba: [UInt8], size: FrameSize, tags: ColorTags, bits: Int = 8) {
    precondition(size.width > 0 && size.height > 0 && rgba.count >= size.width * size.height * 4, "picture smaller than its size")
    self.size = size
    self.rgba = rgba
    matrix = rw_color_matrix(tags: tags, bits: bits)
  }

  func withPlanes(oddX: Bool, oddY: Bool, _ body: (inout rw_overlay) -> Void) {
    let index = (oddX ? 1 : 0) + (oddY ? 2 : 0)
    if prepared[index] == nil { prepared[index] = prepare(oddX: oddX, oddY: oddY) }
    prepared[index]!.withOverlay(size: size, oddX: oddX, oddY: oddY, body)
  }

  private func prepare(oddX: Bool, oddY: Bool) -> Planes {
    let luma = size.width * size.height
    let chroma =
      Int(rw_overlay_chroma_size(Int32(size.width), oddX ? 1 : 0)) * Int(rw_overlay_chroma_size(Int32(size.height), oddY ? 1 : 0))
    var planes = Planes(
      color: [luma, chroma, chroma].map { [UInt16](repeating: 0, count: $0) },
      alpha: [luma, chroma].map { [Int16](repeating: 0, count: $0) })
    planes.withOverlay(size: size, oddX: oddX, oddY: oddY) { overlay in
      var matrix = matrix
      rw_overlay_prepare(&overlay, rgba, size.width * 4, &matrix)
    }
    return planes
  }
}

extension OverlayImage.Planes {
  fileprivate mutating func withOverlay(size: FrameSize, oddX: Bool, oddY: Bool, _ body: (inout rw_overlay) -> Void) {
    // Taken out one by one, so that no array is shared while it is written.
    var (y, cb, cr) = (color[0], color[1], color[2])
    var (alphaY, alphaC) = (alpha[0], alpha[1])
    color = []
    alpha = []
    y.withUnsafeMutableBufferPointer { y in
      cb.withUnsafeMutableBufferPointer { cb in
        cr.withUnsafeMutableBufferPointer { cr in
          alphaY.withUnsafeMutableBufferPointer { alphaY in
            alphaC.withUnsafeMutableBufferPointer { alphaC in
              var overlay = rw_overlay(
                color: (y.baseAddress, cb.baseAddress, cr.baseAddress), alpha: (alphaY.baseAddress, alphaC.baseAddress),
                stride: (size.width, Int(rw_overlay_chroma_size(Int32(size.width), oddX ? 1 : 0))),
                width: Int32(size.width), height: Int32(size.height), oddX: oddX ? 1 : 0, oddY: oddY ? 1 : 0)
              body(&overlay)
            }
          }
        }
      }
    }
    color = [y, cb, cr]
    alpha = [alphaY, alphaC]
  }
}
