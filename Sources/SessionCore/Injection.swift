internal import ColumnCatalog
internal import Diagnostics
internal import NIOCore
internal import PGWire
internal import SQLBinding
internal import ValueCodec

/// Queries of our own on the client's connection: the catalog as its transaction sees it, its settings.
struct Injection {
    enum Kind: Equatable {
        case catalog, settings
        /// The enclave's nonce for this session; then what the proxy vouches for, a frame.
        case challenge
        case grant([UInt8])
    }
    /// In the order they are asked.
    let kinds: [Kind]
    /// In the middle of a batch: ends with Flush, not Sync.
    let isInBatch: Bool
    /// The catalog comes in hex of UTF-8: its names may be beyond the client's encoding.
    let isInHex: Bool
    /// Rows of each kind so far; the last one is filling.
    var rows: [[[String?]]] = [[]]
    var rowCount = 0

    /// Statement and portal of injected queries; closed at once, so that no client meets them.
    static let name = Identifier("cloister_injected")

    func write(_ query: String, to buffer: inout ByteBuffer) {
        ParseMessage(name: Self.name, text: ByteBuffer(string: query)).write(to: &buffer)
        BindMessage(portal: Self.name, statement: Self.name).write(to: &buffer)
        ExecuteMessage(portal: Self.name).write(to: &buffer)
        DescribeTarget.portal(Self.name).write(.close, to: &buffer)
        DescribeTarget.statement(Self.name).write(.close, to: &buffer)
    }
}

/// What has been loaded for the message at the head of the client's bytes, so that nothing is asked twice for it.
struct Preparation {
    var catalogLoaded = false
    var settingsLoaded = false
    var administered: Set<ColumnCommand> = []
    var failure: CloisterError?
}

extension SessionMachine {
    static let failedTransaction = CloisterError(
        .failedTransaction, "current transaction is aborted, commands ignored until end of transaction block")

    /// Asks the server; the client's messages wait until `injectionFinished` or `injectionFailed`.
    mutating func inject(_ kinds: [Injection.Kind]) {
        let isInHex = state.settings.encoding?.isUTF8 != true || state.settingsAreInFlux
        let injection = Injection(kinds: kinds, isInBatch: isBatchOpen, isInHex: isInHex)
        let closesFirst = injectionIsLeftOver
        injectionIsLeftOver = false
        writeToServer {
            if closesFirst { DescribeTarget.statement(Injection.name).write(.close, to: &$0) }
            for kind in kinds {
                switch kind {
                case .catalog: injection.write(isInHex ? CatalogSnapshot.loadQueryInHex : CatalogSnapshot.loadQuery, to: &$0)
                case .settings: injection.write(SessionState.settingsQuery, to: &$0)
                case .challenge: injection.write(GrantState.query([8]), to: &$0)
                case .grant(let frame): injection.write(GrantState.query(frame), to: &$0)
                }
            }
            Frontend.write(injection.isInBatch ? .flush : .sync, to: &$0)
        }
        if closesFirst { pending.append(.injected(.closeComplete)) }
        for index in kinds.indices {
            pending.append(.injected(.parseComplete))
            pending.append(.injected(.bindComplete))
            pending.append(.injected(.rows))
            pending.append(.injected(.closeComplete))
            let isLast = index == kinds.count - 1
            pending.append(.injected(isLast && injection.isInBatch ? .lastClose : .closeComplete))
        }
        if !injection.isInBatch { pending.append(.injected(.lastReady)) }
        self.injection = injection
    }

    mutating func injectedRow(_ row: DataRow) throws(CloisterError) {
        guard injection != nil else { throw CloisterError(.serverProtocol, "a row for no query") }
        guard (injection?.rowCount ?? 0) < limits.catalogRows else { throw CloisterError(.limitReached, "the catalog has too many rows") }
        let last = (injection?.rows.count ?? 1) - 1
        var values = row.values.map { $0.map { String(buffer: $0) } }
        if let injection, injection.isInHex, injection.kinds.indices.contains(last), injection.kinds[last] == .catalog {
            values = try values.map { (value) throws(CloisterError) -> String? in
                guard let value else { return nil }
                guard let bytes = Hex.decode(Array("\\x\(value)".utf8).span) else {
                    throw CloisterError(.catalogUnavailable, "the server's answer about its catalog is malformed")
                }
                return String(decoding: bytes, as: UTF8.self)
            }
        }
        injection?.rowCount += 1
        injection?.rows[last].append(values)
    }

    /// The rows of one kind are complete.
    mutating func injectedRowsComplete() { injection?.rows.append([]) }

    mutating func injectionFinished() {
        guard let done = injection else { return }
        injection = nil
        isClientBlocked = true
        do throws(CloisterError) {
            for (kind, rows) in zip(done.kinds, done.rows) {
                switch kind {
                case .catalog:
                    prepared.catalogLoaded = true
                    try state.catalogLoaded(rows: rows)
                case .settings:
                    prepared.settingsLoaded = true
                    try state.settingsLoaded(rows: rows)
                case .challenge: challenged(rows)
                case .grant: break  // if the enclave said no, its refusals will tell the client
                }
            }
        } catch { prepared.failure = error }
    }

    /// The server refused an injected query. Without a Sync of its own the injection sends one, to end the skipping.
    mutating func injectionFailed(_ fields: ErrorFields) {
        let sqlState = fields[.sqlState] ?? "unknown"
        injectionIsLeftOver = true
        switch sqlState {
        case _ where injection?.kinds.first?.isOfGrant == true: grantFailed(sqlState)
        case "25P02": prepared.failure = Self.failedTransaction
        case "57014": prepared.failure = CloisterError(.cancelled, "canceling statement due to user request")
        default:
            prepared.failure = CloisterError(
                .catalogUnavailable, "the server refused the proxy's query for its catalog or settings (SQLSTATE \(sqlState))")
        }
        while case .injected? = pending.first { pending.removeFirst() }
        pending.prepend(.injected(.recovery))
        if injection?.isInBatch == true { writeToServer { Frontend.write(.sync, to: &$0) } }
    }
}
