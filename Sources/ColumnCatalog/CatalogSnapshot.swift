internal import Synchronization
package import CellFormat
package import Diagnostics

/// One column of a relation.
package struct CatalogColumn: Hashable, Sendable {
    package var name: String
    /// `pg_attribute.atttypid`; 0 if the column is known only from the configuration.
    package var typeOID: UInt32
    package var typmod: Int32
    /// How the column is encrypted, by the configuration or, failing that, by its server type.
    package var encryption: EncryptedType?
    /// Whether the configuration marks it (else its server type does).
    package var isConfigured: Bool
    /// `ColumnMark.modifier`; -1 if it is not configured.
    package var modifier: Int32
    /// `pg_attribute.attnum`; 0 if it is not known.
    package var number: Int

    package init(
        name: String, typeOID: UInt32, typmod: Int32, encryption: EncryptedType?, isConfigured: Bool, modifier: Int32 = -1, number: Int = 0
    ) {
        self.name = name
        self.number = number
        self.modifier = modifier
        self.typeOID = typeOID
        self.typmod = typmod
        self.encryption = encryption
        self.isConfigured = isConfigured
    }
}

/// A table, view, materialized view, partitioned or foreign table, with its columns in order.
package struct CatalogRelation: Hashable, Sendable {
    package var name: QualifiedName
    /// `pg_class.relkind`: r, p, v, m, f, S; "?" if it is known only from the configuration.
    package var kind: Character
    package var columns: [CatalogColumn]
    package var hasMarks: Bool

    package init(name: QualifiedName, kind: Character, columns: [CatalogColumn]) {
        self.name = name
        self.kind = kind
        self.columns = columns
        self.hasMarks = columns.contains { $0.encryption != nil }
    }

    /// False if the server told nothing of it: the order and the plain columns are unknown.
    package var isComplete: Bool { kind != "?" }
    package func column(_ name: String) -> CatalogColumn? { columns.first { $0.name == name } }
}

/// What a server type OID of the extension stands for.
package struct ServerType: Hashable, Sendable {
    package var logical: LogicalType
    package var scheme: EncryptionScheme
    package var isArray: Bool

    package init(_ logical: LogicalType, _ scheme: EncryptionScheme, isArray: Bool = false) {
        self.logical = logical
        self.scheme = scheme
        self.isArray = isArray
    }
}

/// A domain or enumeration of the database, as the server tells it.
package struct ServerUserType: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case enumeration(labels: Set<String>)
        /// How many constraints of its own it has is all that is taken from the server.
        case domain(isNotNull: Bool, checks: Int, hasDefault: Bool)
    }
    package var oid: UInt32
    package var arrayOID: UInt32
    package var kind: Kind

    package init(oid: UInt32, arrayOID: UInt32, kind: Kind) {
        self.oid = oid
        self.arrayOID = arrayOID
        self.kind = kind
    }
}

/// A column as RowDescription names it: `pg_class.oid` and `pg_attribute.attnum`.
package struct ColumnAddress: Hashable, Sendable {
    package var table: UInt32
    package var attribute: Int16

    package init(table: UInt32, attribute: Int16) {
        self.table = table
        self.attribute = attribute
    }
}

