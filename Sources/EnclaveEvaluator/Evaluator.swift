internal import CellCrypto
internal import CellFormat
internal import Collations
internal import Diagnostics
internal import EnclaveABI

/// The answer to one request: what goes into the slot.
package struct Answer: Equatable, Sendable {
    package var status: UInt32 = CLOISTER_OK.rawValue
    /// COMPARE: -1, 0, 1. MATCH: 0, 1.
    package var value: Int32 = 0
    /// HASH.
    package var hash: UInt64 = 0
    /// TUNNEL: a frame of schemas/release-v1.md. AGGREGATE, at the end of a group: a result cell.
    package var bytes: [UInt8] = []
}

/// What the workers share.
package final class Enclave: Sendable {
    package let keys: KeyTable
    package let tunnel: any Tunnel
    let aggregations: AggregationTable
    package let sessions: SessionTable
    /// In bytes: what each worker takes in at most.
    package let largestRequest: Int
    /// Every request is answered with DISABLED.
    let isDisabled: Bool
    let memory: any MemoryBudget

    package init(
        keys: KeyTable, tunnel: any Tunnel, aggregations: AggregationTable = AggregationTable(), sessions: SessionTable = SessionTable(),
        largestRequest: Int = .max, isDisabled: Bool = false, memory: any MemoryBudget = UnlimitedMemory()
    ) {
        self.isDisabled = isDisabled
        self.memory = memory
        self.aggregations = aggregations
        self.sessions = sessions
        self.keys = keys
        self.tunnel = tunnel
        self.largestRequest = largestRequest
    }
}

extension Enclave {
    /// The connection of that number is gone; on the main thread.
    package func ended(_ session: UInt64) {
        sessions.ended(session)
        aggregations.ended(session)
    }
}

/// Answers a frame of schemas/release-v1.md with another.
package protocol Tunnel: Sendable {
    func answer(_ frame: [UInt8], caller: Caller) -> [UInt8]
}

