/// The bytes of a cell (schemas/cell-v1.md): header, roles, algorithms, logical types. No keys, no cryptography.
public import Diagnostics

extension ErrorCode {
    /// The bytes are not a version 1 cell.
    public static let malformedCell = ErrorCode("CL2001", sqlState: "22P03")
}

/// What a cell may be used for. A hostile server can't recycle one cell in another role: the role is authenticated.
public enum CellRole: UInt8, Sendable, CaseIterable {
    /// Lives in a column.
    case stored = 0
    /// A constant of a query: compared with stored cells, refused by columns.
    case operand = 1
    /// Made by an aggregate in the enclave: shown to the client, nothing else.
    case result = 2
}

/// How a cell was sealed.
public enum CellAlgorithm: UInt8, Sendable, CaseIterable {
    /// AES-256-GCM, per-writer key, counter nonce.
    case gcm = 1
    /// AES-256-SIV (RFC 5297); equality is by bytes, the role is always `stored`.
    case siv = 2
}

/// The number of a column encryption key (CEK): the typmod of the column's type, 1...2^31-1.
public struct KeyID: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt32
    public init?(rawValue: UInt32) {
        guard rawValue > 0, rawValue <= 0x7fff_ffff else { return nil }
        self.rawValue = rawValue
    }
    public var description: String { "key \(rawValue)" }
}

/// The first eight bytes of every cell; they are the associated data of its seal.
///
/// | byte | content |
/// |---|---|
/// | 0 | version = 1 |
/// | 1 | high nibble role, low nibble algorithm |
/// | 2 | logical type tag |
/// | 3 | collation id (0: C, or not text) |
/// | 4..7 | key id, big endian |
public struct CellHeader: Hashable, Sendable {
    public static let byteCount = 8
    /// Header, writer id, counter and tag: what a GCM cell has beyond its plaintext.
    public static let gcmOverhead = 40
    /// Header and synthetic IV: what a SIV cell has beyond its plaintext.
    public static let sivOverhead = 24

    public var role: CellRole
    public var algorithm: CellAlgorithm
    public var type: LogicalType
    public var collation: UInt8
    public var key: KeyID

    public init(role: CellRole, algorithm: CellAlgorithm, type: LogicalType, collation: UInt8 = 0, key: KeyID) {
        self.role = algorithm == .siv ? .stored : role
        self.algorithm = algorithm
        self.type = type
        self.collation = collation
        self.key = key
    }

    /// Reads a header and checks the whole cell's length against its algorithm. Throws `malformedCell`.
    public init(cell: Span<UInt8>) throws(CloisterError) {
        func malformed(_ why: String) -> CloisterError { CloisterError(.malformedCell, why) }
        guard cell.count >= Self.byteCount else { throw malformed("the cell is shorter than its header") }
        guard cell[0] == 1 else { throw malformed("the cell's version is unknown") }
        guard let role = CellRole(rawValue: cell[1] >> 4), let algorithm = CellAlgorithm(rawValue: cell[1] & 0x0f) else {
            throw malformed("the cell's role or algorithm is unknown")
        }
        guard let type = LogicalType(rawValue: cell[2]) else { throw malformed("the cell's type is unknown") }
        let number = UInt32(cell[4]) << 24 | UInt32(cell[5]) << 16 | UInt32(cell[6]) << 8 | UInt32(cell[7])
        guard let key = KeyID(rawValue: number) else { throw malformed("the cell's key id is out of range") }
        let overhead = algorithm == .gcm ? Self.gcmOverhead : Self.sivOverhead
        guard cell.count >= overhead else { throw malformed("the cell is shorter than its seal") }
        guard algorithm == .gcm || role == .stored else { throw malformed("a deterministic cell has a role") }
        self.role = role
        self.algorithm = algorithm
        self.type = type
        self.collation = cell[3]
        self.key = key
    }

    /// The eight bytes.
    public var bytes: [UInt8] {
        let id = key.rawValue
        return [
            1, role.rawValue << 4 | algorithm.rawValue, type.rawValue, collation,
            UInt8(id >> 24), UInt8(id >> 16 & 0xff), UInt8(id >> 8 & 0xff), UInt8(id & 0xff),
        ]
    }
}
