public import FFmpegBridge
public import FileAccess
import Glibc
public import MediaCore
import Pipeline

/// Extracts frames from the video stream of one file: opens it once and answers any number of requests, one at a time.
///
/// "The frame at t" is the last frame that starts at or before t; before the first frame it is the first. Not safe to
/// share between threads; a request runs its own.
public final class FrameExtractor {
  public let input: InputFile
  public let stream: StreamInfo
  /// The container's duration, or the stream's; nil when neither is known.
  public let duration: MediaTime?
  /// What of the file's own clock is 0 on the presentation timeline.
  public let startTime: MediaTime
  private let environment: MediaEnvironment
  private var readers: [StreamReader] = []
  private let index: KeyframeIndex?
  private var frameTimes: [Int64]?
  private var planning = ExtractionCounters()

  /// Opens `input` and reads its index.
  ///
  /// - Throws: `damaged` when it is no media or has no video, `unavailable` when its codec has no decoder here.
  public init(_ input: InputFile, environment: MediaEnvironment) throws(MediaError) {
    self.input = input
    self.environment = environment
    let own = environment.noting(in: DamageLog())
    let demuxer = try Demuxer(input, environment: own)
    let pictures = demuxer.streams.filter { $0.kind == .video }
    guard let stream = pictures.first(where: \.isDefault) ?? pictures.first else {
      let hasCover = demuxer.streams.contains { $0.kind == .attachedPicture }
      throw MediaError(
        .damaged, "cannot extract frames of \(input.displayName)", path: input.displayName,
        reason: hasCover ? "it holds sound and a cover picture but no video" : "it holds no video stream",
        advice: "give a file with video")
    }
    let duration = stream.duration ?? demuxer.duration
    startTime = demuxer.startTime
    let reader = try StreamReader(demuxer, stream: stream.index, environment: own, threads: 1)
    self.stream = stream
    self.duration = duration
    index = try reader.keyframeIndex()
    planning = reader.takeCounters()
    readers = [reader]
  }

  static func processors(_ environment: MediaEnvironment) -> Int {
    environment.threads > 0 ? environment.threads : max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
  }

  /// Keyframes in the container's index; nil when there is no usable one.
  public var indexedKeyframeCount: Int? { index?.ticks.count }

  /// Starts a request. `transform` turns each frame into what is wanted, on a decoding thread and in no particular order;
  /// the stream gives the results in ascending order of time. Only one stream of an extractor may be in use.
  ///
  /// - Parameter examined: told, on a decoding thread, the time of every frame that a search for scenes looks at, in order. Default nobody.
  /// - Throws: `usage` for a request that cannot be, or what reading the file met; `retryLater` or `refused` when no thread can be had.
  public func frames<Output: Sendable>(
    _ request: FramesRequest, examined: (@Sendable (MediaTime) -> Void)? = nil,
    transform: @escaping @Sendable (ExtractedFrame) throws(MediaError) -> Output
  ) throws(MediaError) -> FrameStream<Output> {
    let plan = try plan(request)
    let workers = min(request.workers > 0 ? request.workers : FrameExtractor.processors(environment), 64)
    let groups = plan.groups
    let threadCount = max(1, min(workers, groups.count))
    // Several groups are decoded side by side by decoders of one thread; a single one by a decoder with several.
    let decoderThreads = threadCount == 1 ? plan.isDense ? workers : 1 : 1
    let delivery = OrderedDelivery<FrameResult<Output>>(
      groups: plan.efforts(index: index), capacity: threadCount == 1 ? 2 : resultsAhead(workers: threadCount))
    let tally = Tally(planning)
    planning = ExtractionCounters()
    // The first worker has a reader that is open already; the others open theirs on their own threads.
    let first = try takeReader(threads: decoderThreads)
    let own = (0..<threadCount).map { WorkerSeat(reader: $0 == 0 ? first : readers.popLast()) }
    let context = WorkerContext(
      input: input, stream: stream.index, environment: environment, index: index, allowsDamagedFrames: request.allowsDamagedFrames,
      threads: decoderThreads)
    let work = own.map { seat in
      { @Sendable in
        do throws(MediaError) {
          while let number = delivery.takeGroup() {
            let reader: StreamReader
            if let open = seat.reader { reader = open } else { reader = try context.makeReader() }
            try reader.use(threads: context.threads)
            seat.reader = reader
            let run = GroupRun(
              reader: reader, index: context.index, allowsDamagedFrames: context.allowsDamagedFrames, examined: examined)
            let group = groups[number]
            try run.run(group) { item throws(MediaError) in
              for result in plan.results(of: item, in: group, transform) {
                if case .success = result.output { reader.counters.framesOutput += 1 }
                guard delivery.put(result, group: number) else { return false }
              }
              return true
            }
            tally.add(reader.takeCounters())
            delivery.finish(group: number)
          }
        } catch {
          delivery.fail(error)
        }
      }
    }
    // Fewer threads than wanted take longer and give the same.
    var threads = [try Thread(work[0])]
    for body in work.dropFirst() { if let thread = try? Thread(body) { threads.append(thread) } }
    return FrameStream(delivery: delivery, threads: threads, tally: tally) { [weak self] in
      for seat in own {
        if let reader = seat.reader { self?.readers.append(reader) }
      }
    }
  }

