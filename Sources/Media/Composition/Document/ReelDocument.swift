public import PositionedJSON

/// A reel document: what the one JSON file of an ad says, checked and with its variables filled in.
///
/// Values are as written; what depends on the media (durations, sizes) is worked out by `Timeline`.
public struct ReelDocument: Sendable {
  public var canvas: Canvas
  public var variables: [VariableDeclaration] = []
  /// For the sidecar only: prompts, generator … in the document's order.
  public var metadata: [(key: String, value: JSON)] = []
  public var sequence: [SequenceItem]
  public var overlays: [Overlay] = []
  public var captions: Captions?
  /// Font files, in addition to those of the system.
  public var fonts: [MediaReference] = []
  public var audio = AudioMix()
  public var watermark: WatermarkRequest?
  public var output = OutputSettings()
  /// What is odd but not wrong: a variable that nothing uses.
  public var warnings: [String] = []
  public var source: JSONSource

  public init(canvas: Canvas, sequence: [SequenceItem], source: JSONSource = JSONSource("(built in code)")) {
    self.canvas = canvas
    self.sequence = sequence
    self.source = source
  }

  /// The clips with their index in the sequence.
  public var clips: [Clip] {
    sequence.compactMap { if case .clip(let clip) = $0 { clip } else { nil } }
  }

  /// Every file that the document names, in its order, each name once.
  public var references: [MediaReference] {
    var all: [MediaReference] = []
    for item in sequence {
      switch item {
      case .clip(let clip): all += clip.reference.map { [$0] } ?? []
      case .transition(let transition): all += transition.map.map { [$0] } ?? []
      }
    }
    all += overlays.compactMap(\.reference)
    all += captions.map { [$0.file] } ?? []
    all += fonts
    all += (audio.voice + audio.music).map(\.file)
    var seen: Set<String> = []
    return all.filter { seen.insert($0.name).inserted }
  }
}
