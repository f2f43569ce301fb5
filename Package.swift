// swift-tools-version: 6.2
import PackageDescription

// Floors under Sources/: C, Core, Media, Operations, the umbrella and Apps. ARCHITECTURE.md holds the
// table of who may import whom; Tests/ArchitectureTests reads the imports and fails on any other arrow.

let swiftSettings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableExperimentalFeature("Lifetimes"),
]

let cSettings: [CSetting] = [
  .define("_GNU_SOURCE"),
  // Debug builds of pixel loops would be unusably slow; they are the same code in every configuration.
  .unsafeFlags(["-O3", "-Wall", "-Wextra", "-Wno-unused-parameter"]),
]

/// A C library of the system, seen through a module map.
func system(_ name: String, _ pkgConfig: String, apt: [String]) -> Target {
  .systemLibrary(name: name, path: "Sources/C/\(name)", pkgConfig: pkgConfig, providers: [.apt(apt)])
}

/// C code of our own.
func c(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, path: "Sources/C/\(name)", cSettings: cSettings)
}

func swift(_ floor: String, _ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(
    name: name, dependencies: dependencies, path: "Sources/\(floor)/\(name)",
    swiftSettings: swiftSettings)
}

func sample(_ name: String) -> Target {
  .executableTarget(name: name, dependencies: ["Reelwright"], path: "Samples/Programs/\(name)", swiftSettings: swiftSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: name, dependencies: dependencies, path: "Tests/\(name)", swiftSettings: swiftSettings)
}