  /// The frames themselves, without a copy.
  public func frames(_ request: FramesRequest) throws(MediaError) -> FrameStream<VideoFrame> {
    try frames(request) { extracted throws(MediaError) in extracted.frame }
  }

  /// How many results of several workers may wait for their turn: of each worker as many as hold 48 MiB as RGB, at most eight, and
  /// no more than 32 in all; but one of each worker always.
  private func resultsAhead(workers: Int) -> Int {
    let each = min(8, max(1, (48 << 20) / max(1, 3 * stream.size.width * stream.size.height)))
    return max(workers, min(workers * each, 32))
  }

  private func takeReader(threads: Int) throws(MediaError) -> StreamReader {
    if let reader = readers.popLast() {
      try reader.use(threads: threads)
      return reader
    }
    return try StreamReader(input, stream: stream.index, environment: environment, threads: threads)
  }

  // MARK: Planning

  private func ticks(_ time: MediaTime) -> Int64 { (time + startTime).ticksRoundedDown(in: stream.timeBase) }

  /// The first tick at or after a time.
  private func ticksRoundedUp(_ time: MediaTime) -> Int64 {
    let down = ticks(time)
    return MediaTime(ticks: down, timeBase: stream.timeBase) - startTime < time ? down + 1 : down
  }

  private func usage(_ reason: String) -> MediaError {
    MediaError(.usage, "cannot extract frames of \(input.displayName)", path: input.displayName, reason: reason)
  }

  /// The times of all frames, found by reading the file once.
  private func allTimes() throws(MediaError) -> [Int64] {
    if let frameTimes { return frameTimes }
    let reader = try takeReader(threads: 1)
    let times: [Int64]
    if let scanned = try reader.scanTimes() { times = scanned } else { times = try reader.decodeTimes() }
    planning += reader.takeCounters()
    readers.append(reader)
    frameTimes = times
    return times
  }

  /// When the last frame ends, as far as the file says; found by reading it when it does not.
  private func knownDuration() throws(MediaError) -> MediaTime {
    if let duration, duration > .zero { return duration }
    guard let last = try allTimes().last else { return .zero }
    let frame = stream.averageFrameRate.isPositive ? MediaTime(stream.averageFrameRate.reciprocal) : MediaTime(Rational(1, 25))
    return MediaTime(ticks: last, timeBase: stream.timeBase) - startTime + frame
  }

