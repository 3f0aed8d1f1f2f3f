package import CellFormat
package import Diagnostics

/// Seals randomized cells with counter nonces. One writer id, drawn at random, and its counter serve all keys: every
/// (key, writer id) pair gives its own GCM key, so no nonce meets a key twice.
///
/// Not Sendable: one per event loop. Operands of one statement must come from one writer: the enclave compares two
/// operand cells only if their writer ids are equal.
package final class CellWriter {
    /// Cells sealed under one writer id before the next one is drawn.
    package static let cellLimit: UInt64 = 1 << 32
    /// Bound on the derived keys kept; a proxy has far fewer keys.
    private static let contextLimit = 256

    private let limit: UInt64
    /// The current writer id, as in bytes 8..15 of the cells.
    package private(set) var id: UInt64
    private var counter: UInt64 = 0
    private var contexts: [UInt64: GCMContext] = [:]

    /// Draws a writer id. `limit` (1...2^32) is smaller only in tests. Throws `cryptographyFailed`.
    package init(limit: UInt64 = CellWriter.cellLimit) throws(CloisterError) {
        self.limit = max(1, min(limit, Self.cellLimit))
        id = try SecureRandom.uint64()
    }

    /// A writer at a given place, for vectors.
    init(id: UInt64, counter: UInt64) {
        limit = Self.cellLimit
        self.id = id
        self.counter = counter
    }

    /// Makes sure that the next `cells` cells carry one writer id: the operands of one statement.
    package func reserve(_ cells: Int) throws(CloisterError) {
        if UInt64(max(0, cells)) > limit - counter { try renew() }
    }

    /// Seals a canonical plaintext for an `enc_T` type. Throws `unsuitableParameter` if `type` is deterministic or the
    /// cipher has another key.
    package func seal(
        _ plaintext: Span<UInt8>, role: CellRole, type: EncryptedType, with cipher: CellCipher
    ) throws(CloisterError) -> [UInt8] {
        guard type.scheme == .randomized, type.key == cipher.id else { throw .unsuitable("a type that this key can't seal") }
        if counter >= limit { try renew() }
        let context: GCMContext
        if let known = contexts[cipher.serial] {
            context = known
        } else {
            context = try cipher.makeGCMContext(writer: id, sealing: true)
            if contexts.count >= Self.contextLimit { contexts.removeAll() }
            contexts[cipher.serial] = context
        }
        // The counter moves before the seal: a seal that fails half-way has used its nonce.
        let number = counter
        counter += 1

        let header = type.header(role).bytes
        var cell = [UInt8](repeating: 0, count: CellHeader.gcmOverhead + plaintext.count)
        var nonce: InlineArray<12, UInt8> = .init(repeating: 0)
        for index in 0..<8 {
            cell[index] = header[index]
            cell[8 + index] = UInt8(truncatingIfNeeded: id >> UInt64(56 - 8 * index))
            let byte = UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * index))
            cell[16 + index] = byte
            nonce[4 + index] = byte
        }
        var target = cell.mutableSpan
        try context.seal(plaintext, nonce: nonce.span, authenticating: header.span, into: &target, at: 24)
        return cell
    }

    private func renew() throws(CloisterError) {
        id = try SecureRandom.uint64()
        counter = 0
        contexts.removeAll()
    }
}
