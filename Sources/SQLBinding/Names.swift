internal import ColumnCatalog
internal import Diagnostics

/// Where a RangeVar leads.
enum RelationReference {
    case known(CatalogRelation)
    /// A system catalog, an information schema view: never encrypted, columns unknown.
    case system
    case unknown
}

extension Analyzer {
    /// Resolves a RangeVar (not a CTE's name). Throws if the name is a marked table's but may mean something else.
    func relation(_ rangeVar: Node) throws(Halt) -> RelationReference {
        let name = rangeVar.string("relname") ?? ""
        if let schema = rangeVar.string("schemaname") { return qualified(QualifiedName(schema, name)) }
        if rangeVar.string("relpersistence") == "t", let own = temporarySchema, let found = catalog.relations[QualifiedName(own, name)] {
            return .known(found)
        }
        if let created = createdByBareName[name] { return .known(created) }
        let schemas = catalog.schemasByName[name] ?? []
        let isConfigured = catalog.marks.bareNames.contains(name)
        if schemas.count > 1 {
            let anyMarked = schemas.contains { catalog.relations[QualifiedName($0, name)]?.hasMarks == true }
            if anyMarked { try refuseAfterRenames(rangeVar) }
            guard let path = context.searchPath else {
                if anyMarked || isStrict { throw Halt.needsSearchPath }
                return .unknown
            }
            let found =
                path.lazy.compactMap { self.catalog.relations[QualifiedName($0, name)] }.first { $0.isComplete || !anyMarked }
                ?? path.lazy.compactMap { self.catalog.relations[QualifiedName($0, name)] }.first
            if isConfigured, found?.hasMarks != true {
                throw .refuse(
                    .ambiguousRelation,
                    "\"\(name)\" is the name of a table with encrypted columns, but does not lead to it in this search path",
                    hint: "write the schema, as in \(schemas[0]).\(name)", at: rangeVar)
            }
            return found.map { .known($0) } ?? .unknown
        }
        if let schema = schemas.first, let found = catalog.relations[QualifiedName(schema, name)] { return .known(found) }
        return name.hasPrefix("pg_") ? .system : .unknown
    }

    private func qualified(_ name: QualifiedName) -> RelationReference {
        if let created = created[name] { return .known(created) }
        switch name.schema {
        case "pg_catalog", "information_schema", "pg_toast": return .system
        case "pg_temp":
            guard let own = temporarySchema, let found = catalog.relations[QualifiedName(own, name.name)] else { return .unknown }
            return .known(found)
        default: return catalog.relations[name].map { .known($0) } ?? .unknown
        }
    }

    private var temporarySchema: String? {
        context.searchPath?.first { $0.hasPrefix("pg_temp_") }
    }

    /// The schema that an unqualified CREATE TABLE of a marked table's bare name would create in; must be its own.
    func creationTarget(_ rangeVar: Node) throws(Halt) -> QualifiedName? {
        let name = rangeVar.string("relname") ?? ""
        let isTemporary = rangeVar.string("relpersistence") == "t" || rangeVar.string("schemaname") == "pg_temp"
        if let schema = rangeVar.string("schemaname"), !isTemporary { return QualifiedName(schema, name) }
        guard catalog.marks.bareNames.contains(name) else {
            return isTemporary ? nil : context.searchPath.flatMap { creationSchema($0) }.map { QualifiedName($0, name) }
        }
        if isTemporary {
            throw .refuse(
                .ambiguousRelation, "a temporary table \"\(name)\" would hide the table of that name that has encrypted columns",
                hint: Refused.hiddenByTemporary.instead,
                at: rangeVar)
        }
        guard let path = context.searchPath else { throw Halt.needsSearchPath }
        guard let schema = creationSchema(path), catalog.marks.byRelation[QualifiedName(schema, name)] != nil else {
            throw .refuse(
                .ambiguousRelation,
                "\"\(name)\" is the name of a table with encrypted columns, but would be created in another schema here",
                hint: Refused.ambiguousName.instead, at: rangeVar)
        }
        return QualifiedName(schema, name)
    }

    private func creationSchema(_ path: [String]) -> String? {
        path.first { $0 != "pg_catalog" && !$0.hasPrefix("pg_temp_") }
    }
}

extension CatalogSnapshot {
    /// Whether `text` has a word that is, in any case, the bare name of a marked relation (or column).
    func isMentioned(in text: some Sequence<UInt8>, columns: Bool) -> Bool {
        let text = text.map { $0 >= 0x41 && $0 <= 0x5a ? $0 | 0x20 : $0 }
        // An identifier with escapes can be any name.
        if !markedNames.isEmpty, text.indices.dropLast(2).contains(where: { text[$0...].starts(with: [0x75, 0x26, 0x22]) }) { return true }
        func mentions(_ name: String) -> Bool {
            let name = name.utf8.map { $0 >= 0x41 && $0 <= 0x5a ? $0 | 0x20 : $0 }
            guard let first = name.first, text.count >= name.count else { return false }
            var i = 0
            while i + name.count <= text.count {
                if text[i] == first, text[i..<i + name.count].elementsEqual(name),
                    i == 0 || !Lexer.isWordPart(text[i - 1]) || !Lexer.isWordPart(first),
                    i + name.count == text.count || !Lexer.isWordPart(text[i + name.count]) || !Lexer.isWordPart(name[name.count - 1])
                {
                    return true
                }
                i += 1
            }
            return false
        }
        return markedNames.contains(where: mentions) || (columns && markedColumnNames.contains(where: mentions))
    }
}