  private func plan(_ request: FramesRequest) throws(MediaError) -> ExtractionPlan {
    switch request.selection {
    case .positions(let positions):
      guard !positions.isEmpty else { throw usage("no time was given") }
      var wanted: [ExtractionPlan.Wanted] = []
      for (place, position) in positions.enumerated() {
        switch position {
        case .time(let time): wanted.append(.init(index: place, requested: time, ticks: ticks(time)))
        case .frame(let number):
          guard number >= 0 else { throw usage("frame numbers start at 0") }
          let times = try allTimes()
          guard let last = times.last else { throw usage("it holds no frame") }
          let tick = number < times.count ? times[number] : last
          wanted.append(
            .init(
              index: place, requested: MediaTime(ticks: tick, timeBase: stream.timeBase) - startTime, ticks: tick,
              isBeyondEnd: number >= times.count))
        }
      }
      return plan(wanted, request.tolerance)
    case .every(let interval):
      guard interval > .zero else { throw usage("the interval must be positive") }
      let end = try knownDuration()
      let count = (end / interval.seconds).seconds
      guard count <= Rational(environment.limits.frames) else {
        throw environment.limits.refusal(
          "cannot extract frames of \(input.displayName)", path: input.displayName, name: "frames", found: count.floor, of: "frames")
      }
      var times: [MediaTime] = [.zero]
      while let last = times.last, last + interval < end { times.append(last + interval) }
      return plan(wanted(times), request.tolerance)
    case .uniform(let count):
      guard count > 0 else { throw usage("the number of frames must be positive") }
      let end = try knownDuration()
      return plan(
        wanted((0..<count).map { end * Rational(Int64(2 * $0 + 1), Int64(2 * count)) }), request.tolerance)
    case .last:
      return plan([.init(index: 0, requested: nil, ticks: Int64.max / 4)], .exact)
    case .keyframes:
      guard let index else { return .unnumbered([TargetGroup(start: .beginning, work: .allKeyframes)]) }
      return ExtractionPlan(groups: index.ticks.indices.map { TargetGroup(start: .keyframe($0), work: .keyframe, firstTarget: $0) })
    case .range(let range):
      return .unnumbered([group(of: ticks(from: range)) { .range($0) }])
    case .sceneChanges(let threshold):
      guard threshold > 0 && threshold <= 1 else { throw usage("the scene threshold must be above 0 and at most 1") }
      return .unnumbered([TargetGroup(start: .beginning, work: .scenes(Int64.min..<Int64.max, threshold: threshold))])
    case .sharpest(let times, let window):
      guard !times.isEmpty, window >= .zero else { throw usage("no time was given, or a negative window") }
      let sorted = wanted(times).sorted { $0.ticks < $1.ticks }
      return ExtractionPlan(
        groups: sorted.enumerated().map { place, item in
          let time = item.requested ?? .zero
          let low = ticksRoundedUp(time - window)
          var group = group(of: low..<max(low, ticks(time + window) + 1)) { .sharpest($0) }
          group.firstTarget = place
          return group
        }, wanted: sorted.map { [$0] }, isDense: true)
    }
  }

  private func ticks(from range: TimeRange) -> Range<Int64> {
    let low = ticksRoundedUp(range.start)
    return low..<max(low, range.end.map { ticksRoundedUp($0) } ?? Int64.max)
  }

  private func group(of range: Range<Int64>, _ work: (Range<Int64>) -> TargetGroup.Work) -> TargetGroup {
    let entry = index?.entry(atOrBefore: range.lowerBound) ?? -1
    return TargetGroup(start: entry <= 0 ? .beginning : .keyframe(entry), work: work(range))
  }

  private func wanted(_ times: [MediaTime]) -> [ExtractionPlan.Wanted] {
    times.enumerated().map { .init(index: $0, requested: $1, ticks: ticks($1)) }
  }

  private func plan(_ wanted: [ExtractionPlan.Wanted], _ tolerance: FrameTolerance) -> ExtractionPlan {
    var exact: [ExtractionPlan.Wanted] = []
    var keyframes: [Int: [ExtractionPlan.Wanted]] = [:]
    for item in wanted {
      switch (tolerance, index) {
      case (.keyframe, let index?): keyframes[max(0, index.entry(atOrBefore: item.ticks)), default: []].append(item)
      case (.within(let distance), let index?):
        let nearest = index.nearest(to: item.ticks)
        let gap = MediaTime(ticks: abs(index.ticks[nearest] - item.ticks), timeBase: stream.timeBase)
        if gap <= distance { keyframes[nearest, default: []].append(item) } else { exact.append(item) }
      default: exact.append(item)
      }
    }
    return ExtractionPlan(exact: exact, keyframes: keyframes, index: index)
  }
}
