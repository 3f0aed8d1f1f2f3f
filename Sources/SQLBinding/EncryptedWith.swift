internal import CellFormat
internal import ColumnCatalog
internal import Diagnostics

/// One `ENCRYPTED WITH (column_encryption_key = …, encryption_type = …)` of a text.
struct EncryptedWith {
    /// From ENCRYPTED to the closing parenthesis.
    var tokens: ClosedRange<Int>
    var key: String
    var scheme: EncryptionScheme
    var collation: Collation

    /// All of a text. libpg_query can't read them: the parser gets blanks in their place.
    static func all(_ text: [UInt8], _ tokens: [Token], standardConformingStrings: Bool) throws(Halt) -> [EncryptedWith] {
        var clauses: [EncryptedWith] = []
        var index = 0
        while index < tokens.count {
            guard tokens[index].kind == .word, text.matches("encrypted", in: tokens[index].range) else {
                index += 1
                continue
            }
            var reader = TokenReader(text, tokens, standardConformingStrings: standardConformingStrings, index..<tokens.count)
            guard reader.accept("encrypted", "with"), reader.isSymbol(reader.at, "(") else {
                index += 1
                continue
            }
            var options = try reader.options()
            options["algorithm"] = nil
            guard let key = options.removeValue(forKey: "column_encryption_key") ?? options.removeValue(forKey: "client_encryption_key")
            else {
                throw reader.failure("COLUMN_ENCRYPTION_KEY is missing")
            }
            var scheme = EncryptionScheme.randomized
            if let type = options.removeValue(forKey: "encryption_type") {
                guard let known = EncryptionScheme(rawValue: type.lowercased()) else {
                    throw reader.failure("ENCRYPTION_TYPE is RANDOMIZED or DETERMINISTIC")
                }
                scheme = known
            }
            var collation = Collation.c
            if let name = options.removeValue(forKey: "collation") {
                guard let known = Collation(name: name) else {
                    throw reader.failure("COLLATION is 'C' or an ICU locale such as 'de' or 'und-u-ks-level2'")
                }
                collation = known
            }
            if let unknown = options.keys.min() { throw reader.failure("\(unknown.uppercased()) is not an option of ENCRYPTED WITH") }
            clauses.append(EncryptedWith(tokens: index...reader.at - 1, key: key, scheme: scheme, collation: collation))
            index = reader.at
        }
        return clauses
    }
}

extension Analyzer {
    /// Handles the clauses of a statement: those whose columns are marked so are cut from the text, for the others the proxy is
    /// asked to mark the columns first. Clauses elsewhere are refused at the end (`refuseStrayClauses`).
    func encryptedColumns(_ tag: String, _ body: Node) throws(Halt) {
        guard !clauses.isEmpty, tag == "CreateStmt" || tag == "AlterTableStmt" else { return }
        let definitions =
            tag == "CreateStmt"
            ? body.list("tableElts").filter { $0.tagged.tag == "ColumnDef" }.map(\.tagged.body)
            : body.list("cmds").filter { $0.tagged.body.string("subtype") == "AT_AddColumn" }.compactMap {
                $0.tagged.body["def"]?.tagged.body
            }
        var found: [(definition: Node, clause: EncryptedWith)] = []
        for definition in definitions {
            guard let start = token(at: definition.location) else { continue }
            let extent = start...endOfColumn(start)
            let own = clauses.filter { extent.contains($0.tokens.lowerBound) }
            guard let clause = own.first else { continue }
            guard own.count == 1 else { throw refuseClause("a column has ENCRYPTED WITH twice", clause) }
            found.append((definition, clause))
        }
        guard let first = found.first?.clause, let rangeVar = body["relation"] else { return }
        // Only a catalog that was loaded for this statement tells that a column does not exist yet.
        guard context.catalogIsCurrent else { throw Halt.needsCatalog }
        let name = try markedTable(tag, body, rangeVar, first)
        let relation = catalog.relations[name]
        let marks = catalog.marks.byRelation[name] ?? [:]
        var requests: [ColumnMarkRequest] = []
        for (definition, clause) in found {
            let column = definition.string("colname") ?? ""
            let (type, enumeration, domain) = try encryptableType(definition, "\(name).\(column)", clause)
            guard clause.collation == .c || enumeration == nil && type.logical.isText && clause.scheme == .randomized else {
                throw refuseClause("COLLATION of \(name).\(column): only randomized text, varchar and char columns have one", clause)
            }
            handled.insert(clause.tokens.lowerBound)
            fixedEdits.append(.init(tokens: clause.tokens, text: ""))
            if let mark = marks[column] {
                let wanted = EncryptedType(
                    type.logical, clause.scheme, key: mark.type.key, collation: clause.collation.rawValue, enumeration: enumeration)
                guard mark.type == wanted, mark.domain == domain, mark.modifier == type.modifier, mark.keyName == clause.key else {
                    throw refuseClause("column \(name).\(column) is marked in another way already", clause)
                }
                continue
            }
            if relation?.isComplete == true, tag == "CreateStmt" || relation?.column(column) != nil {
                throw refuseClause(
                    tag == "CreateStmt" ? "relation \"\(name)\" exists already" : "column \(name).\(column) exists already", clause)
            }
            requests.append(
                ColumnMarkRequest(
                    schema: name.schema, table: name.name, column: column, type: type, scheme: clause.scheme, collation: clause.collation,
                    keyName: clause.key, enumeration: enumeration, domain: domain))
        }
        guard requests.isEmpty else {
            throw .administer(ColumnCommand(.mark(requests), tag: tag == "CreateStmt" ? "CREATE TABLE" : "ALTER TABLE"))
        }
    }

