package import CellFormat
package import Diagnostics

/// Opens and hashes cells on one thread, keeping the contexts it made: opening a four-byte cell of a known writer derives
/// no key and allocates nothing.
///
/// Not Sendable: one per evaluator thread or event loop. The cache of derived GCM keys is bounded and set-associative;
/// a writer's key enters it only after a cell of that writer has verified, so that forged writer ids can't empty it.
package final class CellOpener {
    private struct Entry {
        /// The cipher's serial; 0 if the entry is free.
        var serial: UInt64 = 0
        var writer: UInt64 = 0
        var lastUse: UInt64 = 0
        var context: GCMContext? = nil
    }

    /// The contexts that do not depend on a writer.
    private struct Fixed {
        var siv: SIVContext?
        var hash: MACContext?
    }

    private static let ways = 4
    private var entries: [Entry]
    private let setMask: Int
    private var clock: UInt64 = 0
    private var fixed: [UInt64: Fixed] = [:]
    private let capacity: Int

    /// `capacity`: how many derived keys are kept; rounded up to a power of two of at least 4.
    package init(capacity: Int = 128) {
        var size = Self.ways
        while size < min(capacity, 1 << 16) { size *= 2 }
        self.capacity = size
        entries = Array(repeating: Entry(), count: size)
        setMask = size / Self.ways - 1
    }

    /// Opens `cell` into the first bytes of `output` and returns the value's length. `output` needs room for
    /// `plaintextByteCount(cell)`. Throws `cellRefused`, always the same, for every cell that was not sealed under this
    /// key as it is; `output` then holds nothing of it.
    package func open(
        _ cell: Span<UInt8>, with cipher: CellCipher, into output: inout MutableSpan<UInt8>
    ) throws(CloisterError) -> (header: CellHeader, count: Int) {
        let header = try Self.header(of: cell, for: cipher)
        let count = try open(cell, header: header, with: cipher, into: &output)
        return (header, count)
    }

    /// As above for a caller that has read the header of these very bytes already.
    package func open(
        _ cell: Span<UInt8>, header: CellHeader, with cipher: CellCipher, into output: inout MutableSpan<UInt8>
    ) throws(CloisterError) -> Int {
        guard header.key == cipher.id else { throw .cellRefused }
        let associated = cell.extracting(0..<CellHeader.byteCount)
        let verified: Bool
        let count: Int
        switch header.algorithm {
        case .gcm:
            guard cell.count >= CellHeader.gcmOverhead else { throw .cellRefused }
            count = cell.count - CellHeader.gcmOverhead
            verified = try openGCM(cell, associated, with: cipher, into: &output)
        case .siv:
            guard cell.count >= CellHeader.sivOverhead else { throw .cellRefused }
            count = cell.count - CellHeader.sivOverhead
            let context = try sivContext(cipher)
            var s2v = context.start()
            try context.absorb(associated, into: &s2v)
            verified = try context.open(cell.extracting(CellHeader.byteCount..<cell.count), s2v, into: &output)
        }
        guard verified else { throw .cellRefused }
        return count
    }

    /// Opens `cell` into a buffer of its own.
    package func open(
        _ cell: Span<UInt8>, with cipher: CellCipher
    ) throws(CloisterError) -> (header: CellHeader, plaintext: Plaintext) {
        let header = try Self.header(of: cell, for: cipher)
        let plaintext = try Plaintext(count: Self.plaintextByteCount(cell, header)) {
            (target: inout MutableSpan<UInt8>) throws(CloisterError) in
            _ = try open(cell, header: header, with: cipher, into: &target)
        }
        return (header, plaintext)
    }

    /// The keyed hash of a comparison-canonical value: the first eight bytes, little endian, of
    /// HMAC-SHA256(hash key, type tag ‖ collation ‖ value). varchar counts as text, which it is compared with.
    package func hash(
        _ normalized: Span<UInt8>, type: LogicalType, collation: UInt8, with cipher: CellCipher
    ) throws(CloisterError) -> UInt64 {
        let context: MACContext
        if let known = fixed[cipher.serial]?.hash {
            context = known
        } else {
            context = try cipher.makeHashContext()
            remember(cipher) { $0.hash = context }
        }
        let comparedAs: LogicalType = type == .varchar ? .text : type
        let prefix: InlineArray<2, UInt8> = [comparedAs.rawValue, collation]
        try context.restart()
        try context.update(prefix.span)
        try context.update(normalized)
        var code: InlineArray<32, UInt8> = .init(repeating: 0)
        var span = code.mutableSpan
        try context.finish(into: &span)
        var result: UInt64 = 0
        for index in 0..<8 { result |= UInt64(code[index]) << UInt64(8 * index) }
        return result
    }

    /// Seals a deterministic cell: opening one has the same work to do, so the context is shared.
    func sealDeterministic(
        _ plaintext: Span<UInt8>, header: CellHeader, with cipher: CellCipher
    ) throws(CloisterError) -> [UInt8] {
        let associated = header.bytes
        let context = try sivContext(cipher)
        var s2v = context.start()
        try context.absorb(associated.span, into: &s2v)
        let iv = try context.syntheticIV(s2v, plaintext)
        var cell = [UInt8](repeating: 0, count: CellHeader.sivOverhead + plaintext.count)
        for index in associated.indices { cell[index] = associated[index] }
        var target = cell.mutableSpan
        try context.seal(plaintext, syntheticIV: iv, into: &target, at: CellHeader.byteCount)
        return cell
    }

    /// How long the value of a cell is.
    package static func plaintextByteCount(_ cell: Span<UInt8>, _ header: CellHeader) -> Int {
        max(0, cell.count - (header.algorithm == .gcm ? CellHeader.gcmOverhead : CellHeader.sivOverhead))
    }

    /// Drops every derived key, as when keys were withdrawn.
    package func forgetAll() {
        for index in entries.indices { entries[index] = Entry() }
        fixed.removeAll()
    }

    private static func header(of cell: Span<UInt8>, for cipher: CellCipher) throws(CloisterError) -> CellHeader {
        let header: CellHeader
        do { header = try CellHeader(cell: cell) } catch { throw .cellRefused }
        guard header.key == cipher.id else { throw .cellRefused }
        return header
    }

    private func openGCM(
        _ cell: Span<UInt8>, _ associated: Span<UInt8>, with cipher: CellCipher, into output: inout MutableSpan<UInt8>
    ) throws(CloisterError) -> Bool {
        let writer = cell.bigEndian(at: 8)
        var nonce: InlineArray<12, UInt8> = .init(repeating: 0)
        for index in 0..<8 { nonce[4 + index] = cell[16 + index] }
        let sealed = cell.extracting(24..<cell.count)
        let set = setIndex(cipher.serial, writer)
        clock += 1
        for index in set..<set + Self.ways where entries[index].serial == cipher.serial && entries[index].writer == writer {
            guard let context = entries[index].context else { break }
            entries[index].lastUse = clock
            return try context.open(sealed, nonce: nonce.span, authenticating: associated, into: &output)
        }
        let context = try cipher.makeGCMContext(writer: writer, sealing: false)
        let verified = try context.open(sealed, nonce: nonce.span, authenticating: associated, into: &output)
        if verified {
            var victim = set
            for index in set..<set + Self.ways where entries[index].lastUse < entries[victim].lastUse { victim = index }
            entries[victim] = Entry(serial: cipher.serial, writer: writer, lastUse: clock, context: context)
        }
        return verified
    }

    private func setIndex(_ serial: UInt64, _ writer: UInt64) -> Int {
        let mixed = (writer ^ serial &* 0x9e37_79b9_7f4a_7c15) &* 0xff51_afd7_ed55_8ccd
        return (Int(truncatingIfNeeded: mixed >> 40) & setMask) * Self.ways
    }

    private func sivContext(_ cipher: CellCipher) throws(CloisterError) -> SIVContext {
        if let known = fixed[cipher.serial]?.siv { return known }
        let context = try cipher.makeSIVContext()
        remember(cipher) { $0.siv = context }
        return context
    }

    private func remember(_ cipher: CellCipher, _ change: (inout Fixed) -> Void) {
        if fixed.count >= capacity, fixed[cipher.serial] == nil { fixed.removeAll() }
        change(&fixed[cipher.serial, default: Fixed()])
    }
}

extension Span<UInt8> {
    /// Eight bytes as a number; the caller has checked that they are there.
    func bigEndian(at offset: Int) -> UInt64 {
        var result: UInt64 = 0
        for index in offset..<offset + 8 { result = result << 8 | UInt64(self[index]) }
        return result
    }
}
