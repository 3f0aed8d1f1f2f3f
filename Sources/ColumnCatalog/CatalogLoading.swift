internal import CellFormat
internal import Diagnostics

extension CatalogSnapshot {
    /// One statement that returns everything a snapshot needs, eight text columns a row:
    ///
    /// | kind | 2 | 3 | 4 | 5 | 6 | 7 | 8 |
    /// |---|---|---|---|---|---|---|---|
    /// | `t` | type name (`enc_date`) | OID | array type's OID | – | – | – | – |
    /// | `c` | schema | relation | relkind | column number | column name | type OID | typmod |
    ///
    /// | `f` | schema | function | – | – | – | – | – |
    /// | `o` | schema | relation | OID | – | – | – | – |
    ///
    /// | `e` | schema | enumeration | OID | array type's OID | label, null if it has none | – | – |
    /// | `d` | schema | domain | OID | array type's OID | NOT NULL: `true` | its own CHECKs | DEFAULT: `true` |
    ///
    /// `o`: a relation that has a column of one of the types.
    /// `f`: a function that takes or returns cells (or rows that have them), outside pg_catalog.
    /// A relation without columns has one `c` row with nulls in 5 to 8. Other sessions' temporary tables are left out.
    ///
    /// Arrays rather than correlated subqueries: those have estimated costs for which PostgreSQL compiles the query (jit), at each load.
    package static let loadQuery = """
        WITH ours AS MATERIALIZED (SELECT t.typname, t.oid, t.typarray FROM pg_catalog.pg_type t \
        WHERE t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace AND pg_catalog.left(t.typname::text, 4) IN ('enc_', 'det_')), \
        cells AS MATERIALIZED (SELECT o.oid FROM ours o UNION SELECT o.typarray FROM ours o), \
        holders AS MATERIALIZED (SELECT DISTINCT a.attrelid FROM pg_catalog.pg_attribute a WHERE a.attnum > 0 AND a.atttypid IN (SELECT oid FROM cells)), \
        used AS MATERIALIZED (SELECT c.oid FROM cells c UNION SELECT pg_catalog.unnest(ARRAY[t.oid, t.typarray]) FROM pg_catalog.pg_type t \
        JOIN holders h ON h.attrelid = t.typrelid WHERE t.typrelid <> 0), \
        functions AS MATERIALIZED (SELECT p.pronamespace, p.proname, p.prorettype, COALESCE(p.proallargtypes, p.proargtypes::oid[]) AS arguments \
        FROM pg_catalog.pg_proc p WHERE p.pronamespace NOT IN (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname IN ('pg_catalog', 'information_schema'))) \
        SELECT 't', o.typname::text, o.oid::text, o.typarray::text, NULL::text, NULL::text, NULL::text, NULL::text FROM ours o \
        UNION ALL \
        SELECT 'c', n.nspname::text, c.relname::text, c.relkind::text, a.attnum::text, a.attname::text, a.atttypid::text, a.atttypmod::text \
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
        LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') \
        AND NOT pg_catalog.pg_is_other_temp_schema(n.oid) \
        UNION ALL \
        SELECT 'f', n.nspname::text, f.proname::text, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text \
        FROM functions f JOIN pg_catalog.pg_namespace n ON n.oid = f.pronamespace \
        WHERE f.prorettype = ANY ((SELECT pg_catalog.array_agg(u.oid) FROM used u)::oid[]) \
        OR f.arguments && (SELECT pg_catalog.array_agg(u.oid) FROM used u) \
        UNION ALL \
        SELECT 'o', n.nspname::text, c.relname::text, c.oid::text, NULL::text, NULL::text, NULL::text, NULL::text \
        FROM holders h JOIN pg_catalog.pg_class c ON c.oid = h.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
        WHERE c.relkind IN ('r', 'p', 'f') \
        UNION ALL \
        SELECT 'e', n.nspname::text, t.typname::text, t.oid::text, t.typarray::text, e.enumlabel::text, NULL::text, NULL::text \
        FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
        LEFT JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid WHERE t.typtype = 'e' \
        UNION ALL \
        SELECT 'd', n.nspname::text, t.typname::text, t.oid::text, t.typarray::text, t.typnotnull::text, \
        (SELECT pg_catalog.count(*) FROM pg_catalog.pg_constraint c WHERE c.contypid = t.oid)::text, (t.typdefaultbin IS NOT NULL)::text \
        FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
        WHERE t.typtype = 'd' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
        """

