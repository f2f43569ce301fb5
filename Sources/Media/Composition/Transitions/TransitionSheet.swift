internal import CKernels
public import FFmpegBridge
public import MediaCore

/// A contact sheet of every transition: for each one, frames from its course in a row and its name below.
public enum TransitionSheet {
  /// The parts of a transition's way that are drawn.
  static let moments = [0.2, 0.4, 0.6, 0.8]
  static let tile = FrameSize(128, 72)
  static let columns = 3
  private static let gap = 12
  private static let captionHeight = 18

  /// The sheet, 8-bit 4:2:0 in limited-range BT.709; about 1600 samples wide.
  public static func draw() throws(MediaError) -> VideoFrame {
    let entries = TransitionCatalogue.all
    let cell = FrameSize(moments.count * (tile.width + 2) + gap, tile.height + captionHeight + gap)
    let rows = (entries.count + columns - 1) / columns
    let size = FrameSize(columns * cell.width + gap, rows * cell.height + gap)
    let blender = FrameBlender()
    let tags = ColorTags.bt709
    let (a, b) = (try SheetPicture.first(tile), try SheetPicture.second(tile))
    let pool = try FramePool(size: tile, format: .yuv420p)
    var sheet = try FramePool(size: size, format: .yuv420p).frame()
    blender.fill(CodeColor(red: 24, green: 24, blue: 28, tags: tags), into: &sheet)
    for (index, entry) in entries.enumerated() {
      var transition = Transition(entry: entry)
      transition.map = SheetPicture.map
      transition.expression = "if(lt(hypot(X-W/2,Y-H/2)/W+0.2*sin(Y/4),1-P),B,A)"
      let renderer = try TransitionRenderer(transition, size: tile, format: .yuv420p, tags: tags)
      let (left, top) = (gap + index % columns * cell.width, gap + index / columns * cell.height)
      for (column, moment) in moments.enumerated() {
        var target = try pool.frame()
        try renderer.render(a, b, progress: moment, into: &target)
        place(target.freeze(time: .zero, duration: .zero, color: tags), x: left + column * (tile.width + 2), y: top, on: &sheet)
      }
      let caption = SheetLettering.image(of: entry.name, tags: tags)
      blender.overlay(caption, x: left, y: top + tile.height + 4, opacity: 1, into: &sheet)
    }
    return sheet.freeze(time: .zero, duration: .zero, color: tags)
  }

  private static func place(_ picture: VideoFrame, x: Int, y: Int, on sheet: inout MutableFrame) {
    var (dst, src) = (sheet.picture, picture.picture)
    rw_picture_shift(&dst, &src, Int32(x), Int32(y), 0, dst.height)
  }
}
