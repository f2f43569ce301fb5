import CFFmpeg
import CLittleCMS
import MediaCore

/// An ICC profile that colours are converted from, by Little CMS.
final class ColorProfile {
  private let profile: cmsHPROFILE
  private let isGray: Bool
  private var scaler: Scaler?
  private var scalerKey: (FrameSize, PixelFormat)?

  /// lcms2.h: TYPE_RGB_8, TYPE_RGBA_8 and TYPE_GRAY_8, macros that Swift cannot see.
  private static let rgb: cmsUInt32Number = 4 << 16 | 3 << 3 | 1
  private static let rgba: cmsUInt32Number = 1 << 7 | 4 << 16 | 3 << 3 | 1
  private static let gray: cmsUInt32Number = 3 << 16 | 1 << 3 | 1

  /// Nil for what is no profile of RGB or grey pictures, and for sRGB itself: there is nothing to do then.
  init?(_ bytes: [UInt8]) {
    guard !bytes.isEmpty, let profile = cmsOpenProfileFromMem(bytes, cmsUInt32Number(bytes.count)) else { return nil }
    let space = cmsGetColorSpace(profile)
    guard space == cmsSigRgbData || space == cmsSigGrayData, !ColorProfile.isSRGB(profile) else {
      cmsCloseProfile(profile)
      return nil
    }
    self.profile = profile
    isGray = space == cmsSigGrayData
  }

  deinit { cmsCloseProfile(profile) }

  /// By its effect: every sRGB-like profile maps sRGB colours to themselves, whatever it calls itself.
  private static func isSRGB(_ profile: cmsHPROFILE) -> Bool {
    guard cmsGetColorSpace(profile) == cmsSigRgbData, let transform = make(profile, rgb, rgb) else { return false }
    defer { cmsDeleteTransform(transform) }
    let probes: [UInt8] = [255, 0, 0, 0, 255, 0, 0, 0, 255, 128, 128, 128, 200, 100, 50, 50, 100, 200, 30, 60, 20, 240, 240, 240]
    var results = probes
    cmsDoTransform(transform, probes, &results, cmsUInt32Number(probes.count / 3))
    return zip(probes, results).allSatisfy { abs(Int($0) - Int($1)) <= 1 }
  }

  /// Relative colorimetric with black point compensation, as browsers and image editors do.
  private static func make(_ profile: cmsHPROFILE, _ from: cmsUInt32Number, _ to: cmsUInt32Number) -> cmsHTRANSFORM? {
    guard let target = cmsCreate_sRGBProfile() else { return nil }
    defer { cmsCloseProfile(target) }
    let blackPointCompensation: cmsUInt32Number = 0x2000
    let copyAlpha: cmsUInt32Number = 0x0400_0000
    return cmsCreateTransform(profile, from, target, to, 1, blackPointCompensation | copyAlpha)
  }

  /// Converts pixels in place. Does nothing when the profile is of grey pictures.
  func convertToSRGB(rgba pixels: UnsafeMutablePointer<UInt8>, stride: Int, size: FrameSize) {
    guard !isGray, let transform = ColorProfile.make(profile, ColorProfile.rgba, ColorProfile.rgba) else { return }
    defer { cmsDeleteTransform(transform) }
    for y in 0..<size.height { cmsDoTransform(transform, pixels + y * stride, pixels + y * stride, cmsUInt32Number(size.width)) }
  }

  /// `frame` as sRGB: RGB, with alpha where the source has some.
  func convertToSRGB(_ frame: VideoFrame) throws(MediaError) -> VideoFrame {
    let hasAlpha = frame.format.hasAlpha
    if isGray && (!frame.format.isGray || hasAlpha) { return frame }
    let format: PixelFormat = isGray ? .gray8 : hasAlpha ? .rgba : .rgb24
    guard
      let transform = ColorProfile.make(
        profile, isGray ? ColorProfile.gray : hasAlpha ? ColorProfile.rgba : ColorProfile.rgb,
        hasAlpha ? ColorProfile.rgba : ColorProfile.rgb)
    else { return frame }
    defer { cmsDeleteTransform(transform) }
    if scalerKey == nil || scalerKey! != (frame.size, format) {
      scaler = try Scaler(size: frame.size, format: format, color: isGray ? ColorTags(range: .full) : nil, accurate: true)
      scalerKey = (frame.size, format)
    }
    let source = try scaler!.scale(frame)
    let pool = try FramePool(size: frame.size, format: hasAlpha ? .rgba : .rgb24)
    let target = try pool.frame()
    let (from, to) = (source.rawPlane(0), target.rawPlane(0))
    for y in 0..<frame.size.height {
      cmsDoTransform(transform, from.base + y * from.stride, to.base + y * to.stride, cmsUInt32Number(frame.size.width))
    }
    return target.freeze(
      time: frame.time, duration: frame.duration,
      color: ColorTags(matrix: .rgb, range: .full, primaries: .bt709, transfer: .srgb), sampleAspectRatio: frame.sampleAspectRatio,
      orientation: frame.orientation)
  }
}
