// swift-tools-version:6.2
import PackageDescription

/// `make fuzz` builds what needs clang's fuzzer, which nothing else does.
let isFuzzing = Context.environment["CARILLON_FUZZ"] != nil

/// Language rules of every target: Swift 6 mode with the upcoming features that make imports and existentials visible.
let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

extension Target.Dependency {
    static let nioCore: Self = .product(name: "NIOCore", package: "swift-nio")
    static let nioPosix: Self = .product(name: "NIOPosix", package: "swift-nio")
    static let nioEmbedded: Self = .product(name: "NIOEmbedded", package: "swift-nio")
    static let nioHTTP1: Self = .product(name: "NIOHTTP1", package: "swift-nio")
    static let nioWebSocket: Self = .product(name: "NIOWebSocket", package: "swift-nio")
    static let httpTypes: Self = .product(name: "HTTPTypes", package: "swift-http-types")
    static let nioHTTPTypes: Self = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
    static let nioHTTPTypesHTTP1: Self = .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
    static let hummingbird: Self = .product(name: "Hummingbird", package: "hummingbird")
    static let hummingbirdCore: Self = .product(name: "HummingbirdCore", package: "hummingbird")
    static let logging: Self = .product(name: "Logging", package: "swift-log")
    static let serviceLifecycle: Self = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let unixSignals: Self = .product(name: "UnixSignals", package: "swift-service-lifecycle")
    static let configuration: Self = .product(name: "Configuration", package: "swift-configuration")
    static let argumentParser: Self = .product(name: "ArgumentParser", package: "swift-argument-parser")
}

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

