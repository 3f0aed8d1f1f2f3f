/// Which columns are encrypted, and what the database's tables look like: values only.
///
/// Two sources meet here. The configuration (with verified key metadata) *marks* columns: `MarkedColumns`. The server
/// tells which relations and columns exist: rows of `CatalogSnapshot.loadQuery`. The server is not trusted: what the
/// configuration marks stays marked whatever the server says. This module knows no keys, connections or messages.
package import CellFormat
package import Diagnostics

/// `schema.name` of a relation, as stored in the catalog: no quotes, case as is.
package struct QualifiedName: Hashable, Sendable, CustomStringConvertible {
    package var schema: String
    package var name: String

    package init(_ schema: String, _ name: String) {
        self.schema = schema
        self.name = name
    }

    package var description: String { "\(schema).\(name)" }
}

/// One column that the configuration encrypts.
package struct ColumnMark: Hashable, Sendable {
    package var schema: String
    package var table: String
    package var column: String
    package var type: EncryptedType
    /// The limit of its values as PostgreSQL's `atttypmod` of the logical type (`varchar(40)`, `numeric(10,2)`); -1: none. The proxy
    /// enforces it, for the server sees no values.
    package var modifier: Int32
    /// The configuration's name of the key: for people; `type.key` is what cells carry.
    package var keyName: String
    /// The domain that the column is declared with.
    package var domain: TypeName?

    package init(
        schema: String, table: String, column: String, type: EncryptedType, modifier: Int32 = -1, keyName: String, domain: TypeName? = nil
    ) {
        self.domain = domain
        self.schema = schema
        self.table = table
        self.column = column
        self.type = type
        self.modifier = modifier
        self.keyName = keyName
    }

    package var relation: QualifiedName { QualifiedName(schema, table) }
}

extension ErrorCode {
    /// The same column is marked twice.
    package static let columnMarkedTwice = ErrorCode("CL6020", sqlState: "F0000")
    /// Two columns of one key and type compare text differently.
    package static let collationsDiffer = ErrorCode("CL6022", sqlState: "F0000")
    /// Of two text columns of one key, one is an enumeration that the other is not.
    package static let enumerationsDiffer = ErrorCode("CL6023", sqlState: "F0000")
    /// The rows of the catalog query do not have the shape that this version expects.
    package static let malformedCatalog = ErrorCode("CL6021", sqlState: "08P01")
}

/// All columns that the configuration encrypts.
package struct MarkedColumns: Sendable, Hashable {
    package let marks: [ColumnMark]
    /// relation → column name → mark.
    package let byRelation: [QualifiedName: [String: ColumnMark]]
    /// Bare names of relations that have a marked column.
    package let bareNames: Set<String>
    package let columnNames: Set<String>
    /// What the configuration says of the types that columns are declared with.
    package let userTypes: [TypeName: UserType]
    /// The enumeration of every cell under a key, type and scheme; nil: of none.
    private let enumerations: [SchemeBorder: TypeName?]
    /// The collation of every cell under a key and type: `EncryptedType.collation`.
    private let collations: [Border: UInt8]

    private struct Border: Hashable {
        var key: KeyID
        var type: LogicalType
    }

    private struct SchemeBorder: Hashable {
        var border: Border
        var scheme: EncryptionScheme

        init(_ type: EncryptedType) {
            border = Border(key: type.key, type: type.logical)
            scheme = type.scheme
        }
    }

    package static let none = MarkedColumns()

    private init() {
        marks = []
        byRelation = [:]
        bareNames = []
        columnNames = []
        collations = [:]
        userTypes = [:]
        hasUserTypes = false
        enumerations = [:]
    }

    /// Throws `columnMarkedTwice`, `collationsDiffer`, `enumerationsDiffer`.
    package init(_ marks: [ColumnMark], userTypes: [TypeName: UserType] = [:]) throws(CloisterError) {
        var byRelation: [QualifiedName: [String: ColumnMark]] = [:]
        for mark in marks {
            guard byRelation[mark.relation, default: [:]].updateValue(mark, forKey: mark.column) == nil else {
                throw CloisterError(.columnMarkedTwice, "\(mark.relation).\(mark.column) is configured twice")
            }
        }
        var collations: [Border: UInt8] = [:]
        for mark in marks where mark.type.scheme == .randomized {
            let known = collations.updateValue(mark.type.collation, forKey: Border(key: mark.type.key, type: mark.type.logical))
            guard known == nil || known == mark.type.collation else {
                throw CloisterError(
                    .collationsDiffer,
                    "\(mark.relation).\(mark.column) has another collation than other \(mark.type.logical.name) columns of key \(mark.keyName)",
                    hint: "all columns of one key and type have one collation: use another key")
            }
        }
        // A view's column tells its key and type, no more: from these it must be known whether it is an enumeration.
        var enumerations: [SchemeBorder: TypeName?] = [:]
        for mark in marks {
            let known = enumerations.updateValue(mark.type.enumeration, forKey: SchemeBorder(mark.type))
            guard known == nil || known == mark.type.enumeration else {
                throw CloisterError(
                    .enumerationsDiffer,
                    "\(mark.relation).\(mark.column) is not of the same enumeration as other text columns of key \(mark.keyName)",
                    hint: "all text columns of one key are of one enumeration or of none: use another key")
            }
        }
        self.enumerations = enumerations
        self.userTypes = userTypes
        hasUserTypes = marks.contains { $0.type.enumeration != nil || $0.domain != nil }
        self.collations = collations
        self.marks = marks
        self.byRelation = byRelation
        self.bareNames = Set(marks.map(\.table))
        self.columnNames = Set(marks.map(\.column))
    }

    /// Whether a column is declared with a domain or an enumeration.
    package let hasUserTypes: Bool

    /// The type of a column of which only the server's type and key id are known.
    package func type(_ logical: LogicalType, _ scheme: EncryptionScheme, key: KeyID) -> EncryptedType {
        let collation = scheme == .randomized ? collations[Border(key: key, type: logical)] ?? 0 : 0
        var type = EncryptedType(logical, scheme, key: key, collation: collation)
        type.enumeration = enumerations[SchemeBorder(type)] ?? nil
        return type
    }
}