/// Evaluates requests on one worker thread. Keeps the plaintext of three operands in buffers of its own, overwritten by the
/// next request; caches what depends on keys only as long as the key table is unchanged.
package final class Evaluator {
    /// Derived writer keys kept per worker.
    private static let openerCapacity = 1024
    /// A frame of the tunnel; cells may fill the slot.
    package static let maximumFrame = 64 * 1024

    let enclave: Enclave
    private(set) var opener = CellOpener(capacity: Evaluator.openerCapacity)
    private(set) var collators = Collators()
    private var table: [KeyID: KeyTable.Entry] = [:]
    private var tableGeneration: UInt64 = 0
    private var current: (id: KeyID, entry: KeyTable.Entry)?
    var left = Operand()
    private var right = Operand()
    private var normalized: [UInt8] = []
    /// MATCH's right side, apart from COMPARE's: a query may use both in turn, row after row.
    var pattern = Operand()
    var compiled = CompiledPattern()
    /// What was found of the sessions served last.
    var admissions = AdmissionCache()
    /// Seals results of aggregates; made when first needed.
    var writer: CellWriter?

    package init(_ enclave: Enclave) { self.enclave = enclave }

    /// Answers one request. `request` is the enclave's own copy: nobody else can change it.
    package func evaluate(opcode: UInt32, request: Span<UInt8>, caller: Caller = Caller()) -> Answer {
        do throws(Refusal) {
            guard !enclave.isDisabled else { throw Refusal.disabled }
            let need = MemoryNeed(opcode: opcode, request)
            try reserve(need)
            defer { enclave.memory.release() }
            switch opcode {
            case CLOISTER_OP_COMPARE.rawValue: return Answer(value: try compare(request, caller))
            case CLOISTER_OP_HASH.rawValue: return Answer(hash: try hash(request, caller))
            case CLOISTER_OP_MATCH.rawValue: return Answer(value: try match(request, caller) ? 1 : 0)
            case CLOISTER_OP_AGGREGATE.rawValue: return Answer(bytes: try aggregate(request, caller))
            case CLOISTER_OP_PING.rawValue:
                guard request.isEmpty else { throw Refusal.badRequest }
                return Answer()
            case CLOISTER_OP_TUNNEL.rawValue:
                guard request.count <= Self.maximumFrame else { throw Refusal.tooLarge }
                var frame: [UInt8] = []
                appendBytes(request, to: &frame)
                return Answer(bytes: enclave.tunnel.answer(frame, caller: caller))
            default: throw Refusal.badRequest
            }
        } catch {
            return Answer(status: error.status)
        }
    }

    /// Promised memory, if need be after giving up what this worker only keeps to be quick. Released by the caller.
    func reserve(_ need: MemoryNeed) throws(Refusal) {
        if enclave.memory.reserve(need.bytes, isSmall: need.isSmall) { return }
        trim()
        guard enclave.memory.reserve(need.bytes, isSmall: need.isSmall) else { throw .noMemory }
    }

    private func trim() {
        left = Operand()
        right = Operand()
        pattern = Operand()
        compiled = CompiledPattern()
        normalized = []
        opener = CellOpener(capacity: Self.openerCapacity)
        collators = Collators()
        writer = nil
        current = nil
    }

    /// COMPARE: `cloister_pair`, cell a, cell b.
    private func compare(_ request: Span<UInt8>, _ caller: Caller) throws(Refusal) -> Int32 {
        guard request.count >= 8 else { throw .badRequest }
        let aCount = Int(request.littleEndian32(at: 0))
        let bCount = Int(request.littleEndian32(at: 4))
        guard aCount <= request.count, bCount <= request.count, 8 + aCount + bCount == request.count else { throw .badRequest }
        let a = request.extracting(8..<8 + aCount)
        let b = request.extracting(8 + aCount..<request.count)
        let aHeader = try header(a)
        let bHeader = try header(b)
        try Self.checkMeeting(a, aHeader, b, bHeader)
        let entry = try key(aHeader.key)
        guard entry.operations.contains(.compare) else { throw .forbidden }
        try admit(caller, entry, aHeader, Self.operandWriter(a, aHeader) ?? Self.operandWriter(b, bHeader))
        try left.open(a, aHeader, entry.cipher, opener)
        try right.open(b, bHeader, entry.cipher, opener)
        if aHeader.collation != 0 { return try Self.order(left, right, aHeader, collators) }
        return try Self.order(left, aHeader.role == .operand, right, bHeader.role == .operand, aHeader.type)
    }

    /// HASH: one cell, stored or operand.
    private func hash(_ request: Span<UInt8>, _ caller: Caller) throws(Refusal) -> UInt64 {
        let header = try header(request)
        try Self.checkServed(header)
        guard header.role != .result else { throw .mismatch }
        let entry = try key(header.key)
        guard entry.operations.contains(.hash) else { throw .forbidden }
        try admit(caller, entry, header, Self.operandWriter(request, header))
        try left.open(request, header, entry.cipher, opener)
        normalized.removeAll(keepingCapacity: true)
        try Self.normalize(left, header, collators, into: &normalized)
        do { return try Self.hash(normalized, header, entry.cipher, opener) } catch { throw .noMemory }
    }

    // Spans of parameters: one of a class's property can't outlive its access.
    private static func order(
        _ a: Operand, _ aIsOperand: Bool, _ b: borrowing Operand, _ bIsOperand: Bool, _ type: LogicalType
    ) throws(Refusal) -> Int32 {
        try ValueOrder.compare(
            a.buffer.span.extracting(0..<a.count), b.buffer.span.extracting(0..<b.count), type: type, aIsOperand: aIsOperand,
            bIsOperand: bIsOperand)
    }

    private static func order(_ a: Operand, _ b: Operand, _ header: CellHeader, _ collators: Collators) throws(Refusal) -> Int32 {
        guard let collator = collators.collator(header.collation) else { throw .mismatch }
        guard let order = collator.compare(a.text(header.type), b.text(header.type)) else { throw .badCell }
        return order
    }

    private static func normalize(
        _ value: Operand, _ header: CellHeader, _ collators: Collators, into output: inout [UInt8]
    ) throws(Refusal) {
        if header.collation != 0 {
            guard let collator = collators.collator(header.collation) else { throw .mismatch }
            if !collator.collation.isDeterministic {
                guard collator.appendSortKey(of: value.text(header.type), to: &output) else { throw .badCell }
                return
            }
        }
        try ValueOrder.normalize(
            value.buffer.span.extracting(0..<value.count), type: header.type, isOperand: header.role == .operand, into: &output)
    }

    private static func hash(
        _ value: [UInt8], _ header: CellHeader, _ cipher: CellCipher, _ opener: CellOpener
    ) throws(CloisterError) -> UInt64 {
        try opener.hash(value.span, type: header.type, collation: header.collation, with: cipher)
    }

    func header(_ cell: Span<UInt8>) throws(Refusal) -> CellHeader {
        do { return try CellHeader(cell: cell) } catch { throw .badCell }
    }

    /// The rules of who may meet whom, on headers that the seals vouch for once the cells are open.
    ///
    /// Deterministic cells never meet here: the server compares their bytes, and their order is nobody's business. Two
    /// operands meet only if one writer made them (the constants of one statement): cells of different statements of
    /// different proxies can't be played against each other.
    static func checkMeeting(
        _ a: Span<UInt8>, _ aHeader: CellHeader, _ b: Span<UInt8>, _ bHeader: CellHeader
    ) throws(Refusal) {
        guard aHeader.key == bHeader.key, aHeader.type == bHeader.type, aHeader.collation == bHeader.collation,
            aHeader.algorithm == bHeader.algorithm
        else { throw .mismatch }
        try checkServed(aHeader)
        switch (aHeader.role, bHeader.role) {
        case (.stored, .stored), (.stored, .operand), (.operand, .stored): return
        case (.operand, .operand):
            for index in 8..<16 where a[index] != b[index] { throw .mismatch }
        case (.result, _), (_, .result): throw .mismatch
        }
    }

    /// Only randomized cells; a collation is one we know, and of text.
    private static func checkServed(_ header: CellHeader) throws(Refusal) {
        guard header.algorithm == .gcm else { throw .mismatch }
        guard header.collation == 0 || (header.type.isText && Collation(rawValue: header.collation) != nil) else { throw .mismatch }
    }

    /// The released key, from this worker's copy of the table.
    func key(_ id: KeyID) throws(Refusal) -> KeyTable.Entry {
        let generation = enclave.keys.generation
        if generation != tableGeneration {
            opener.forgetAll()
            left.forget()
            right.forget()
            pattern.forget()
            table = enclave.keys.snapshot()
            tableGeneration = generation
            current = nil
        }
        if let current, current.id == id { return current.entry }
        guard let entry = table[id] else { throw .noKey }
        current = (id, entry)
        return entry
    }
}

extension Span<UInt8> {
    /// Four bytes as a number; the caller has checked that they are there.
    func littleEndian32(at offset: Int) -> UInt32 {
        UInt32(self[offset]) | UInt32(self[offset + 1]) << 8 | UInt32(self[offset + 2]) << 16 | UInt32(self[offset + 3]) << 24
    }
}
