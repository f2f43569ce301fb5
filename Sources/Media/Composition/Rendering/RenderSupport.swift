import FileAccess
import MediaCore
import PositionedJSON

extension DocumentPlace {
  /// `"ad.reel.json line 3, column 7 (sequence[2].media) names it"`: which part of a document led to a file.
  var hint: String { "\(source.name) \(position) (\(path)) names it" }

  /// `error` of a file, with the part of the document that led to it.
  func leading(to error: MediaError) -> MediaError {
    guard error.code != .cancelled, source != DocumentPlace.none.source, error.advice?.contains(hint) != true else { return error }
    var error = error
    error.advice = error.advice.map { "\(hint); \($0)" } ?? hint
    return error
  }
}

extension MediaReference {
  /// Opens the file; an error says where the document names it.
  func open(_ files: any Files) throws(MediaError) -> InputFile {
    do throws(MediaError) { return try files.openInput(name) } catch { throw place.leading(to: error) }
  }
}

extension ReelDocument {
  /// Opens every file that the document names, so that all those that are not there are told of at once.
  ///
  /// - Throws: the first error, with the others in its details.
  func requireFiles(_ files: any Files) throws(MediaError) {
    var errors: [MediaError] = []
    for reference in references {
      do throws(MediaError) { _ = try reference.open(files) } catch {
        if error.code == .cancelled { throw error }
        errors.append(error)
      }
    }
    guard var first = errors.first else { return }
    first.details += errors.dropFirst().map(\.description)
    throw first
  }
}

/// Refusals of what a document may say but this version cannot draw or mix.
enum RenderSupport {
  static func missing(_ place: DocumentPlace, _ what: String) -> MediaError {
    MediaError(
      .unavailable, "cannot render \(place.source.name)", reason: "\(place.position) (\(place.path)): \(what) cannot be rendered yet",
      advice: "leave them out of the document")
  }
}
