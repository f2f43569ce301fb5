internal import CLibass

/// A script in libass's form. Keeps the renderer alive, whose library it belongs to.
final class AssTrack {
  let pointer: UnsafeMutablePointer<ASS_Track>
  private let renderer: TextRenderer

  /// nil when libass finds no script in the text.
  init?(_ script: String, _ renderer: TextRenderer) {
    guard let pointer = renderer.makeTrack(script) else { return nil }
    self.pointer = pointer
    self.renderer = renderer
  }

  deinit { ass_free_track(pointer) }
}
