import MediaCore
import Testing
import Text

@Suite(.serialized) struct TextRendererTests {
  private let canvas = FrameSize(360, 640)

  private func renderer() throws -> TextRenderer { try TextRenderer(canvas: canvas, fonts: [], usesSystemFonts: true) }

  private func opaque(_ bitmap: TextBitmap) -> Int { stride(from: 3, to: bitmap.rgba.count, by: 4).filter { bitmap.rgba[$0] > 200 }.count }

  @Test func labelsAreCutToWhatIsDrawn() throws {
    let renderer = try renderer()
    let small = try #require(renderer.drawLabel("New in", style: TextStyle()))
    let large = try #require(renderer.drawLabel("New in", style: TextStyle(size: Rational(1, 12))))
    #expect(small.rgba.count == small.size.width * small.size.height * 4)
    #expect(abs(Double(large.size.width) / Double(small.size.width) - 2) < 0.2)
    #expect(opaque(small) > 100)
    // Centred on the canvas to a pixel or two.
    #expect(abs(small.x * 2 + small.size.width - canvas.width) <= 4)
    #expect(renderer.drawLabel("  ", style: TextStyle()) == nil)
    #expect(renderer.warnings.isEmpty)
  }

  @Test func coloursAreTheStyles() throws {
    let style = TextStyle(color: 0xFF00_00FF, outlineColor: 0x0000_FFFF, outlineWidth: Rational(1, 10))
    let bitmap = try #require(try renderer().drawLabel("M", style: style))
    let pixels = stride(from: 0, to: bitmap.rgba.count, by: 4).map { Array(bitmap.rgba[$0..<$0 + 4]) }
    #expect(pixels.contains([255, 0, 0, 255]) && pixels.contains([0, 0, 255, 255]))
  }

  @Test func longTextsWrapWithinTheirWidth() throws {
    let text = "a rather long headline that cannot stand on one line of a phone"
    let bitmap = try #require(try renderer().drawLabel(text, style: TextStyle(maxWidth: Rational(1, 2))))
    #expect(bitmap.size.width <= canvas.width / 2 + 8 && bitmap.size.height > 3 * canvas.height / 24)
    let chinese = try #require(try renderer().drawCaption([TextRun("这是一个没有空格的很长的中文句子需要换行显示")], style: TextStyle()))
    #expect(chinese.size.width <= canvas.width * 9 / 10 + 8 && chinese.size.height > canvas.height / 20)
  }

  @Test func aWordWithoutRoomIsNamed() throws {
    let renderer = try renderer()
    _ = renderer.drawCaption([TextRun("Donaudampfschifffahrtsgesellschaftskapitän")], style: TextStyle(size: Rational(1, 8)))
    #expect(renderer.warnings.count == 1 && renderer.warnings[0].contains("wider than the picture"), "\(renderer.warnings)")
  }

  @Test func markupInTextsIsText() throws {
    let renderer = try renderer()
    let plain = try #require(renderer.drawLabel("x{b1}y", style: TextStyle()))
    let markup = try #require(renderer.drawLabel("x{\\b1}y", style: TextStyle()))
    #expect(markup.size.width > plain.size.width)
    #expect(try #require(renderer.drawLabel("a\\Nb", style: TextStyle())).size.height < 40)
    #expect(try #require(renderer.drawLabel("a\nb", style: TextStyle())).size.height > 40)
  }

  /// Joined Arabic letters are narrower than the same letters apart; Hebrew runs from right to left.
  @Test func shapesArabicAndOrdersHebrew() throws {
    let renderer = try renderer()
    let joined = try #require(renderer.drawLabel("ببب", style: TextStyle()))
    let apart = try #require(renderer.drawLabel("ب\u{200C}ب\u{200C}ب", style: TextStyle()))
    #expect(joined.size.width < apart.size.width)
    // The first letter, lamed, is the only tall one and stands at the right.
    let hebrew = try #require(renderer.drawLabel("לייייי", style: TextStyle(outlineWidth: .zero)))
    let width = hebrew.size.width
    let topRow = (0..<3 * width).filter { hebrew.rgba[$0 * 4 + 3] > 100 }.map { $0 % width }
    #expect(topRow.allSatisfy { $0 > width / 2 } && !topRow.isEmpty)
    // A Latin word in Hebrew text stands where it is read: after, that is left of, what precedes it.
    let mixed = try #require(renderer.drawLabel("לל M", style: TextStyle(outlineWidth: .zero)))
    let columns = (0..<mixed.size.width).map { x in
      (0..<mixed.size.height).filter { mixed.rgba[($0 * mixed.size.width + x) * 4 + 3] > 128 }.count
    }
    let reversed = try #require(renderer.drawLabel("M", style: TextStyle(outlineWidth: .zero)))
    #expect(columns[1] >= reversed.size.height - 3)
    #expect(renderer.warnings.isEmpty)
  }

