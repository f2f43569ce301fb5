import CommandLayer
import Reelwright

/// A probed file in words.
enum ProbeText {
  static func text(_ file: ProbeReport.File) -> String {
    var head = [file.format ?? "unknown format"]
    if let duration = file.durationSeconds { head.append(seconds(duration)) }
    head.append(bytes(file.bytes))
    var table = TextTable()
    for video in file.video { table.add("video \(video.index)", describe(video)) }
    for audio in file.audio { table.add("audio \(audio.index)", describe(audio)) }
    for other in file.other { table.add("\(other.kind) \(other.index)", other.codec + (other.language.map { ", \($0)" } ?? "")) }
    if let title = file.title { table.add("title", title) }
    if !file.chapters.isEmpty { table.add("chapters", "\(file.chapters.count)") }
    for problem in file.problems { table.add("problem", problem) }
    return "\(file.file): \(head.joined(separator: ", "))\n" + table.text(indent: 2)
  }

  private static func describe(_ video: ProbeReport.Video) -> String {
    var parts = ["\(video.codec)" + (video.profile.map { " (\($0))" } ?? ""), "\(video.width)x\(video.height)"]
    if video.displayWidth != video.width || video.displayHeight != video.height {
      parts[1] += " shown as \(video.displayWidth)x\(video.displayHeight)"
    }
    if video.rotation != 0 { parts.append("rotated \(video.rotation)°") }
    if video.mirrored { parts.append("mirrored") }
    if video.sar != "1:1" { parts.append("samples \(video.sar)") }
    let rate = Rational(video.frameRate)?.doubleValue ?? 0
    if rate > 0 { parts.append("\((rate * 100).rounded() / 100) fps\(video.variableFrameRate ? " variable" : "")") }
    parts.append("\(video.frameCount) frames, \(video.keyframes) key")
    if let format = video.pixelFormat { parts.append(format) }
    parts.append("\(video.color.matrix)/\(video.color.range)")
    if let hdr = video.hdr { parts.append("HDR \(hdr)") }
    if video.interlaced { parts.append("interlaced") }
    return parts.joined(separator: ", ")
  }

  private static func describe(_ audio: ProbeReport.Audio) -> String {
    var parts = [audio.codec, "\(audio.sampleRate) Hz", audio.layout ?? "\(audio.channels) channels"]
    if let duration = audio.durationSeconds { parts.append(seconds(duration)) }
    if let language = audio.language { parts.append(language) }
    return parts.joined(separator: ", ")
  }

  /// `"6.000 s"`.
  static func seconds(_ value: Double) -> String {
    let milliseconds = Int64((value * 1000).rounded())
    let fraction = String(milliseconds.magnitude % 1000)
    return "\(milliseconds / 1000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction) s"
  }

  /// `"4.2 MB"`, decimal units.
  static func bytes(_ count: Int64) -> String {
    let units: [(String, Double)] = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)]
    for (unit, size) in units where Double(count) >= size { return "\((Double(count) / size * 10).rounded() / 10) \(unit)" }
    return "\(count) bytes"
  }
}
