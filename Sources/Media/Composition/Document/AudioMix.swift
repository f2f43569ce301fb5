public import MediaCore

/// The sound of a document.
public struct AudioMix: Sendable {
  /// A voice or a piece of music.
  public struct Track: Sendable {
    public var file: MediaReference
    /// Decibels. Default 0.
    public var volume: Rational
    /// Where it starts on the output timeline. Default 0.
    public var from: MediaTime
    /// Where it stops; nil: with the source or the sequence, whichever ends first.
    public var to: MediaTime?
    /// The part of the source to use.
    public var trimStart: MediaTime
    public var trimEnd: MediaTime?
    public var fadeIn: MediaTime
    public var fadeOut: MediaTime
    /// Begin again at the end. Default false.
    public var loop: Bool
    /// Decibels by which it is lowered while a voice speaks. Default 0.
    public var duck: Rational
    public var place: DocumentPlace

    public init(file: MediaReference, place: DocumentPlace = .none) {
      self.file = file
      volume = .zero
      from = .zero
      trimStart = .zero
      fadeIn = .zero
      fadeOut = .zero
      loop = false
      duck = .zero
      self.place = place
    }
  }

  public var voice: [Track] = []
  public var music: [Track] = []
  /// Decibels for the sound of all clips; nil: muted. Default 0.
  public var clips: Rational? = .zero
  /// Target in LUFS (EBU R128, integrated); nil: levels stay as mixed.
  public var loudness: Rational?
  /// The highest true peak in dBTP where a loudness is given. Default -1.
  public var truePeak: Rational = Rational(-1)

  public init() {}
}
