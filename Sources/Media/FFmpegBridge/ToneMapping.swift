package import MediaCore

/// From PQ (SMPTE ST 2084) and HLG (ARIB STD-B67) to SDR BT.709.
package enum ToneMapping {
  /// libavfilter's chain: to linear light with diffuse white (203 cd/m², ITU-R BT.2408) at 1, BT.709 primaries, Hable's
  /// curve over what is brighter, then BT.709.
  package static func filters(transfer: ColorTags.Transfer, tags: ColorTags) -> [String] {
    let input = transfer == .pq ? "smpte2084" : "arib-std-b67"
    let range = tags.range == .full ? "full" : "limited"
    return [
      "zscale=transferin=\(input):matrixin=2020_ncl:primariesin=2020:rangein=\(range):transfer=linear:npl=203",
      "format=gbrpf32le",
      "zscale=primaries=709",
      "tonemap=tonemap=hable:desat=0:peak=\(transfer == .pq ? 10 : 5)",
      "zscale=transfer=709:matrix=709:range=limited:dither=error_diffusion",
      "format=yuv420p",
    ]
  }
}