let package = Package(
  name: "Reelwright",
  products: [
    .library(name: "Reelwright", targets: ["Reelwright"]),
    .executable(name: "reel", targets: ["reel"]),
    .executable(name: "reel-worker", targets: ["reel-worker"]),
  ],
  targets: [
    // C
    system(
      "CFFmpeg", "libavformat libavcodec libavfilter libswscale libswresample libavutil",
      apt: [
        "libavformat-dev", "libavcodec-dev", "libavfilter-dev", "libswscale-dev",
        "libswresample-dev", "libavutil-dev",
      ]),
    system("CSQLite", "sqlite3", apt: ["libsqlite3-dev"]),
    system("CPostgreSQL", "libpq", apt: ["libpq-dev"]),
    system("CSodium", "libsodium", apt: ["libsodium-dev"]),
    system("COpenSSL", "libcrypto", apt: ["libssl-dev"]),
    system("CCurl", "libcurl", apt: ["libcurl4-openssl-dev"]),
    system("CLibass", "libass", apt: ["libass-dev"]),
    system("CFreeType", "freetype2 harfbuzz fontconfig", apt: ["libfreetype-dev", "libharfbuzz-dev", "libfontconfig-dev"]),
    system("CTurboJPEG", "libturbojpeg", apt: ["libturbojpeg0-dev"]),
    system("CFFTW", "fftw3f", apt: ["libfftw3-dev"]),
    system("CLittleCMS", "lcms2", apt: ["liblcms2-dev"]),
    system("CHeif", "libheif", apt: ["libheif-dev"]),
    system("CWebP", "libwebp libwebpdemux libwebpmux", apt: ["libwebp-dev"]),
    system("CEBUR128", "libebur128", apt: ["libebur128-dev"]),
    system("CSeccomp", "libseccomp", apt: ["libseccomp-dev"]),
    c("CShims", ["CFFmpeg"]),
    c("CSystem", ["CSeccomp"]),
    c("CCurlShims", ["CCurl"]),
    c("CKernels"),
    c("CAllocationGuard"),

    // Core
    swift("Core", "MediaCore", []),
    swift("Core", "PositionedJSON", ["MediaCore"]),
    swift("Core", "Crypto", ["CSodium", "COpenSSL", "MediaCore"]),
    swift("Core", "FileAccess", ["Crypto", "MediaCore"]),

    // Media
    swift("Media", "Pipeline", ["MediaCore"]),
    swift(
      "Media", "FFmpegBridge",
      ["CFFmpeg", "CShims", "CLittleCMS", "CHeif", "CWebP", "Pipeline", "FileAccess", "MediaCore"]),
    swift("Media", "Encoding", ["FFmpegBridge", "Pipeline", "Crypto", "FileAccess", "MediaCore"]),
    swift("Media", "Text", ["CLibass", "CFreeType", "CKernels", "PositionedJSON", "MediaCore"]),
    swift(
      "Media", "FrameExtraction",
      ["FFmpegBridge", "Pipeline", "CKernels", "CTurboJPEG", "CWebP", "FileAccess", "MediaCore"]),
    swift(
      "Media", "Watermark",
      [
        "FrameExtraction", "FFmpegBridge", "Pipeline", "Encoding", "Crypto", "CKernels", "CFFTW", "FileAccess", "PositionedJSON",
        "MediaCore",
      ]),
    swift(
      "Media", "Composition",
      [
        "Encoding", "FFmpegBridge", "Pipeline", "FrameExtraction", "Watermark", "Text", "Crypto", "CKernels", "CEBUR128", "FileAccess",
        "PositionedJSON", "MediaCore",
      ]),
    swift(
      "Media", "MediaTasks",
      [
        "Composition", "Encoding", "FFmpegBridge", "Pipeline", "FrameExtraction", "Watermark", "Text", "Crypto", "FileAccess",
        "PositionedJSON", "MediaCore",
      ]),

    // Operations
    swift("Operations", "Sandbox", ["CSystem", "FileAccess", "PositionedJSON", "Crypto", "MediaCore"]),
    swift("Operations", "Storage", ["CSQLite", "CPostgreSQL", "FileAccess", "PositionedJSON", "Crypto", "MediaCore"]),
    swift("Operations", "Transfer", ["CCurl", "CCurlShims", "Crypto", "FileAccess", "PositionedJSON", "MediaCore"]),
    swift("Operations", "MetadataLog", ["CSystem", "Storage", "Transfer", "Crypto", "FileAccess", "PositionedJSON", "MediaCore"]),
    swift("Operations", "Jobs", ["Storage", "Sandbox", "Transfer", "MetadataLog", "FileAccess", "PositionedJSON", "Crypto", "MediaCore"]),

    // Umbrella
    .target(
      name: "Reelwright",
      dependencies: [
        "MediaCore", "PositionedJSON", "Crypto", "FileAccess", "Pipeline", "FFmpegBridge", "Encoding", "Text", "FrameExtraction",
        "Watermark", "Composition", "MediaTasks", "Sandbox", "Storage", "Transfer", "MetadataLog",
        "Jobs",
      ], path: "Sources/Reelwright", swiftSettings: swiftSettings),

    // Apps
    swift("Apps", "CommandLayer", ["PositionedJSON", "MediaCore"]),
    .executableTarget(name: "reel", dependencies: ["CommandLayer", "Reelwright"], path: "Sources/Apps/reel", swiftSettings: swiftSettings),
    .executableTarget(
      name: "reel-worker", dependencies: ["CAllocationGuard", "MediaTasks", "Sandbox", "MediaCore"], path: "Sources/Apps/reel-worker",
      swiftSettings: swiftSettings),

    .executableTarget(
      name: "sandbox-costs", dependencies: ["Sandbox", "FileAccess", "MediaCore"], path: "Benchmarks/sandbox-costs",
      swiftSettings: swiftSettings),
    .executableTarget(
      name: "log-day", dependencies: ["MetadataLog", "Storage", "Transfer", "Crypto", "LoopbackServer"], path: "Benchmarks/log-day",
      swiftSettings: swiftSettings),
    .executableTarget(
      name: "jobs-costs", dependencies: ["Jobs", "Storage", "MediaCore"], path: "Benchmarks/jobs-costs", exclude: ["loop.c"],
      swiftSettings: swiftSettings),
    // The evaluation scripts of Benchmarks/ drive it with raw pictures.
    .executableTarget(
      name: "watermark-lab", dependencies: ["Watermark", "Crypto", "MediaCore"], path: "Benchmarks/watermark-lab",
      swiftSettings: swiftSettings),

    // Example programs, run by SampleTests
    sample("probe-file"),
    sample("encode-ten-lines"),
    sample("custom-stage"),
    sample("render-async"),

    // Programs that only benchmarks run
    .executableTarget(
      name: "decode-to-nothing", dependencies: ["Reelwright"], path: "Benchmarks/DecodeToNothing", swiftSettings: swiftSettings),
    .executableTarget(
      name: "frames-in-process", dependencies: ["FrameExtraction", "FFmpegBridge", "FileAccess", "MediaCore"],
      path: "Benchmarks/FramesInProcess", swiftSettings: swiftSettings),

    // Tests
    .target(name: "TestBasics", dependencies: ["MediaCore"], path: "Tests/TestBasics", swiftSettings: swiftSettings),
    .target(
      name: "TestSupport", dependencies: ["MediaCore", "FileAccess", "FFmpegBridge", "Pipeline"], path: "Tests/TestSupport",
      swiftSettings: swiftSettings),
    .target(
      name: "DatabaseTestSupport", dependencies: ["Storage"], path: "Tests/DatabaseTestSupport", swiftSettings: swiftSettings),
    .target(name: "LoopbackServer", path: "Tests/LoopbackServer", swiftSettings: swiftSettings),
    // A process that runs jobs and kills itself, for the kill storm; not a product.
    .target(name: "DurabilityShim", path: "Tests/DurabilityShim", cSettings: cSettings),
    .target(
      name: "StormSupport", dependencies: ["Jobs", "Storage", "FileAccess", "MediaCore", "TestBasics"], path: "Tests/StormSupport",
      swiftSettings: swiftSettings),
    .executableTarget(
      name: "storm-worker", dependencies: ["StormSupport", "DurabilityShim", "Jobs", "Storage"], path: "Tests/StormWorker",
      swiftSettings: swiftSettings),
    .executableTarget(
      name: "storm-media-worker", dependencies: ["StormSupport", "Reelwright"], path: "Tests/StormMediaWorker", swiftSettings: swiftSettings
    ),
    tests("ArchitectureTests", []),
    tests("MediaCoreTests", ["MediaCore"]),
    tests("PositionedJSONTests", ["PositionedJSON", "MediaCore"]),
    tests("CryptoTests", ["Crypto", "MediaCore"]),
    tests("FileAccessTests", ["FileAccess", "MediaCore", "TestSupport"]),
    tests("PipelineTests", ["Pipeline", "MediaCore"]),
    tests("KernelTests", ["CKernels"]),
    tests("FFmpegBridgeTests", ["FFmpegBridge", "FileAccess", "Pipeline", "MediaCore", "TestSupport"]),
    tests("EncodingTests", ["Encoding", "FFmpegBridge", "FileAccess", "Pipeline", "MediaCore", "TestSupport"]),
    tests("TextTests", ["Text", "PositionedJSON", "MediaCore"]),
    tests(
      "FrameExtractionTests",
      [
        "TestBasics", "FrameExtraction", "FFmpegBridge", "FileAccess", "Pipeline", "MediaCore", "CKernels", "COpenSSL", "CTurboJPEG",
        "TestSupport",
      ]),
    tests("WatermarkTests", ["Watermark", "Crypto", "FFmpegBridge", "FileAccess", "CKernels", "MediaCore", "TestSupport"]),
    tests(
      "CompositionTests",
      [
        "TestBasics", "Composition", "Encoding", "FFmpegBridge", "FileAccess", "PositionedJSON", "Text", "CKernels", "MediaCore",
        "TestSupport",
      ]),
    tests(
      "MediaTasksTests",
      [
        "MediaTasks", "Watermark", "Crypto", "Composition", "Encoding", "FrameExtraction", "FFmpegBridge", "FileAccess", "MediaCore",
        "TestSupport", "Pipeline",
      ]),
    .target(name: "CSandboxAttacks", path: "Tests/CSandboxAttacks", cSettings: cSettings),
    .executableTarget(
      name: "sandbox-attacks", dependencies: ["CSandboxAttacks", "Sandbox", "FileAccess", "MediaCore"], path: "Tests/SandboxAttacks",
      swiftSettings: swiftSettings),
    tests("SandboxTests", ["TestBasics", "Sandbox", "CSandboxAttacks", "CSystem", "FileAccess", "MediaCore", "sandbox-attacks"]),
    tests("StorageTests", ["TestBasics", "Storage", "DatabaseTestSupport", "MediaCore"]),
    tests("TransferTests", ["TestBasics", "Transfer", "Crypto", "FileAccess", "MediaCore", "LoopbackServer"]),
    tests(
      "MetadataLogTests",
      [
        "TestBasics", "MetadataLog", "Storage", "DatabaseTestSupport", "LoopbackServer", "Transfer", "Crypto", "PositionedJSON",
        "MediaCore",
      ]),
    tests(
      "JobsTests",
      [
        "TestBasics", "Jobs", "Storage", "DatabaseTestSupport", "Transfer", "LoopbackServer", "storm-worker", "storm-media-worker",
        "StormSupport", "Sandbox",
        "FileAccess",
        "MetadataLog", "Crypto", "PositionedJSON",
        "MediaCore",
      ]),
    tests("CommandLayerTests", ["CommandLayer", "PositionedJSON", "MediaCore"]),
    tests("CommandLineTests", ["TestSupport", "DatabaseTestSupport", "LoopbackServer", "MediaCore"]),
    tests("ReelwrightTests", ["Reelwright", "TestSupport"]),
    tests("SampleTests", ["Reelwright", "TestSupport"]),
  ]
)

