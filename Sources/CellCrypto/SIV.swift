package import Diagnostics

/// A key for AES-SIV: 32, 48 or 64 bytes (AES-128, -192, -256); the first half authenticates, the second encrypts.
package struct SIVKey: ~Copyable, Sendable {
    let secret: SecretBytes

    package init(_ secret: consuming SecretBytes) throws(CloisterError) {
        guard secret.count == 32 || secret.count == 48 || secret.count == 64 else {
            throw .unsuitable("an AES-SIV key has 32, 48 or 64 bytes")
        }
        self.secret = secret
    }

    package init(copying bytes: Span<UInt8>) throws(CloisterError) { try self.init(SecretBytes(copying: bytes)) }
}

/// AES-SIV (RFC 5297): deterministic, authenticated, misuse-resistant.
///
/// Built here from CMAC and CTR and not from libcrypto's `AES-256-SIV`, whose 3.0 series mishandles empty plaintexts and
/// empty associated data.
package enum AESSIV {
    package static let syntheticIVByteCount = 16

    /// `synthetic IV ‖ ciphertext`. The components of associated data count one by one, as in the RFC.
    package static func seal(
        _ plaintext: Span<UInt8>, key: borrowing SIVKey, authenticating components: [[UInt8]]
    ) throws(CloisterError) -> [UInt8] {
        let context = try SIVContext(key: key.secret.bytes)
        var s2v = context.start()
        for component in components { try context.absorb(component.span, into: &s2v) }
        let iv = try context.syntheticIV(s2v, plaintext)
        var sealed = [UInt8](repeating: 0, count: syntheticIVByteCount + plaintext.count)
        var target = sealed.mutableSpan
        try context.seal(plaintext, syntheticIV: iv, into: &target, at: 0)
        return sealed
    }

    /// Opens `synthetic IV ‖ ciphertext`. Throws `authenticationFailed` if anything differs.
    package static func open(
        _ sealed: Span<UInt8>, key: borrowing SIVKey, authenticating components: [[UInt8]]
    ) throws(CloisterError) -> SecretBytes {
        guard sealed.count >= syntheticIVByteCount else { throw .authenticationFailed }
        let context = try SIVContext(key: key.secret.bytes)
        var s2v = context.start()
        for component in components { try context.absorb(component.span, into: &s2v) }
        var verified = false
        let secret = try SecretBytes(count: sealed.count - syntheticIVByteCount) {
            (target: inout MutableSpan<UInt8>) throws(CloisterError) in
            verified = try context.open(sealed, s2v, into: &target)
        }
        guard verified else { throw .authenticationFailed }
        return secret
    }
}

/// A keyed AES-SIV, reused for message after message. One thread at a time.
final class SIVContext {
    /// Sixteen bytes as one big-endian number: what S2V doubles and adds.
    struct Block: Equatable {
        var high: UInt64 = 0
        var low: UInt64 = 0

        /// Multiplication by x in GF(2^128), RFC 5297 section 2.3.
        var doubled: Block {
            let carry: UInt64 = high >> 63 == 1 ? 0x87 : 0
            return Block(high: high << 1 | low >> 63, low: low << 1 ^ carry)
        }

        static func ^ (a: Block, b: Block) -> Block { Block(high: a.high ^ b.high, low: a.low ^ b.low) }

        subscript(index: Int) -> UInt8 {
            let word = index < 8 ? high : low
            return UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * (index & 7)))
        }

        mutating func xor(_ byte: UInt8, at index: Int) {
            let bits = UInt64(byte) << UInt64(56 - 8 * (index & 7))
            if index < 8 { high ^= bits } else { low ^= bits }
        }
    }

    private let mac: MACContext
    private let cipher: CTRContext
    /// CMAC of sixteen zero bytes: where S2V starts.
    private let zero: Block

    /// Throws `unsuitableParameter` unless the key has 32, 48 or 64 bytes.
    init(key: Span<UInt8>) throws(CloisterError) {
        let half = key.count / 2
        guard key.count == 2 * half else { throw .unsuitable("an AES-SIV key has 32, 48 or 64 bytes") }
        mac = try MACContext.cmac(key: key.extracting(0..<half))
        cipher = try CTRContext(key: key.extracting(half..<key.count))
        let zeros: InlineArray<16, UInt8> = .init(repeating: 0)
        try mac.update(zeros.span)
        zero = try Self.finish(mac)
    }

    func start() -> Block { zero }

    /// One more component of associated data.
    func absorb(_ component: Span<UInt8>, into s2v: inout Block) throws(CloisterError) {
        try mac.restart()
        try mac.update(component)
        s2v = s2v.doubled ^ (try Self.finish(mac))
    }

    /// The last component is the plaintext (RFC 5297 section 2.4).
    func syntheticIV(_ s2v: Block, _ plaintext: Span<UInt8>) throws(CloisterError) -> Block {
        try mac.restart()
        var last: Block
        if plaintext.count >= 16 {
            let start = plaintext.count - 16
            try mac.update(plaintext.extracting(0..<start))
            last = s2v
            for index in 0..<16 { last.xor(plaintext[start + index], at: index) }
        } else {
            last = s2v.doubled
            for index in plaintext.indices { last.xor(plaintext[index], at: index) }
            last.xor(0x80, at: plaintext.count)
        }
        try mac.update(Self.bytes(last).span)
        return try Self.finish(mac)
    }

    /// Writes `synthetic IV ‖ ciphertext` at `target[offset...]`.
    func seal(
        _ plaintext: Span<UInt8>, syntheticIV iv: Block, into target: inout MutableSpan<UInt8>, at offset: Int
    ) throws(CloisterError) {
        guard target.count - offset >= 16 + plaintext.count else { throw .unsuitable("a buffer too small for AES-SIV") }
        for index in 0..<16 { target[offset + index] = iv[index] }
        try cipher.apply(counter: Self.counter(iv).span, to: plaintext, into: &target, at: offset + 16)
    }

    /// Opens `synthetic IV ‖ ciphertext` into the first bytes of `target`, given S2V over the associated data. False, with
    /// the bytes overwritten, if the IV is wrong.
    func open(_ sealed: Span<UInt8>, _ s2v: Block, into target: inout MutableSpan<UInt8>) throws(CloisterError) -> Bool {
        guard sealed.count >= 16, target.count >= sealed.count - 16 else { throw .unsuitable("a buffer too small for AES-SIV") }
        let count = sealed.count - 16
        var iv = Block()
        for index in 0..<16 { iv.xor(sealed[index], at: index) }
        try cipher.apply(counter: Self.counter(iv).span, to: sealed.extracting(16..<sealed.count), into: &target, at: 0)
        let expected = Self.bytes(try syntheticIV(s2v, target.span.extracting(0..<count)))
        let verified = constantTimeEqual(expected.span, sealed.extracting(0..<16))
        if !verified { cleanse(&target) }
        return verified
    }

    /// The IV as CTR's first counter block: bits 31 and 63 cleared (RFC 5297 section 2.6).
    private static func counter(_ iv: Block) -> InlineArray<16, UInt8> {
        bytes(Block(high: iv.high, low: iv.low & 0x7fff_ffff_7fff_ffff))
    }

    private static func bytes(_ block: Block) -> InlineArray<16, UInt8> {
        .init { block[$0] }
    }

    private static func finish(_ mac: MACContext) throws(CloisterError) -> Block {
        var code: InlineArray<16, UInt8> = .init(repeating: 0)
        var span = code.mutableSpan
        try mac.finish(into: &span)
        var block = Block()
        for index in 0..<16 { block.xor(code[index], at: index) }
        return block
    }
}