  @Test func emojiAreInColour() throws {
    let renderer = try renderer()
    let bitmap = try #require(renderer.drawLabel("a 😀👨‍👩‍👧🇯🇵 b", style: TextStyle()))
    let coloured = stride(from: 0, to: bitmap.rgba.count, by: 4).filter { index in
      let pixel = bitmap.rgba[index..<index + 4]
      return pixel[index + 3] > 200 && pixel[index] > 200 && pixel[index + 2] < 120
    }
    #expect(coloured.count > 50)
    #expect(renderer.warnings.isEmpty)
  }

  @Test func missingGlyphsAreNamed() throws {
    let renderer = try renderer()
    _ = renderer.drawLabel("a\u{E123}b", style: TextStyle())
    #expect(renderer.warnings.count == 1 && renderer.warnings[0].contains("U+E123"), "\(renderer.warnings)")
  }

  @Test func fontsComeFromMemoryAlone() throws {
    let found = SystemFonts.files(for: "Hello مرحبا 你好 😀 \u{E123}", families: ["Noto Sans"])
    #expect(found.missing == ["\u{E123}"])
    #expect(found.paths.count >= 4)
    let fonts = found.paths.compactMap { path in readFile(path).map { FontFile(name: path, bytes: $0) } }
    let renderer = try TextRenderer(canvas: canvas, fonts: fonts, usesSystemFonts: false)
    let bitmap = try #require(renderer.drawLabel("Hello مرحبا 你好 😀", style: TextStyle()))
    #expect(opaque(bitmap) > 300)
    #expect(renderer.warnings.isEmpty, "\(renderer.warnings)")
    let none = try TextRenderer(canvas: canvas, fonts: [], usesSystemFonts: false)
    _ = none.drawLabel("Hi", style: TextStyle())
    #expect(!none.warnings.isEmpty)
  }

  /// An ASS event from 1.00 s to 2.00 s is shown from frame 30 up to frame 59 at 30 frames a second, and by rounding at other rates.
  @Test(arguments: [(Rational(30), 30, 60), (Rational(25), 25, 50), (Rational(30000, 1001), 30, 60), (Rational(24000, 1001), 24, 48)])
  func scriptsAreExactToTheFrame(_ rate: Rational, _ first: Int, _ end: Int) throws {
    let script = """
      [Script Info]
      PlayResX: 360
      PlayResY: 640
      [V4+ Styles]
      Format: Name, Fontname, Fontsize, PrimaryColour, Alignment
      Style: Default,Noto Sans,40,&H00FFFFFF,2
      [Events]
      Format: Layer, Start, End, Style, Text
      Dialogue: 0,0:00:01.00,0:00:02.00,Default,Hello
      """
    let file = try CaptionFile(Array(script.utf8), name: "a.ass")
    let track = CaptionTrack(file, style: TextStyle(), frameRate: rate, frameCount: 100)
    let renderer = try renderer()
    let shown = (0..<100).filter { track.picture(at: $0, renderer: renderer) != nil }
    #expect(shown == Array(first..<end))
  }

  @Test func picturesAreKeptAsLongAsTheyLast() throws {
    let file = try CaptionFile(Array("00:00:00,000 --> 00:00:01,000\na\n\n00:00:01,000 --> 00:00:02,000\nb".utf8), name: "a.srt")
    let track = CaptionTrack(file, style: TextStyle(), frameRate: Rational(30), frameCount: 90)
    let renderer = try renderer()
    let keys = (0..<90).map { track.picture(at: $0, renderer: renderer)?.key }
    #expect(keys[0] == keys[29] && keys[30] == keys[59] && keys[29] != keys[30] && keys[60] == nil)
  }
}
