import MediaCore
import Testing

@testable import FrameExtraction

/// The plan on made-up streams: what it decodes must suffice for every target, and be no more than needed.
@Suite struct PacketPlanTests {
  struct Run {
    var fed: [Int64] = []
    var frames: [Int64?] = []
    var longestQueue = 0
    var restarts = 0
  }

  static func run(_ packets: [PacketFacts], targets: [Int64], options: PacketPlan.Options = .init()) -> Run {
    var plan = PacketPlan(targets: targets, options: options)
    var result = Run()
    var pushed = 0
    var head = 0
    while true {
      switch plan.step() {
      case .needsPacket:
        if pushed < packets.count {
          plan.push(packets[pushed])
          pushed += 1
        } else {
          plan.end()
        }
      case .feed:
        result.fed.append(packets[head].pts)
        head += 1
      case .skip: head += 1
      case .restart: result.restarts += 1
      case .finished:
        result.frames = plan.frames
        return result
      }
      result.longestQueue = max(result.longestQueue, pushed - head)
    }
  }

  /// I0 P4 B2 b1 b3 P8 B6 b5 b7 …: a pyramid of depth two, small letters disposable, in groups of `length` frames.
  static func pyramid(groups: Int, length: Int) -> [PacketFacts] {
    var packets: [PacketFacts] = []
    var dts: Int64 = -2
    func add(_ pts: Int, key: Bool = false, disposable: Bool = false) {
      packets.append(
        PacketFacts(pts: Int64(pts), dts: dts, isKeyframe: key, dependency: .init(isDisposable: disposable), byteCount: 1000))
      dts += 1
    }
    for group in 0..<groups {
      let base = group * length
      add(base, key: true)
      var p = 4
      while p < length {
        add(base + p)
        add(base + p - 2)
        add(base + p - 3, disposable: true)
        add(base + p - 1, disposable: true)
        p += 4
      }
    }
    return packets
  }

  @Test("Every target gets the last frame at or before it, and its picture is decoded")
  func exact() {
    let packets = Self.pyramid(groups: 3, length: 29)
    let shown = packets.map(\.pts).sorted()
    for skipsAhead in [false, true] {
      for first in stride(from: Int64(-3), through: 90, by: 1) {
        for gap in [Int64(0), 1, 7, 40] {
          let targets = gap == 0 ? [first] : [first, first + gap]
          let run = Self.run(packets, targets: targets, options: .init(skipsAhead: skipsAhead))
          for (target, frame) in zip(targets, run.frames) {
            #expect(frame == shown.last { $0 <= target } ?? shown[0])
            #expect(run.fed.contains(frame ?? -1))
          }
        }
      }
    }
  }

  @Test("References of a target are never left out")
  func references() {
    let packets = Self.pyramid(groups: 2, length: 29)
    for target in Int64(0)..<58 {
      let fed = Set(Self.run(packets, targets: [target], options: .init(skipsAhead: true)).fed)
      let group = target / 29 * 29
      // Everything that is not disposable and precedes the target's packet in decode order, within its group.
      let wanted = packets.map(\.pts).sorted().last { $0 <= target } ?? 0
      guard let place = packets.firstIndex(where: { $0.pts == wanted }) else { continue }
      let needed = packets[...place].filter { $0.pts >= group && (!$0.dependency.isDisposable || $0.pts == wanted) }.map(\.pts)
      #expect(fed == Set(needed), "target \(target)")
    }
  }

  @Test("The queue stays as short as the reorder depth unless later keyframes are looked for")
  func shortQueue() {
    let packets = Self.pyramid(groups: 1, length: 2001)
    let run = Self.run(packets, targets: [5, 700, 1999])
    #expect(run.longestQueue <= 12)
    #expect(run.frames == [5, 700, 1999])
  }

  @Test("Groups of pictures between targets are left out, and the hold limit bounds the memory")
  func skipsGroups() {
    let packets = Self.pyramid(groups: 10, length: 29)
    let run = Self.run(packets, targets: [0, 200], options: .init(skipsAhead: true))
    #expect(run.restarts == 1)
    #expect(run.fed.allSatisfy { $0 == 0 || $0 >= 174 })
    let bounded = Self.run(packets, targets: [285], options: .init(skipsAhead: true, holdLimit: 5000))
    #expect(bounded.frames == [285])
    #expect(bounded.longestQueue <= 14)
  }

  @Test("Frames outside of the edit list are decoded for others but never chosen")
  func hidden() {
    var packets = Self.pyramid(groups: 1, length: 29)
    for i in packets.indices where packets[i].pts < 10 { packets[i].isHidden = true }
    let run = Self.run(packets, targets: [3, 12])
    #expect(run.frames == [10, 12])
    #expect(run.fed.contains(0))
  }

  @Test("A picture that is decoded after the time at which it is shown is found")
  func lateDecodeTimes() {
    // pts and dts of a cut phone recording with an edit list.
    let times: [(pts: Int64, dts: Int64)] = [(0, 0), (80, 20), (40, 40), (20, 60), (60, 80)]
    let packets = times.enumerated().map { PacketFacts(pts: $1.pts, dts: $1.dts, isKeyframe: $0 == 0) }
    for target in Int64(0)...90 { #expect(Self.run(packets, targets: [target]).frames == [target >= 80 ? 80 : target / 20 * 20]) }
    #expect(Self.run(packets, targets: [10, 30, 45, 70]).frames == [0, 20, 40, 60])
  }

  @Test("A picture is kept when the next one depends on what it leaves behind")
  func leavesState() {
    var packets: [PacketFacts] = []
    for pts in Int64(0)..<6 {
      var packet = PacketFacts(pts: pts, dts: pts, isKeyframe: pts == 0)
      packet.dependency = PictureDependency(isDisposable: pts == 2 || pts == 4, startsClean: false)
      packets.append(packet)
    }
    #expect(Self.run(packets, targets: [5]).fed == [0, 1, 2, 3, 4, 5])
    packets[5].dependency.startsClean = true
    #expect(Self.run(packets, targets: [5]).fed == [0, 1, 2, 3, 5])
  }

  @Test("Nothing to find: no frames, and it ends")
  func empty() {
    #expect(Self.run([], targets: [0, 5]).frames == [nil, nil])
    #expect(Self.run([PacketFacts(pts: 3, dts: 3, isKeyframe: true)], targets: [0, 9]).frames == [3, 3])
  }
}
