import CHeif
import FileAccess
import MediaCore

/// The primary picture of a HEIF or AVIF file, upright, in sRGB.
struct HEIFReader {
  let input: InputFile
  let environment: MediaEnvironment
  private var operation: String { "cannot read \(input.displayName)" }

  func read() throws(MediaError) -> ForeignPictures {
    let content = try ForeignPictures.content(of: input, operation: operation)
    guard let context = heif_context_alloc() else {
      throw MediaError(.refused, operation, path: input.displayName, reason: "out of memory")
    }
    defer { heif_context_free(context) }
    heif_context_set_max_decoding_threads(context, 0)
    // libheif checks sizes against this before it allocates; ours is checked below.
    var handle: OpaquePointer?
    var image: OpaquePointer?
    defer {
      if let image { heif_image_release(image) }
      if let handle { heif_image_handle_release(handle) }
    }
    // The bytes must outlive the context's use of them.
    return try content.withUnsafeBufferPointer { bytes throws(MediaError) -> ForeignPictures in
      try check(heif_context_read_from_memory_without_copy(context, bytes.baseAddress, bytes.count, nil))
      try check(heif_context_get_primary_image_handle(context, &handle))
      let size = FrameSize(Int(heif_image_handle_get_width(handle)), Int(heif_image_handle_get_height(handle)))
      guard size.pixels <= environment.limits.pixelsPerFrame else {
        throw environment.limits.refusal(
          operation, path: input.displayName, name: "pixels", found: size.pixels, of: "pixels a frame (\(size))")
      }
      try check(heif_decode_image(handle, &image, heif_colorspace_RGB, heif_chroma_interleaved_RGBA, nil))
      var stride: Int32 = 0
      guard let plane = heif_image_get_plane(image, heif_channel_interleaved, &stride), stride > 0 else {
        throw MediaError(.damaged, operation, path: input.displayName, reason: "its picture is empty")
      }
      let made = FrameSize(
        Int(heif_image_get_width(image, heif_channel_interleaved)), Int(heif_image_get_height(image, heif_channel_interleaved)))
      let profile = profile(of: handle)
      ColorProfile(profile)?.convertToSRGB(rgba: plane, stride: Int(stride), size: made)
      var mov = try PictureMOV(size: made)
      try mov.add(plane, stride: Int(stride), start: 0, duration: 40)
      let isAV1 = content[8..<12].elementsEqual("avif".utf8)
      return try mov.finish(format: "heif", codec: isAV1 ? "avif" : "heic")
    }
  }

  private func profile(of handle: OpaquePointer?) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: heif_image_handle_get_raw_color_profile_size(handle))
    guard !bytes.isEmpty, heif_image_handle_get_raw_color_profile(handle, &bytes).code == heif_error_Ok else { return [] }
    return bytes
  }

  private func check(_ error: heif_error) throws(MediaError) {
    guard error.code != heif_error_Ok else { return }
    let reason = error.message.map { String(cString: $0) } ?? "unknown error"
    switch error.code {
    case heif_error_Unsupported_feature, heif_error_Unsupported_filetype,
      heif_error_Decoder_plugin_error
    where error.subcode == heif_suberror_Unsupported_codec || error.code != heif_error_Decoder_plugin_error:
      throw MediaError(
        .unavailable, operation, path: input.displayName, reason: "libheif cannot read it: \(reason)", advice: "convert it to JPEG or PNG")
    case heif_error_Memory_allocation_error:
      throw MediaError(.refused, operation, path: input.displayName, reason: "out of memory: \(reason)")
    default:
      throw MediaError(
        .damaged, operation, path: input.displayName, reason: "it is cut short or damaged: \(reason)",
        advice: "check that the file is complete")
    }
  }
}
