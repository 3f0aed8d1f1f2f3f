/// Each module, the only modules it may import, and why: what is absent is forbidden.
///
/// `Synchronization` is part of the standard library. `Glibc` (the C library) is allowed everywhere inside `Unsafe/` folders and in executables; elsewhere it is listed.
struct ImportRule {
    let allowed: Set<String>
    let why: String

    init(_ allowed: Set<String>, _ why: String) {
        self.allowed = allowed
        self.why = why
    }
}

let importRules: [String: ImportRule] = [
    "Diagnostics": ImportRule([], "everyone imports it, so it may know no one"),
    "CellFormat": ImportRule(["Diagnostics"], "cell bytes are told without keys, sockets or OpenSSL"),
    "ValueCodec": ImportRule(
        ["CellFormat", "Diagnostics", "Foundation"], "values know no keys and no cells; Foundation is for time zones only (foundationFiles)"
    ),
    "ColumnCatalog": ImportRule(["CellFormat", "Diagnostics"], "what is encrypted is decided without keys, connections or message bytes"),
    "PGWire": ImportRule(["NIOCore", "Diagnostics"], "messages as values: no sockets, no encryption, no SQL"),
    "CPGQuery": ImportRule([], "C"),
    "SQLBinding": ImportRule(
        ["CPGQuery", "ColumnCatalog", "CellFormat", "Diagnostics"], "decides what must be encrypted; can't touch keys or sockets"),
    "COpenSSL": ImportRule([], "C"),
    "CellCrypto": ImportRule(
        ["COpenSSL", "CellFormat", "Diagnostics", "Synchronization"], "the only importer of OpenSSL; no messages, no logging"),
    "KeyStore": ImportRule(
        ["CellCrypto", "CellFormat", "Diagnostics", "GRDB", "Foundation", "Synchronization"],
        "master keys and wrapping: no wire protocol, no SQL of users, no cells (CellFormat for key ids only)"),
    "Attestation": ImportRule(["CellCrypto", "Diagnostics"], "reports, policy and handshake as pure values: no sockets, no cells"),
    "CICU": ImportRule([], "C"),
    "Collations": ImportRule(["CICU", "CellFormat"], "the only importer of ICU: text and collation ids, no keys, no cells"),
    "EnclaveABI": ImportRule([], "C"),
    "CEnclaveRuntime": ImportRule([], "C"),
    "EnclaveEvaluator": ImportRule(
        ["EnclaveABI", "CellFormat", "CellCrypto", "Attestation", "Collations", "Diagnostics"],
        "what is measured is small: no NIO, no Foundation, no catalog, no client identity"),
    "cloister-enclave": ImportRule(
        ["EnclaveEvaluator", "EnclaveABI", "CEnclaveRuntime", "CellFormat", "CellCrypto", "Attestation", "Diagnostics"],
        "what is measured is small"),
    "CTEEPlatform": ImportRule([], "C"),
    "TEEPlatform": ImportRule(
        ["CTEEPlatform", "Attestation", "CellCrypto", "Diagnostics", "Foundation"],
        "launches, measures, guards and signs; sees no keys of columns and no cells"),
    "cloister-tee": ImportRule(
        ["TEEPlatform", "CTEEPlatform", "Attestation", "CellCrypto", "Diagnostics", "ArgumentParser", "Foundation"],
        "arguments for TEEPlatform"),
    "SessionCore": ImportRule(
        ["PGWire", "NIOCore", "SQLBinding", "ColumnCatalog", "ValueCodec", "CellCrypto", "CellFormat", "Diagnostics"],
        "a pure machine: ByteBuffer is all it takes from NIO; no channels, clocks, loggers or OpenSSL"),
    "ProxyServer": ImportRule(
        [
            "SessionCore", "PGWire", "NIOCore", "NIOPosix", "NIOTLS", "NIOSSL", "Logging", "ServiceLifecycle", "Diagnostics",
            "ColumnCatalog", "SQLBinding", "CellCrypto", "Synchronization",
        ],
        "the only importer of NIOSSL; carries actions out; takes no protocol decision and sees no cell bytes"),
    "Configuration": ImportRule(
        ["Yams", "CellFormat", "ColumnCatalog", "Diagnostics", "Foundation"], "reads the file; knows no keys' bytes, no connections"),
    "CPostgres": ImportRule([], "C"),
    "AdminConnection": ImportRule(["CPostgres", "Diagnostics"], "a connection for administration: knows no keys and no catalog"),
    "cloister": ImportRule(
        [
            "AdminConnection", "Attestation", "CellCrypto", "CellFormat", "ColumnCatalog", "Configuration", "Diagnostics", "KeyStore",
            "ProxyServer", "SessionCore", "SQLBinding", "ArgumentParser", "Logging", "ServiceLifecycle", "UnixSignals", "Foundation",
            "Dispatch", "PGWire", "NIOCore", "Synchronization",
        ], "joins the parts: no session machine of its own, no raw key bytes"),
]

/// Files that may import Foundation in a module where it is the exception.
let foundationFiles: [String: Set<String>] = ["ValueCodec": ["TimeZone", "Zone"]]
