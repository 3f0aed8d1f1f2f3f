/// A logical type T: what the client sees. The raw value is the cell's type tag (schemas/cell-v1.md); tags are never
/// reused. For every T the extension makes `enc_T` and `det_T` in `pg_catalog`.
public enum LogicalType: UInt8, Sendable, CaseIterable {
    case boolean = 1
    case int2 = 2
    case int4 = 3
    case int8 = 4
    case float4 = 5
    case float8 = 6
    case numeric = 7
    case text = 8
    case varchar = 9
    case bpchar = 10
    case bytea = 11
    case date = 12
    case time = 13
    case timetz = 14
    case timestamp = 15
    case timestamptz = 16
    case interval = 17
    case uuid = 18
    case inet = 19
    case json = 20
    case jsonb = 21

    /// The types this version's extension serves: all of them.
    public static let supported: [LogicalType] = LogicalType.allCases

    /// Whether values of the type can be compared. The json types are stored only: they have no operators.
    public var isComparable: Bool { self != .json && self != .jsonb }

    /// T as in `enc_T` and in the configuration file.
    public var name: String { String(describing: self) }

    public init?(name: String) {
        guard let type = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = type
    }

    /// PostgreSQL's OID of the plaintext type (pg_type.dat): what RowDescription shows the client.
    public var oid: UInt32 {
        switch self {
        case .boolean: 16
        case .int2: 21
        case .int4: 23
        case .int8: 20
        case .float4: 700
        case .float8: 701
        case .numeric: 1700
        case .text: 25
        case .varchar: 1043
        case .bpchar: 1042
        case .bytea: 17
        case .date: 1082
        case .time: 1083
        case .timetz: 1266
        case .timestamp: 1114
        case .timestamptz: 1184
        case .interval: 1186
        case .uuid: 2950
        case .inet: 869
        case .json: 114
        case .jsonb: 3802
        }
    }

    /// PostgreSQL's OID of the plaintext type's array type (pg_type.dat).
    public var arrayOID: UInt32 {
        switch self {
        case .boolean: 1000
        case .int2: 1005
        case .int4: 1007
        case .int8: 1016
        case .float4: 1021
        case .float8: 1022
        case .numeric: 1231
        case .text: 1009
        case .varchar: 1015
        case .bpchar: 1014
        case .bytea: 1001
        case .date: 1182
        case .time: 1183
        case .timetz: 1270
        case .timestamp: 1115
        case .timestamptz: 1185
        case .interval: 1187
        case .uuid: 2951
        case .inet: 1041
        case .json: 199
        case .jsonb: 3807
        }
    }

    /// `pg_type.typlen` of the plaintext type: what RowDescription shows the client; -1 if it varies.
    public var size: Int16 {
        switch self {
        case .boolean: 1
        case .int2: 2
        case .int4, .float4, .date: 4
        case .int8, .float8, .time, .timestamp, .timestamptz: 8
        case .timetz: 12
        case .interval, .uuid: 16
        case .numeric, .text, .varchar, .bpchar, .bytea, .inet, .json, .jsonb: -1
        }
    }

    public init?(oid: UInt32) {
        guard let type = Self.allCases.first(where: { $0.oid == oid }) else { return nil }
        self = type
    }

    public init?(arrayOID: UInt32) {
        guard let type = Self.allCases.first(where: { $0.arrayOID == arrayOID }) else { return nil }
        self = type
    }

    /// Whether the collation byte means something for this type.
    public var isText: Bool { self == .text || self == .varchar || self == .bpchar }
}

/// How a column is encrypted.
public enum EncryptionScheme: String, Sendable, CaseIterable {
    /// `enc_T`: every cell differs; the enclave compares.
    case randomized
    /// `det_T`: equal values give equal cells; the server compares bytes.
    case deterministic

    public var typePrefix: String { self == .randomized ? "enc_" : "det_" }
    public var algorithm: CellAlgorithm { self == .randomized ? .gcm : .siv }
}

/// Everything that two cells must share to be compared: the type of an encrypted column.
public struct EncryptedType: Hashable, Sendable {
    public var logical: LogicalType
    public var scheme: EncryptionScheme
    public var key: KeyID
    /// 0: by code point ("C").
    public var collation: UInt8
    /// The enumeration whose labels the values are; the cells are those of text.
    public var enumeration: TypeName?

    public init(_ logical: LogicalType, _ scheme: EncryptionScheme, key: KeyID, collation: UInt8 = 0, enumeration: TypeName? = nil) {
        self.enumeration = enumeration
        self.logical = logical
        self.scheme = scheme
        self.key = key
        self.collation = collation
    }

    /// `enc_date`, `det_text`, …: the server's type, in `pg_catalog`.
    public var serverTypeName: String { scheme.typePrefix + logical.name }
    /// `pg_catalog.enc_date(7)`: the type as DDL writes it.
    public var declaration: String { "pg_catalog.\(serverTypeName)(\(key.rawValue))" }

    /// The header of a cell of this type in a role.
    public func header(_ role: CellRole) -> CellHeader {
        CellHeader(role: role, algorithm: scheme.algorithm, type: logical, collation: collation, key: key)
    }
}
