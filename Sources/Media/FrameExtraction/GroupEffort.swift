/// What a group asks for, as far as it is known before it is decoded.
struct GroupEffort: Sendable {
  /// How many results it gives; nil when only its frames tell.
  var results: Int?
  /// The stretch that is decoded, in ticks of the stream.
  var cost: Int64
}