    /// The same with every value as hex digits of UTF-8, for a client_encoding that may lack characters of the names.
    package static let loadQueryInHex: String = {
        let names = (1...columnCount).map { "c\($0)" }
        let values = names.map { "pg_catalog.encode(pg_catalog.convert_to(q.\($0), 'UTF8'), 'hex')" }
        return "SELECT \(values.joined(separator: ", ")) FROM (\(loadQuery)) q (\(names.joined(separator: ", ")))"
    }()
}

extension CatalogContent {
    /// Bounds on what a server can make us hold.
    private static let maxRows = 2_000_000
    private static let maxNameBytes = 255

    /// Strict: a row of another shape is an error, never skipped. Throws `malformedCatalog`.
    init(rows: [[String?]], marks: MarkedColumns) throws(CloisterError) {
        self.init(marks: marks)
        guard rows.count <= Self.maxRows else { throw Self.malformed("the catalog has too many rows") }
        struct Pending { var kind: Character; var columns: [(number: Int, name: String, type: UInt32, typmod: Int32)] }
        var pending: [QualifiedName: Pending] = [:]
        for row in rows {
            guard row.count == CatalogSnapshot.columnCount, let tag = row[0] else {
                throw Self.malformed("a row has the wrong number of columns")
            }
            guard row.allSatisfy({ ($0?.utf8.count ?? 0) <= Self.maxNameBytes }) else { throw Self.malformed("a name is too long") }
            switch tag {
            case "t":
                guard let name = row[1], let oid = row[2].flatMap({ UInt32($0) }), oid >= 16384, let array = row[3].flatMap({ UInt32($0) })
                else {
                    throw Self.malformed("a type row is malformed")
                }
                // A type that is none of ours (`enc_something`) is not an error: the prefix is not reserved.
                guard let type = ServerType(name: name) else { continue }
                guard serverTypes.updateValue(type, forKey: oid) == nil else { throw Self.malformed("a type is told twice") }
                guard array != 0 else { continue }
                guard array >= 16384, serverTypes.updateValue(ServerType(type.logical, type.scheme, isArray: true), forKey: array) == nil
                else {
                    throw Self.malformed("an array type is told twice")
                }
            case "c":
                guard let schema = row[1], let table = row[2], let kind = row[3]?.first, row[3]?.count == 1, "rpvmfS".contains(kind) else {
                    throw Self.malformed("a column row is malformed")
                }
                let name = QualifiedName(schema, table)
                var relation = pending[name] ?? Pending(kind: kind, columns: [])
                guard relation.kind == kind else { throw Self.malformed("\(name) is told twice with different kinds") }
                if row[4] != nil || row[5] != nil {
                    guard let number = row[4].flatMap({ Int($0) }), (1...1664).contains(number), let column = row[5], !column.isEmpty,
                        let type = row[6].flatMap({ UInt32($0) }), type != 0, let typmod = row[7].flatMap({ Int32($0) })
                    else { throw Self.malformed("a column of \(name) is malformed") }
                    relation.columns.append((number, column, type, typmod))
                }
                pending[name] = relation
            case "o":
                guard let schema = row[1], let table = row[2], let oid = row[3].flatMap({ UInt32($0) }) else {
                    throw Self.malformed("a relation's OID is malformed")
                }
                tableOIDs[QualifiedName(schema, table)] = oid
            case "f":
                guard row[1] != nil, let name = row[2] else { throw Self.malformed("a function row is malformed") }
                cellFunctions.insert(name)
            case "e", "d": try addUserType(row, isDomain: tag == "d")
            default:
                throw Self.malformed("a row is of an unknown kind")
            }
        }
        guard Set(serverTypes.values).count == serverTypes.count else { throw Self.malformed("a type is told with two OIDs") }
        for (name, relation) in pending {
            var columns: [CatalogColumn] = []
            var seen: Set<String> = []
            for column in relation.columns.sorted(by: { $0.number < $1.number }) {
                guard seen.insert(column.name).inserted else { throw Self.malformed("\(name) has a column twice") }
                columns.append(
                    .init(
                        name: column.name, typeOID: column.type, typmod: column.typmod, encryption: nil, isConfigured: false,
                        number: column.number))
            }
            relations[name] = marked(CatalogRelation(name: name, kind: relation.kind, columns: columns))
        }
        addConfiguredRelations()
    }