// Fuzzing needs every module instrumented and libFuzzer's library: `make fuzz` builds this in a folder of its own.
if Context.environment["REELWRIGHT_FUZZ"] != nil {
  package.targets += [
    .target(name: "CFuzzer", path: "Tests/Fuzzing/CFuzzer", cSettings: cSettings),
    .executableTarget(
      name: "fuzz-parsers",
      dependencies: [
        "CFuzzer", "Composition", "Text", "Jobs", "MetadataLog", "Sandbox", "Transfer", "FFmpegBridge", "FileAccess", "PositionedJSON",
        "MediaCore",
      ], path: "Tests/Fuzzing/Parsers", swiftSettings: swiftSettings),
  ]
}

// The sanitizers' suites (`make test-asan`, `make test-tsan`) are all but those of the programs; these come from a plain build.
if Context.environment["REELWRIGHT_SANITIZE"] != nil {
  let removed: Set = ["CommandLineTests", "SampleTests", "ArchitectureTests", "ReelwrightTests"]
  package.targets.removeAll { target in
    let path = target.path ?? ""
    return removed.contains(target.name) || path.hasPrefix("Samples/") || path.hasPrefix("Benchmarks/")
      || path.hasPrefix("Sources/Apps/reel")
  }
  package.products = []
  // One test target is enough: all of them are linked into one program.
  package.targets.append(.target(name: "CMutexOrder", path: "Tests/CMutexOrder"))
  package.targets.first { $0.name == "PipelineTests" }?.dependencies.append("CMutexOrder")
}
