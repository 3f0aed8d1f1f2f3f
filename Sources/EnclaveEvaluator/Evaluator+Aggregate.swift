internal import CellCrypto
internal import CellFormat
internal import EnclaveABI

extension Evaluator {
    private static let aggregateHeaderByteCount = 12

    /// AGGREGATE: `cloister_aggregate`, then each cell behind its length. The first request of a group forgets what the session had
    /// under way; the last answers with the result's cell. Any refusal ends the group.
    func aggregate(_ request: Span<UInt8>, _ caller: Caller) throws(Refusal) -> [UInt8] {
        let known = enclave.aggregations.take(caller.session)
        guard request.count >= Self.aggregateHeaderByteCount, let function = AggregateFunction(rawValue: request.littleEndian32(at: 0))
        else {
            throw .badRequest
        }
        let flags = request.littleEndian32(at: 4)
        let count = Int(request.littleEndian32(at: 8))
        guard flags <= CLOISTER_AGGREGATE_FIRST | CLOISTER_AGGREGATE_LAST, count > 0 else { throw .badRequest }
        var group = flags & CLOISTER_AGGREGATE_FIRST != 0 ? nil : known
        guard group != nil || flags & CLOISTER_AGGREGATE_FIRST != 0 else { throw .badRequest }
        var at = Self.aggregateHeaderByteCount
        for _ in 0..<count {
            guard request.count - at >= 4 else { throw .badRequest }
            let length = Int(request.littleEndian32(at: at))
            at += 4
            guard length <= request.count - at else { throw .badRequest }
            let cell = request.extracting(at..<at + length)
            at += length
            let header = try header(cell)
            let entry = try key(header.key)
            try admit(Caller(session: caller.session, peer: caller.peer), entry, header, nil)
            let running: Aggregation
            if let group { running = group } else { running = try begin(function, header, entry) }
            group = running
            try add(cell, header, entry, function, to: running)
        }
        guard at == request.count, let group else { throw .badRequest }
        guard flags & CLOISTER_AGGREGATE_LAST != 0 else {
            enclave.aggregations.put(group, caller.session)
            return []
        }
        return try finish(group)
    }

    private func begin(_ function: AggregateFunction, _ header: CellHeader, _ entry: KeyTable.Entry) throws(Refusal) -> Aggregation {
        guard header.algorithm == .gcm, header.collation == 0, header.role == .stored, let result = function.result(of: header.type) else {
            throw .mismatch
        }
        guard entry.operations.contains(.aggregate) else { throw .forbidden }
        return Aggregation(
            entry.cipher, header, result: result, minimumGroup: entry.operations.minimumGroup, Accumulator(function, header.type),
            enclave.aggregations)
    }

    /// All cells of a group are stored ones of one key and type, which the key's policy still allows.
    private func add(
        _ cell: Span<UInt8>, _ header: CellHeader, _ entry: KeyTable.Entry, _ function: AggregateFunction, to group: Aggregation
    ) throws(Refusal) {
        guard header == group.header, function == group.accumulator.function, entry.cipher === group.cipher else { throw .mismatch }
        guard entry.operations.contains(.aggregate) else { throw .forbidden }
        try group.admit(Aggregation.CellIdentity(writer: cell.bigEndian64(at: 8), counter: cell.bigEndian64(at: 16)))
        try left.open(cell, header, entry.cipher, opener)
        try Self.add(left, to: group)
    }

    private static func add(_ value: Operand, to group: Aggregation) throws(Refusal) {
        try group.accumulator.add(value.buffer.span.extracting(0..<value.count))
    }

    /// Seals the result for the client: role *result*, so it can be shown and nothing else.
    private func finish(_ group: Aggregation) throws(Refusal) -> [UInt8] {
        guard group.accumulator.count >= group.minimumGroup else { throw .smallGroup }
        let result = try group.accumulator.finish()
        do {
            let writer = try self.writer ?? CellWriter()
            self.writer = writer
            let type = EncryptedType(group.result, .randomized, key: group.header.key)
            return try writer.seal(result.span, role: .result, type: type, with: group.cipher)
        } catch {
            throw .noMemory
        }
    }
}

extension Span<UInt8> {
    /// Eight bytes as a number; the caller has checked that they are there.
    func bigEndian64(at offset: Int) -> UInt64 { (0..<8).reduce(0) { $0 << 8 | UInt64(self[offset + $1]) } }
}
