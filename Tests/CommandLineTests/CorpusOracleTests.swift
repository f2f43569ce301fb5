import TestSupport
import Testing

/// A part of `Benchmarks/corpus_sweep.py`, which judges every file of the media pack by FFmpeg's own tools.
@Suite("Corpus against FFmpeg")
struct CorpusOracleTests {
  /// Turned, mirrored, non-square, edited, interlaced, HDR, RGB and still pictures, and odd sound: the small ones.
  static let files = [
    "odd/decord_video", "odd/androidx_sample_rotate", "odd/mediabunny_sar", "odd/mediabunny_edts", "odd/opf_apple", "odd/opf_png",
    "odd/torchcodec", "odd/imageio", "odd/imagers", "odd/androidx_bt601", "odd/moviepy_1x1", "images/exif", "images/mediabunny",
    "audio/androidx", "audio/jfk", "demo/stream",
  ]

  @Test(
    "frames, times, size, turn, colour and sound agree",
    .enabled(if: MediaPack.isPresent && MediaPack.isSlowRun, "needs ../shared/media and REELWRIGHT_SLOW=1"))
  func partAgrees() throws {
    let script = #filePath.replacing("Tests/CommandLineTests/CorpusOracleTests.swift", with: "Benchmarks/corpus_sweep.py")
    let media = try #require(MediaPack.folder)
    let outcome = try Tool.run(
      "python3", [script, "--reel", ReelProgram.path, "--media", media, "--only", CorpusOracleTests.files.joined(separator: ",")])
    #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
    #expect(outcome.output.contains("0 disagree"))
  }
}
