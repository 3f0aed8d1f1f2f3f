// swift-tools-version: 6.2
import PackageDescription

/// One settings array for every target: what the whole project is compiled under.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

func module(_ name: String, _ dependencies: [Target.Dependency] = [], extra: [SwiftSetting] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict + extra)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")

let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")

let package = Package(
    name: "cloister",
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        // Formats and values: no sockets, no keys.
        module("Diagnostics"),
        module("CellFormat", ["Diagnostics"]),
        module("ValueCodec", ["CellFormat", "Diagnostics"]),
        module("ColumnCatalog", ["CellFormat", "Diagnostics"]),
        module("PGWire", [nioCore, "Diagnostics"]),
        .systemLibrary(name: "CPGQuery", providers: [.apt(["libpg-query-dev"])]),
        module("SQLBinding", ["CPGQuery", "ColumnCatalog", "CellFormat", "Diagnostics"]),

        // Secrets.
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        // Lifetimes: keys lend their bytes as spans instead of copying them.
        module("CellCrypto", ["COpenSSL", "CellFormat", "Diagnostics"], extra: [.enableExperimentalFeature("Lifetimes")]),
        module("KeyStore", ["CellCrypto", "CellFormat", "Diagnostics", .product(name: "GRDB", package: "GRDB.swift")]),
        module("Attestation", ["CellCrypto", "Diagnostics"]),

        // The enclave and its platform.
        .systemLibrary(name: "CICU", pkgConfig: "icu-i18n", providers: [.apt(["libicu-dev"])]),
        module("Collations", ["CICU", "CellFormat"]),
        .target(name: "EnclaveABI"),
        .target(name: "CEnclaveRuntime", dependencies: ["EnclaveABI"]),
        module(
            "EnclaveEvaluator", ["EnclaveABI", "CellFormat", "CellCrypto", "Attestation", "Collations", "Diagnostics"],
            extra: [.enableExperimentalFeature("Lifetimes")]),
        .executableTarget(
            name: "cloister-enclave",
            dependencies: ["Attestation", "CEnclaveRuntime", "CellCrypto", "EnclaveABI", "EnclaveEvaluator"], swiftSettings: strict),
        .target(name: "CTEEPlatform"),
        module("TEEPlatform", ["CTEEPlatform", "Attestation", "CellCrypto", "Diagnostics"]),
        .executableTarget(
            name: "cloister-tee",
            dependencies: [
                "TEEPlatform", "Attestation", "Diagnostics", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        // The proxy.
        module("SessionCore", ["PGWire", "SQLBinding", "ColumnCatalog", "ValueCodec", "CellCrypto", "CellFormat", "Diagnostics"]),
        module(
            "ProxyServer",
            [
                "SessionCore", "PGWire", "Diagnostics", nioCore, nioPosix, nioSSL,
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        module("Configuration", ["CellFormat", "ColumnCatalog", "Diagnostics", .product(name: "Yams", package: "Yams")]),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        module("AdminConnection", ["CPostgres", "Diagnostics"]),
        .executableTarget(
            name: "cloister",
            dependencies: [
                "AdminConnection", "Attestation", "CellCrypto", "CellFormat", "ColumnCatalog", "Configuration", "Diagnostics", "KeyStore",
                "PGWire",
                "ProxyServer", "SessionCore", "SQLBinding",
                nioCore,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),

        // Answers Tests/Integration/test_values.py; no product.
        .executableTarget(
            name: "value-probe", dependencies: ["ValueCodec", "CellFormat", "Diagnostics"], path: "Tests/Tools/value-probe",
            swiftSettings: strict),
        // Runs the proxy for Tests/Integration/test_protocol*.py with keys and marks from its arguments. Not a product.
        .executableTarget(
            name: "proxy-harness",
            dependencies: [
                "ProxyServer", "SessionCore", "SQLBinding", "ColumnCatalog", "CellCrypto", "CellFormat", "Diagnostics",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Tests/Tools/proxy-harness", swiftSettings: strict),

        .target(name: "FuzzSupport", path: "Tests/FuzzSupport", swiftSettings: strict),

        tests("LayoutTests", []),
        tests("CellFormatTests", ["CellFormat", "Diagnostics"]),
        tests("CellCryptoTests", ["CellCrypto", "CellFormat", "Diagnostics"]),
        tests("KeyStoreTests", ["KeyStore", "CellCrypto", "CellFormat", "Diagnostics", .product(name: "GRDB", package: "GRDB.swift")]),
        tests("AttestationTests", ["Attestation", "CellCrypto", "CellFormat", "Diagnostics"]),
        tests("EnclaveEvaluatorTests", ["EnclaveEvaluator", "EnclaveABI", "CellCrypto", "CellFormat", "Attestation"]),
        tests("CollationsTests", ["Collations", "CellFormat"]),
        tests("TEEPlatformTests", ["TEEPlatform", "Attestation", "CellCrypto", "Diagnostics"]),
        tests("ValueCodecTests", ["ValueCodec", "CellFormat", "Diagnostics"], exclude: ["Corpus"]),
        tests("PGWireTests", ["PGWire", "Diagnostics", "FuzzSupport", nioCore], exclude: ["Corpus"]),
        tests("ColumnCatalogTests", ["ColumnCatalog", "CellFormat", "Diagnostics"]),
        tests("SQLBindingTests", ["FuzzSupport", "SQLBinding", "ColumnCatalog", "CellFormat", "Diagnostics"], exclude: ["Corpus"]),
        tests(
            "SessionCoreTests",
            [
                "FuzzSupport", "SessionCore", "PGWire", "SQLBinding", "ColumnCatalog", "CellCrypto", "CellFormat", "ValueCodec",
                "Diagnostics", nioCore,
            ]),
        tests(
            "ProxyServerTests",
            [
                "ProxyServer", "SessionCore", "PGWire", "SQLBinding", "ColumnCatalog", "CellCrypto", "CellFormat", "Diagnostics", nioCore,
                nioPosix,
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        tests("AdminConnectionTests", ["AdminConnection", "Diagnostics"]),
        tests(
            "CommandTests",
            [
                "cloister", "AdminConnection", "CellCrypto", "CellFormat", "ColumnCatalog", "Configuration", "Diagnostics", "KeyStore",
                "Attestation",
            ]),
        tests("ConfigurationTests", ["Configuration", "ColumnCatalog", "CellFormat", "Diagnostics"]),
    ]
)