func program(_ name: String, _ path: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: path, swiftSettings: swiftSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

// Direction of imports, checked by `make check`:
// Domain <- {Metrics, Config, TLS, Socket, Redis} <- Store <- {Realtime, Workers, HTTP} <- App <- cmd/server; Tools <- cmd/client, cmd/sender
// Beside the product, to break and to measure it: {Domain, TLS} <- Load <- {Chaos, Bench, Hostile} <- cmd/chaos, cmd/bench, cmd/hostile;
// all run servers through TestSupport, and Bench reads addresses as Tools does. {Domain, Redis, Store, Realtime, HTTP, Load, Tools} <-
// Fuzz <- cmd/fuzz: what parsers must hold to
let package = Package(
    name: "carillon",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "carillon-server", targets: ["carillon-server"]),
        .executable(name: "carillon-client", targets: ["carillon-client"]),
        .executable(name: "carillon-sender", targets: ["carillon-sender"]),
        // Loaded into pods whose clocks chaos runs move.
        .library(name: "FakeClock", type: .dynamic, targets: ["CFakeClock"]),
        // Loaded into pods whose allocations a test counts.
        .library(name: "AllocationCounter", type: .dynamic, targets: ["CAllocationCounter"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: ["CommandLineArguments"]),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    ],
    targets: [
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(name: "COpenSSL", providers: [.apt(["libssl-dev"])]),

        .target(name: "CFakeClock"),
        .target(name: "CAllocationCounter"),

        module("CarillonDomain", [.nioCore]),
        module("CarillonConfig", ["CarillonDomain", .configuration, .logging]),
        module("CarillonMetrics", ["CarillonDomain"]),
        module("CarillonTLS", ["COpenSSL", .nioCore]),
        module("CarillonSocket", [.nioCore, .nioPosix]),
        module("CarillonRedis", ["CHiredis", "CarillonSocket", "CarillonTLS", .nioCore, .nioPosix, .logging]),
        module(
            "CarillonStore",
            ["CarillonDomain", "CarillonMetrics", "CarillonRedis", "CarillonTLS", .nioCore]
        ),
        module(
            "CarillonRealtime",
            [
                "CarillonDomain", "CarillonMetrics", "CarillonSocket", "CarillonStore", "CarillonTLS", .nioCore,
                .logging,
            ]
        ),
        module(
            "CarillonWorkers",
            ["CarillonDomain", "CarillonMetrics", "CarillonStore", .logging, .serviceLifecycle]
        ),
        module(
            "CarillonHTTP",
            [
                "CarillonDomain", "CarillonSocket", "CarillonStore", .nioCore, .nioPosix, .nioHTTP1,
                .nioHTTPTypesHTTP1, .httpTypes, .hummingbird, .hummingbirdCore, .logging, .serviceLifecycle,
            ]
        ),
        module(
            "CarillonApp",
            [
                "CarillonConfig", "CarillonDomain", "CarillonHTTP", "CarillonMetrics", "CarillonRealtime",
                "CarillonRedis", "CarillonStore",
                "CarillonTLS", "CarillonWorkers", .nioCore, .nioPosix, .logging, .serviceLifecycle, .unixSignals,
            ]
        ),
        module("CarillonTools", ["CarillonTLS", .nioCore, .nioPosix, .nioHTTP1, .nioWebSocket]),

        program("carillon-server", "cmd/server", ["CarillonApp", "CarillonConfig"]),
        program("carillon-client", "cmd/client", ["CarillonTools", .argumentParser]),
        program("carillon-sender", "cmd/sender", ["CarillonTools", .argumentParser]),

        module("CarillonTestSupport"),
        module("CarillonLoad", ["CarillonDomain", "CarillonTLS", .nioCore, .nioPosix]),
        module(
            "CarillonChaos",
            ["CarillonDomain", "CarillonLoad", "CarillonTestSupport", .nioCore, .nioPosix]
        ),
        module(
            "CarillonBench",
            [
                "CarillonDomain", "CarillonLoad", "CarillonSocket", "CarillonTLS", "CarillonTools",
                "CarillonTestSupport", .nioCore, .nioPosix,
            ]
        ),
        module(
            "CarillonHostile",
            ["CarillonDomain", "CarillonLoad", "CarillonTestSupport", .nioCore, .nioPosix]
        ),
        program("carillon-hostile", "cmd/hostile", ["CarillonHostile", "CarillonTestSupport", .argumentParser]),
        program("carillon-chaos", "cmd/chaos", ["CarillonChaos", "CarillonTestSupport", .argumentParser]),
        program("carillon-bench", "cmd/bench", ["CarillonBench", "CarillonTestSupport", .argumentParser]),
        module(
            "CarillonFuzz",
            [
                "CarillonDomain", "CarillonHTTP", "CarillonLoad", "CarillonRealtime", "CarillonRedis", "CarillonStore",
                "CarillonTestSupport", "CarillonTools", .nioCore, .nioEmbedded, .nioHTTP1, .nioWebSocket,
            ]
        ),
        tests("CarillonDomainTests", ["CarillonDomain", "CarillonTestSupport", .nioCore]),
        tests(
            "CarillonConfigTests",
            ["CarillonConfig", "CarillonDomain", "CarillonApp", "CarillonTestSupport", .nioCore, .nioPosix, .logging]
        ),
        tests("CarillonMetricsTests", ["CarillonMetrics", "CarillonDomain"]),
        tests("CarillonTLSTests", ["CarillonTLS", .nioCore, .nioPosix, .nioEmbedded]),
        tests(
            "CarillonRedisTests",
            ["CarillonRedis", "CarillonTLS", "CarillonTestSupport", .nioCore, .nioPosix, .logging]
        ),
        tests(
            "CarillonStoreTests",
            [
                "CarillonStore", "CarillonRedis", "CarillonDomain", "CarillonMetrics", "CarillonTestSupport", .nioCore,
                .nioPosix, .logging,
            ]
        ),
        tests(
            "CarillonRealtimeTests",
            [
                "CarillonRealtime", "CarillonDomain", "CarillonStore", "CarillonTestSupport", .nioCore, .nioEmbedded,
            ]
        ),
        tests(
            "CarillonWorkersTests",
            [
                "CarillonWorkers", "CarillonStore", "CarillonRedis", "CarillonMetrics", "CarillonDomain",
                "CarillonTestSupport", .nioCore, .nioPosix, .logging,
            ]
        ),
        tests(
            "CarillonHTTPTests",
            [
                "CarillonHTTP", "CarillonDomain", "CarillonFuzz", "CarillonStore", "CarillonTestSupport", .nioCore,
                .nioPosix, .nioEmbedded, .hummingbird, .logging, .serviceLifecycle,
            ]
        ),
        tests(
            "CarillonToolsTests",
            ["CarillonTools", "CarillonTestSupport", .nioCore, .nioPosix, .nioHTTP1, .nioWebSocket]
        ),
        tests("CarillonLoadTests", ["CarillonLoad", "CarillonDomain", "CarillonTestSupport", .nioCore, .nioPosix]),
        tests(
            "CarillonChaosTests",
            ["CarillonChaos", "CarillonLoad", "CarillonDomain", "CarillonTestSupport", .nioCore, .nioPosix]
        ),
        tests("CarillonBenchTests", ["CarillonBench", "CarillonLoad", "CarillonTestSupport", .nioCore]),
        tests(
            "CarillonAppTests",
            [
                "CarillonApp", "CarillonConfig", "CarillonDomain", "CarillonMetrics", "CarillonRealtime",
                "CarillonRedis", "CarillonStore", "CarillonTestSupport", "CarillonWorkers", .nioCore, .nioPosix,
                .logging,
            ]
        ),
        tests("CarillonFuzzTests", ["CarillonFuzz"]),
        tests("EndToEndTests", ["CarillonTestSupport"]),
    ]
        + (isFuzzing
            ? [
                .systemLibrary(name: "CLibFuzzer"),
                program("carillon-fuzz", "cmd/fuzz", ["CarillonFuzz", "CLibFuzzer"]),
            ] : []),
    swiftLanguageModes: [.v6]
)