    /// The stored type of a column, and the enumeration or domain that it is declared with.
    private func encryptableType(
        _ definition: Node, _ label: String, _ clause: EncryptedWith
    ) throws(Halt) -> (DeclaredType, enumeration: TypeName?, domain: TypeName?) {
        if let type = definition["typeName"]?.declaredType, LogicalType.supported.contains(type.logical) { return (type, nil, nil) }
        func refuse(_ what: String, _ refused: Refused) -> Halt {
            .refused(CloisterError(.keyStatementRefused, what, hint: refused.instead), at: tokens[clause.tokens.lowerBound].start)
        }
        guard let type = definition["typeName"] else { throw unknown("ColumnDef", definition) }
        if type.has("arrayBounds") { throw refuse("column \(label) is an array, which can't be encrypted", .arrayColumn) }
        guard !type.has("typmods"), !type.flag("setof"), let name = try userType(type.names("names")) else {
            throw refuseClause("column \(label) is of a type that can't be encrypted", clause)
        }
        if let domain = domain(name) { return (domain.base, nil, name) }
        // The labels are the server's to tell, so an enumeration need not be configured.
        if case .enumeration? = catalog.userTypes[name]?.kind { return (DeclaredType(.text), name, nil) }
        throw refuse("column \(label) is of domain \(name), which the configuration does not have", .domainNotConfigured)
    }

    /// Which table it is, for certain.
    private func markedTable(_ tag: String, _ body: Node, _ rangeVar: Node, _ clause: EncryptedWith) throws(Halt) -> QualifiedName {
        let bare = rangeVar.string("relname") ?? ""
        guard rangeVar.string("relpersistence") != "t", rangeVar.string("schemaname") != "pg_temp" else {
            throw refuseClause("the columns of a temporary table have no lasting names by which they could be marked", clause)
        }
        guard !["inhRelations", "ofTypename", "partbound"].contains(where: { body.has($0) }) else {
            throw refuseClause("ENCRYPTED WITH in a partition, or a table that takes over columns", clause)
        }
        let name: QualifiedName
        if let schema = rangeVar.string("schemaname") {
            name = QualifiedName(schema, bare)
        } else if tag == "CreateStmt" {
            guard let path = context.searchPath else { throw Halt.needsSearchPath }
            guard !namesMayHaveChanged, let schema = path.first(where: { $0 != "pg_catalog" && !$0.hasPrefix("pg_temp_") }) else {
                throw refuseClause("it is not known in which schema \"\(bare)\" would be created", clause)
            }
            name = QualifiedName(schema, bare)
        } else {
            guard case .known(let found) = try relation(rangeVar), found.isComplete else {
                throw refuseClause("relation \"\(bare)\" does not exist", clause)
            }
            name = found.name
        }
        guard !ColumnPath.isReserved(schema: name.schema) else {
            throw refuseClause("the tables of schema \"\(name.schema)\" are not for encrypted columns", clause)
        }
        return name
    }

    /// Every clause belonged to a column.
    func refuseStrayClauses() throws(Halt) {
        guard let stray = clauses.first(where: { !handled.contains($0.tokens.lowerBound) }) else { return }
        throw refuseClause("ENCRYPTED WITH stands where no column of CREATE TABLE or ALTER TABLE ADD COLUMN is defined", stray)
    }

    private func refuseClause(_ what: String, _ clause: EncryptedWith) -> Halt {
        .refused(
            CloisterError(.keyStatementRefused, what, hint: "docs/sql.md has the forms"), at: tokens[clause.tokens.lowerBound].start)
    }

    /// The last token of the column definition that starts at `start`.
    private func endOfColumn(_ start: Int) -> Int {
        var depth = 0
        var index = start
        while index < tokens.count {
            if isSymbol(index, "(") { depth += 1 }
            if isSymbol(index, ")") {
                guard depth > 0 else { break }
                depth -= 1
            }
            if depth == 0, isSymbol(index, ",") || isSymbol(index, ";") { break }
            index += 1
        }
        return max(start, index - 1)
    }
}
