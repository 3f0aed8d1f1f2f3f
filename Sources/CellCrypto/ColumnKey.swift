package import CellFormat
package import Diagnostics
internal import Synchronization

/// A column encryption key (CEK): 256 random bits from which a column's cell keys are derived (schemas/cell-v1.md).
package struct ColumnKey: ~Copyable, Sendable {
    package static let byteCount = 32
    private let secret: SecretBytes

    /// A new random key. Throws `cryptographyFailed`.
    package init() throws(CloisterError) { secret = try SecretBytes(random: Self.byteCount) }

    /// A key that was unwrapped or released. Throws `unsuitableParameter` unless it has 32 bytes.
    package init(_ secret: consuming SecretBytes) throws(CloisterError) {
        guard secret.count == Self.byteCount else { throw .unsuitable("a column encryption key has 32 bytes") }
        self.secret = secret
    }

    package init(copying bytes: Span<UInt8>) throws(CloisterError) { try self.init(SecretBytes(copying: bytes)) }

    /// A second owner of the same key, for instance one to seal with and one to release.
    package func duplicate() throws(CloisterError) -> ColumnKey { try ColumnKey(copying: bytes) }

    /// The 32 bytes, for wrapping under a master key or releasing to an attested enclave; for nothing else.
    package var bytes: Span<UInt8> { @_lifetime(borrow self) get { secret.bytes } }

    /// A key derived for one purpose. `writer` is appended to the label if there is one.
    func derive(_ label: StaticString, writer: UInt64? = nil, count: Int) throws(CloisterError) -> SecretBytes {
        var info = Array("\(label)".utf8)
        if let writer { for shift in stride(from: 56, through: 0, by: -8) { info.append(UInt8(writer >> UInt64(shift) & 0xff)) } }
        return try HKDF.deriveSHA256(from: bytes, salt: Span(), info: info.span, count: count)
    }
}

/// The cell keys of one column encryption key. Shared by threads; the contexts that work with it belong to one thread
/// each (`CellWriter`, `CellOpener`), except for one of its own behind a lock, for callers without a thread to keep.
package final class CellCipher: Sendable {
    package let id: KeyID
    private let key: ColumnKey
    private let siv: SecretBytes
    private let hash: SecretBytes
    /// Tells this object from every other one of this process: what the contexts' caches are keyed by.
    let serial: UInt64
    private let own: Mutex<CellOpener>
    private static let serials = Atomic<UInt64>(1)

    /// Derives the deterministic and the hash key. Throws `cryptographyFailed`.
    package init(_ key: consuming ColumnKey, id: KeyID) throws(CloisterError) {
        self.id = id
        siv = try key.derive("cloister cell v1 siv", count: 64)
        hash = try key.derive("cloister cell v1 hash", count: 32)
        self.key = key
        serial = Self.serials.wrappingAdd(1, ordering: .relaxed).oldValue
        own = Mutex(CellOpener(capacity: 16))
    }

    /// Lends the column key, for wrapping or release.
    package func withColumnKey<Result: ~Copyable, Failure: Error>(
        _ body: (borrowing ColumnKey) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(key)
    }

    /// Whether the other one has the same column key; takes the same time for any two.
    package func hasSameKey(as other: CellCipher) -> Bool {
        withColumnKey { (mine: borrowing ColumnKey) in
            other.withColumnKey { (theirs: borrowing ColumnKey) in
                let a = mine.bytes
                let b = theirs.bytes
                guard a.count == b.count else { return false }
                var difference: UInt8 = 0
                for index in a.indices { difference |= a[index] ^ b[index] }
                return difference == 0
            }
        }
    }

    /// Seals a value for a `det_T` column: equal values give equal cells. `plaintext` is canonical and normalised.
    /// Throws `unsuitableParameter` if `type` is randomized or names another key.
    package func sealDeterministic(_ plaintext: Span<UInt8>, type: EncryptedType) throws(CloisterError) -> [UInt8] {
        guard type.scheme == .deterministic, type.key == id else { throw .unsuitable("a type that this key can't seal") }
        return try own.withLock { (opener) throws(CloisterError) in
            try opener.sealDeterministic(plaintext, header: type.header(.stored), with: self)
        }
    }

    /// Opens a cell of this key, of any role and algorithm. Throws `cellRefused`, always the same, for anything else.
    package func open(_ cell: Span<UInt8>) throws(CloisterError) -> (header: CellHeader, plaintext: Plaintext) {
        try own.withLock { (opener) throws(CloisterError) in try opener.open(cell, with: self) }
    }

    /// Eight bytes that are equal for equal values: `normalized` is comparison-canonical.
    package func hash(
        _ normalized: Span<UInt8>, type: LogicalType, collation: UInt8
    ) throws(CloisterError) -> UInt64 {
        try own.withLock { (opener) throws(CloisterError) in
            try opener.hash(normalized, type: type, collation: collation, with: self)
        }
    }

    func makeGCMContext(writer: UInt64, sealing: Bool) throws(CloisterError) -> GCMContext {
        let derived = try key.derive("cloister cell v1 gcm", writer: writer, count: GCMKey.byteCount)
        return try GCMContext(key: derived.bytes, sealing: sealing)
    }

    func makeSIVContext() throws(CloisterError) -> SIVContext { try Self.sivContext(siv) }

    func makeHashContext() throws(CloisterError) -> MACContext { try Self.hashContext(hash) }

    // The key's bytes are borrowed from a parameter, because a span can't outlive its access to a class's property.
    private static func sivContext(_ key: borrowing SecretBytes) throws(CloisterError) -> SIVContext {
        try SIVContext(key: key.bytes)
    }

    private static func hashContext(_ key: borrowing SecretBytes) throws(CloisterError) -> MACContext {
        try MACContext.hmacSHA256(key: key.bytes)
    }
}

/// The ciphers a process holds, by key id; replaced as a whole when keys come or go.
package final class KeyRing: Sendable {
    private let ciphers: Mutex<[KeyID: CellCipher]>

    package init(_ ciphers: [KeyID: CellCipher] = [:]) { self.ciphers = Mutex(ciphers) }

    package func cipher(_ id: KeyID) -> CellCipher? { ciphers.withLock { $0[id] } }

    package var identifiers: [KeyID] { ciphers.withLock { $0.keys.sorted { $0.rawValue < $1.rawValue } } }

    package func replace(_ new: [KeyID: CellCipher]) { ciphers.withLock { $0 = new } }

    package func insert(_ cipher: CellCipher) { ciphers.withLock { $0[cipher.id] = cipher } }

    package func remove(_ id: KeyID) { ciphers.withLock { $0[id] = nil } }
}
