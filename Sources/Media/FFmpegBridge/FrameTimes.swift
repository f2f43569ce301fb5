public import FileAccess
public import MediaCore

/// Presentation times of the pictures of a stream, read off its packets without decoding.
public enum FrameTimes {
  /// Sorted, normalised to the start of the file; pictures cut off by an edit list are not among them.
  public static func scan(_ input: InputFile, stream: Int, environment: MediaEnvironment) throws(MediaError) -> [MediaTime] {
    var demuxer = try Demuxer(input, environment: environment)
    demuxer.select([stream])
    var times: [MediaTime] = []
    let packet = Packet()
    while try demuxer.read(into: packet) {
      guard packet.streamIndex == stream, !packet.isDiscarded, let time = demuxer.time(of: packet) else { continue }
      times.append(time)
    }
    return times.sorted()
  }
}
