// swift-tools-version: 6.2

import PackageDescription

// Warnings stop the build where DAYBOOK_STRICT is set (`tools/test` and CI set it), so that a
// newer compiler's new warning does not keep anybody from building a checkout.
let strict = Context.environment["DAYBOOK_STRICT"] != nil

let settings: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (strict ? [.treatAllWarnings(as: .error)] : [])

let argumentParser = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient = Target.Dependency.product(
    name: "AsyncHTTPClient", package: "async-http-client")
let collections = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdTesting = Target.Dependency.product(
    name: "HummingbirdTesting", package: "hummingbird")
let lifecycle = Target.Dependency.product(
    name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(
    name: "UnixSignals", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let coreMetrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let nioHTTPTypes = Target.Dependency.product(
    name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHTTPTypesHTTP1 = Target.Dependency.product(
    name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let hummingbirdCore = Target.Dependency.product(
    name: "HummingbirdCore", package: "hummingbird")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")

let package = Package(
    name: "daybook",
    platforms: [.macOS(.v26)],
    products: [.executable(name: "daybook", targets: ["daybook"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .target(name: "DaybookCore", swiftSettings: settings),
        .systemLibrary(
            name: "CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"]), .brew(["lmdb"])]),
        .target(name: "LMDB", dependencies: ["CLMDB"], swiftSettings: settings),
        .systemLibrary(
            name: "CLibcrypto", pkgConfig: "libcrypto",
            providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
        .target(name: "Libcrypto", dependencies: ["CLibcrypto"], swiftSettings: settings),
        .target(
            name: "DaybookStore",
            dependencies: [
                "DaybookCore", "LMDB", "Libcrypto", collections, crypto, protobuf,
            ],
            swiftSettings: settings),
        .target(
            name: "DaybookEngine",
            dependencies: [
                "DaybookCore", "DaybookStore", collections, lifecycle, logging, metrics,
                coreMetrics,
            ],
            swiftSettings: settings),
        .target(
            name: "DaybookWire", dependencies: ["DaybookCore", crypto], swiftSettings: settings),
        .target(
            name: "DaybookConnectors",
            dependencies: [
                "DaybookCore", "DaybookWire", "DaybookEngine", asyncHTTPClient, crypto, nioCore,
                nioPosix, nioHTTP1, lifecycle, logging,
            ],
            swiftSettings: settings),
        .target(
            name: "DaybookHTTP",
            dependencies: [
                "DaybookCore", "DaybookWire", "DaybookEngine", hummingbird, hummingbirdCore,
                httpTypes, nioCore, nioHTTP1, nioHTTPTypes, nioHTTPTypesHTTP1, nioSSL, lifecycle,
                logging, coreMetrics,
            ],
            exclude: ["Page"], swiftSettings: settings),
        .target(
            name: "DaybookClient",
            dependencies: [
                "DaybookCore", "DaybookWire", argumentParser, asyncHTTPClient, crypto,
                nioCore, nioHTTP1, nioSSL,
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "daybook",
            dependencies: [
                "DaybookCore", "LMDB", "DaybookStore", "DaybookEngine", "DaybookWire",
                "DaybookConnectors", "DaybookHTTP", "DaybookClient", nioHTTP1,
                argumentParser, configuration, lifecycle,
                unixSignals, logging, metrics,
            ],
            swiftSettings: settings),
        .target(
            name: "Support",
            dependencies: ["DaybookCore", "DaybookStore", "DaybookEngine"],
            path: "Tests/Support", swiftSettings: settings),
        .testTarget(name: "LMDBTests", dependencies: ["LMDB", "Support"], swiftSettings: settings),
        .testTarget(
            name: "LibcryptoTests", dependencies: ["Libcrypto", "Support", crypto],
            swiftSettings: settings),
        .testTarget(
            name: "DaybookCoreTests", dependencies: ["DaybookCore", "DaybookStore", "Support"],
            swiftSettings: settings),
        .testTarget(
            name: "DaybookWireTests", dependencies: ["DaybookCore", "DaybookWire", "Support"],
            swiftSettings: settings),
        .testTarget(
            name: "DaybookStoreTests",
            dependencies: ["DaybookCore", "DaybookStore", "LMDB", "Support", crypto, protobuf],
            swiftSettings: settings),
        .testTarget(
            name: "DaybookEngineTests",
            dependencies: [
                "LMDB", "DaybookCore", "DaybookStore", "DaybookEngine", "Support", lifecycle,
                logging,
            ],
            swiftSettings: settings),
        .testTarget(
            name: "DaybookConnectorsTests",
            dependencies: [
                "DaybookCore", "DaybookWire", "DaybookEngine", "DaybookConnectors",
                "DaybookStore", "Support", nioCore, nioPosix, nioHTTP1, logging,
            ],
            swiftSettings: settings),
        .testTarget(
            name: "DaybookHTTPTests",
            dependencies: [
                "DaybookCore", "DaybookWire", "DaybookEngine", "DaybookHTTP", "DaybookStore",
                "Support", hummingbird, hummingbirdTesting, httpTypes, nioCore, lifecycle,
                logging, coreMetrics,
            ],
            swiftSettings: settings),
        .testTarget(
            name: "DaybookClientTests",
            dependencies: ["DaybookCore", "DaybookWire", "DaybookClient", "Support"],
            swiftSettings: settings),
        .testTarget(name: "HouseRulesTests", swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