/// The database's relations at one moment, with the marks applied. Immutable; equal content is one instance with one id.
package final class CatalogSnapshot: Sendable {
    /// Stands for the content within this process: two snapshots with equal content have the same id.
    package let id: UInt64
    package let marks: MarkedColumns
    package let relations: [QualifiedName: CatalogRelation]
    /// Bare name → every schema that has a relation of that name, sorted.
    package let schemasByName: [String: [String]]
    package let serverTypes: [UInt32: ServerType]
    package let typeOIDs: [ServerType: UInt32]
    /// Bare names that stand for a marked relation in some schema.
    package let markedNames: Set<String>
    /// Names of columns marked in some relation.
    package let markedColumnNames: Set<String>

    /// `ColumnMark.modifier` of marked columns that have one, by the place that a result's description names.
    package let modifiers: [ColumnAddress: Int32]
    /// `pg_class.oid` of relations that have encrypted columns.
    let tableOIDs: [QualifiedName: UInt32]

    /// Bare names of functions, outside pg_catalog, that take or return cells.
    package let cellFunctions: Set<String>
    package let userTypes: [TypeName: ServerUserType]
    /// Bare name → every domain and enumeration of that name, of the server and of the configuration.
    package let userTypesByName: [String: Set<TypeName>]
    /// `pg_type.oid`, also of arrays.
    package let userTypesByOID: [UInt32: TypeName]

    fileprivate init(id: UInt64, content: CatalogContent) {
        self.id = id
        cellFunctions = content.cellFunctions
        tableOIDs = content.tableOIDs
        userTypes = content.userTypes
        var byName: [String: Set<TypeName>] = [:]
        for name in content.marks.userTypes.keys { byName[name.name, default: []].insert(name) }
        var byOID: [UInt32: TypeName] = [:]
        for (name, type) in content.userTypes {
            byName[name.name, default: []].insert(name)
            byOID[type.oid] = name
            if type.arrayOID != 0 { byOID[type.arrayOID] = name }
        }
        userTypesByName = byName
        userTypesByOID = byOID
        var limits: [ColumnAddress: Int32] = [:]
        for (name, oid) in content.tableOIDs {
            for column in content.relations[name]?.columns ?? [] where column.modifier >= 0 && column.number > 0 {
                limits[ColumnAddress(table: oid, attribute: Int16(clamping: column.number))] = column.modifier
            }
        }
        modifiers = limits
        marks = content.marks
        serverTypes = content.serverTypes
        var oids: [ServerType: UInt32] = [:]
        for (oid, type) in content.serverTypes { oids[type] = oid }
        typeOIDs = oids
        relations = content.relations
        var schemas: [String: [String]] = [:]
        var marked = content.marks.bareNames
        var markedColumns = content.marks.columnNames
        for relation in content.relations.values {
            schemas[relation.name.name, default: []].append(relation.name.schema)
            guard relation.hasMarks else { continue }
            marked.insert(relation.name.name)
            for column in relation.columns where column.encryption != nil { markedColumns.insert(column.name) }
        }
        schemasByName = schemas.mapValues { $0.sorted() }
        markedNames = marked
        markedColumnNames = markedColumns
    }

    /// Nothing known but the configuration: for the time before the first load.
    package static func empty(marks: MarkedColumns) -> CatalogSnapshot {
        interned(CatalogContent(marks: marks))
    }

    /// The same relations under other marks.
    package func marked(_ marks: MarkedColumns) -> CatalogSnapshot {
        marks == self.marks ? self : Self.interned(CatalogContent(self, marks: marks))
    }

    /// The number of text columns in each row of `loadQuery`.
    package static let columnCount = 8

    /// Builds (or finds) the snapshot of the rows of `loadQuery`, in any order. Throws `malformedCatalog`.
    package static func load(rows: [[String?]], marks: MarkedColumns) throws(CloisterError) -> CatalogSnapshot {
        interned(try CatalogContent(rows: rows, marks: marks))
    }

    // MARK: Interning

    /// At most this many contents are remembered; an older one gets a new id when it comes back.
    private static let remembered = 64
    private struct Table {
        var next: UInt64 = 1
        var snapshots: [CatalogContent: CatalogSnapshot] = [:]
    }
    private static let table = Mutex(Table())

    private static func interned(_ content: CatalogContent) -> CatalogSnapshot {
        table.withLock { table in
            if let known = table.snapshots[content] { return known }
            let snapshot = CatalogSnapshot(id: table.next, content: content)
            table.next += 1
            if table.snapshots.count >= remembered, let oldest = table.snapshots.min(by: { $0.value.id < $1.value.id })?.key {
                table.snapshots[oldest] = nil
            }
            table.snapshots[content] = snapshot
            return snapshot
        }
    }
}

/// What a snapshot is made of: the interning key.
struct CatalogContent: Hashable, Sendable {
    var marks: MarkedColumns
    var relations: [QualifiedName: CatalogRelation] = [:]
    var serverTypes: [UInt32: ServerType] = [:]
    var cellFunctions: Set<String> = []
    var tableOIDs: [QualifiedName: UInt32] = [:]
    var userTypes: [TypeName: ServerUserType] = [:]
}
