import MediaCore
import PositionedJSON

extension DocumentPlace {
  /// `"ad.reel.json line 3, column 7 names it"`: which part of a document led to a file.
  var hint: String { "\(source.name) \(position) names it" }
}

/// Refusals of what a document may say but this version cannot draw or mix.
enum RenderSupport {
  static func missing(_ place: DocumentPlace, _ what: String) -> MediaError {
    MediaError(
      .unavailable, "cannot render \(place.source.name)", reason: "\(place.position) (\(place.path)): \(what) cannot be rendered yet",
      advice: "leave them out of the document")
  }
}