    private mutating func addUserType(_ row: [String?], isDomain: Bool) throws(CloisterError) {
        guard let schema = row[1], let name = row[2], let oid = row[3].flatMap({ UInt32($0) }), oid >= 16384,
            let array = row[4].flatMap({ UInt32($0) })
        else { throw Self.malformed("a type row is malformed") }
        var type = ServerUserType(oid: oid, arrayOID: array, kind: .enumeration(labels: []))
        if isDomain {
            guard let checks = row[6].flatMap({ Int($0) }) else { throw Self.malformed("a domain's row is malformed") }
            type.kind = .domain(isNotNull: row[5] == "true", checks: checks, hasDefault: row[7] == "true")
        } else {
            var labels: Set<String> = []
            if let known = userTypes[TypeName(schema, name)] {
                guard case .enumeration(let told) = known.kind, known.oid == oid, known.arrayOID == array else {
                    throw Self.malformed("an enumeration is told twice")
                }
                labels = told
            }
            if let label = row[5] { labels.insert(label) }
            type.kind = .enumeration(labels: labels)
        }
        userTypes[TypeName(schema, name)] = type
    }

    /// What a snapshot was made of, under other marks.
    init(_ snapshot: CatalogSnapshot, marks: MarkedColumns) {
        self.marks = marks
        serverTypes = snapshot.serverTypes
        cellFunctions = snapshot.cellFunctions
        tableOIDs = snapshot.tableOIDs
        userTypes = snapshot.userTypes
        for (name, relation) in snapshot.relations where relation.isComplete { relations[name] = marked(relation) }
        addConfiguredRelations()
    }

    /// The relation as the server tells it, with its marks.
    private func marked(_ relation: CatalogRelation) -> CatalogRelation {
        let configured = marks.byRelation[relation.name] ?? [:]
        var columns: [CatalogColumn] = []
        // OID 0: the server does not tell of it.
        for var column in relation.columns where column.typeOID != 0 {
            let mark = configured[column.name]
            column.encryption = mark?.type ?? encryption(of: column.typeOID, typmod: column.typmod)
            column.isConfigured = mark != nil
            column.modifier = mark?.modifier ?? -1
            columns.append(column)
        }
        // What the configuration marks and the server does not tell of (a table from before it was configured, or a
        // lie) stays known: at the end, in the order of the names, so that `*` still expands to something refused.
        let seen = Set(columns.map(\.name))
        for mark in configured.values.sorted(by: { $0.column < $1.column }) where !seen.contains(mark.column) {
            columns.append(
                .init(name: mark.column, typeOID: 0, typmod: -1, encryption: mark.type, isConfigured: true, modifier: mark.modifier))
        }
        return CatalogRelation(name: relation.name, kind: relation.kind, columns: columns)
    }

    init(marks: MarkedColumns) {
        self.marks = marks
        addConfiguredRelations()
    }

    /// Relations known from the configuration only.
    private mutating func addConfiguredRelations() {
        for (name, configured) in marks.byRelation where relations[name] == nil {
            let columns = configured.values.sorted { $0.column < $1.column }.map {
                CatalogColumn(name: $0.column, typeOID: 0, typmod: -1, encryption: $0.type, isConfigured: true, modifier: $0.modifier)
            }
            relations[name] = CatalogRelation(name: name, kind: "?", columns: columns)
        }
    }

    /// A column of one of our types that nobody configured (a view's, or DDL by others): the type tells the rest. A
    /// column without a key id (typmod -1, as in a view over an expression) can't be bound; it is marked with the
    /// largest key id, which no operand will ever be sealed for unless that key exists.
    private func encryption(of oid: UInt32, typmod: Int32) -> EncryptedType? {
        guard let type = serverTypes[oid] else { return nil }
        guard let key = KeyID(rawValue: typmod > 0 ? UInt32(typmod) : 0x7fff_ffff) else { return nil }
        return marks.type(type.logical, type.scheme, key: key)
    }

    private static func malformed(_ why: String) -> CloisterError {
        CloisterError(.malformedCatalog, why, hint: "the server's answer to the catalog query is not what this version expects")
    }
}

extension ServerType {
    /// From `enc_date`, `det_text`, …
    package init?(name: String) {
        for scheme in EncryptionScheme.allCases where name.hasPrefix(scheme.typePrefix) {
            guard let logical = LogicalType(name: String(name.dropFirst(scheme.typePrefix.count))) else { return nil }
            self.init(logical, scheme)
            return
        }
        return nil
    }
}
