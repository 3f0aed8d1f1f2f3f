internal import CellFormat
internal import ColumnCatalog
internal import Diagnostics

extension Analyzer {
    private func refuse(_ message: String, hint: String = "", at node: Node?) -> Halt {
        .refuse(.definitionRefused, message, hint: hint, at: node)
    }

    /// A relation that a statement makes from a query: its columns get their types from the query, so it must not be one
    /// that the configuration marks.
    func checkNewRelation(_ rangeVar: Node?, at node: Node) throws(Halt) {
        guard let rangeVar else { return }
        let name = rangeVar.string("relname") ?? ""
        if isStrict, rangeVar.string("relpersistence") == "t", catalog.schemasByName[name] != nil {
            throw refuse(
                "a temporary table \"\(name)\" with encrypted columns would hide the relation of that name",
                hint: Refused.hiddenByTemporary.instead,
                at: rangeVar)
        }
        let isMarked =
            rangeVar.string("schemaname").map { catalog.marks.byRelation[QualifiedName($0, name)] != nil }
            ?? catalog.marks.bareNames.contains(name)
        if isMarked {
            throw refuse(
                "\"\(name)\" has encrypted columns in the configuration and can't be made from a query",
                hint: Refused.tableFromQuery.instead, at: rangeVar)
        }
    }

    // MARK: CREATE TABLE

    func createTable(_ body: Node) throws(Halt) {
        guard let rangeVar = body["relation"] else { throw unknown("CreateStmt", body) }
        let isPlainForm =
            !["inhRelations", "ofTypename", "partbound"].contains { body.has($0) }
            && !body.list("tableElts").contains { $0.tagged.tag == "TableLikeClause" }
        let name = try creationTarget(rangeVar)
        let marks = name.flatMap { catalog.marks.byRelation[$0] } ?? [:]
        guard !marks.isEmpty || isStrict else {
            if isPlainForm { remember(body, name, marks) } else { namesMayHaveChanged = true }
            return
        }
        try only(
            body,
            [
                "relation", "tableElts", "partspec", "options", "oncommit", "tablespacename", "accessMethod", "if_not_exists",
                "constraints", "inhRelations", "partbound",
            ])
        for element in body.list("tableElts") where !["ColumnDef", "Constraint", "TableLikeClause"].contains(element.tagged.tag) {
            throw unknown(element.tagged.tag, element.tagged.body)
        }
        try checkInherited(body, name, marks)
        let relation = remember(body, name, marks)
        try columnsAndConstraints(body.list("tableElts"), relation, marks)
        for part in body["partspec"]?.list("partParams") ?? [] {
            let element = part.tagged.body
            if let column = element.string("name"), relation.column(column)?.encryption != nil {
                throw refuse(
                    "the encrypted column \(relation.name).\(column) can't be a partition key", hint: Refused.partitionKey.instead,
                    at: element)
            }
            if let expression = element["expr"] {
                try self.expression(expression, environment(of: relation)).requirePlain("a partition key", at: element)
            }
        }
    }

    /// The relations whose columns a CREATE TABLE takes over: INHERITS, PARTITION OF, LIKE.
    private func sources(_ body: Node) -> [Node] {
        body.list("inhRelations").map(\.tagged.body)
            + body.list("tableElts").filter { $0.tagged.tag == "TableLikeClause" }.compactMap { $0.tagged.body["relation"] }
    }

    private func inheritedColumns(_ body: Node, but own: [CatalogColumn]) -> [CatalogColumn] {
        var columns: [CatalogColumn] = []
        for source in sources(body) {
            guard case .known(let relation)? = try? self.relation(source) else { continue }
            columns += relation.columns.filter { column in
                !columns.contains { $0.name == column.name } && !own.contains { $0.name == column.name }
            }
        }
        return columns
    }

    /// What is taken over keeps its encryption: it must be the one that the configuration states, if it states one.
    private func checkInherited(_ body: Node, _ name: QualifiedName?, _ marks: [String: ColumnMark]) throws(Halt) {
        var inherited: [CatalogColumn] = []
        for source in sources(body) {
            guard case .known(let relation) = try self.relation(source), relation.isComplete else {
                guard context.catalogIsCurrent else { throw Halt.needsCatalog }
                throw .refuse(.unknownRelation, "relation \"\(source.string("relname") ?? "")\" does not exist", at: source)
            }
            try checkLike(source, body, relation)
            for column in relation.columns {
                if let mark = marks[column.name], mark.type != column.encryption {
                    throw refuse(
                        "column \(mark.relation).\(mark.column), which is taken over from \(relation.name), is configured otherwise there",
                        hint: Refused.inheritedOtherwise.instead, at: source)
                }
                inherited.append(column)
            }
        }
        for element in body.list("tableElts") where element.tagged.tag == "ColumnDef" {
            let own = element.tagged.body.string("colname") ?? ""
            let encryption = marks[own]?.type ?? declaredEncryption(element.tagged.body)
            if let column = inherited.first(where: { $0.name == own }), column.encryption != encryption {
                throw refuse(
                    "column \"\(own)\", which is merged with an inherited one, is encrypted otherwise there",
                    hint: Refused.inheritedOtherwise.instead, at: body["relation"])
            }
        }
    }

    /// LIKE takes over a domain, but not the constraints that stand for it here unless it is told to.
    private func checkLike(_ source: Node, _ body: Node, _ relation: CatalogRelation) throws(Halt) {
        let clause = body.list("tableElts").first {
            $0.tagged.tag == "TableLikeClause" && $0.tagged.body["relation"]?.location == source.location
        }
        // INCLUDING CONSTRAINTS and INCLUDING DEFAULTS (nodes/parsenodes.h).
        let needed = 1 << 2 | 1 << 3
        guard let clause, clause.tagged.body.number("options") & needed != needed else { return }
        for column in relation.columns {
            guard let type = column.encryption, isOfConstrainedDomain(type, label: "\(relation.name).\(column.name)") else { continue }
            throw refuse(
                "LIKE of \(relation.name).\(column.name), which is of a domain", hint: Refused.domainInQuery.instead, at: source)
        }
    }

    /// Whether CREATE TABLE makes a table that the configuration marks.
    func definesMarked(_ body: Node) throws(Halt) -> Bool {
        guard let rangeVar = body["relation"], let name = try creationTarget(rangeVar) else { return false }
        return catalog.marks.byRelation[name] != nil
    }

    /// Makes a new table known to later statements of the same text.
    @discardableResult
    private func remember(_ body: Node, _ name: QualifiedName?, _ marks: [String: ColumnMark]) -> CatalogRelation {
        let bare = body["relation"]?.string("relname") ?? ""
        let columns = body.list("tableElts").filter { $0.tagged.tag == "ColumnDef" }.map { element in
            let definition = element.tagged.body
            let column = definition.string("colname") ?? ""
            return CatalogColumn(
                name: column, typeOID: 0, typmod: -1, encryption: marks[column]?.type ?? declaredEncryption(definition),
                isConfigured: marks[column] != nil, modifier: marks[column]?.modifier ?? -1)
        }
        let relation = CatalogRelation(
            name: name ?? QualifiedName("pg_temp", bare), kind: "r", columns: inheritedColumns(body, but: columns) + columns)
        // IF NOT EXISTS may leave the table that is there: what is known of its encryption stays.
        let isUnqualified = body["relation"]?.has("schemaname") != true
        let there =
            name.flatMap { catalog.relations[$0] }.map { [$0] }
            ?? (catalog.schemasByName[bare] ?? []).compactMap { catalog.relations[QualifiedName($0, bare)] }
        if body.flag("if_not_exists"), there.contains(where: { $0.isComplete && $0.hasMarks }) {
            if hasDropped { namesMayHaveChanged = true }
            return relation
        }
        if let name { created[name] = relation }
        if isUnqualified { createdByBareName[bare] = relation }
        return relation
    }

    /// A column declared with one of the extension's types itself, as pg_dump writes it.
    private func declaredEncryption(_ definition: Node) -> EncryptedType? {
        guard let type = definition["typeName"], let name = type.names("names").last, let server = ServerType(name: name),
            !type.has("arrayBounds")
        else { return nil }
        let typmod = type.list("typmods").first?.tagged.body["ival"]?.number("ival") ?? 0
        guard let key = KeyID(rawValue: typmod > 0 ? UInt32(truncatingIfNeeded: typmod) : 0x7fff_ffff) else { return nil }
        return catalog.marks.type(server.logical, server.scheme, key: key)
    }

    private func environment(of relation: CatalogRelation) -> Environment {
        Environment(columns: ColumnScope(parent: nil, items: [item(relation, alias: nil, schema: relation.name.schema)]), tables: nil)
    }

    private func columnsAndConstraints(_ elements: [Node], _ relation: CatalogRelation, _ marks: [String: ColumnMark]) throws(Halt) {
        let role = constantRole
        constantRole = .stored
        defer { constantRole = role }
        for element in elements {
            let (tag, body) = element.tagged
            switch tag {
            case "ColumnDef": try columnDefinition(body, relation, marks)
            case "TableLikeClause": break
            default: try tableConstraint(body, relation)
            }
        }
    }

    private func columnDefinition(_ body: Node, _ relation: CatalogRelation, _ marks: [String: ColumnMark]) throws(Halt) {
        let name = body.string("colname") ?? ""
        guard let mark = marks[name] else {
            if let found = relation.column(name), found.encryption != nil, !found.isConfigured {
                throw refuse(
                    "column \(relation.name).\(name) is declared with an encrypted type, but the configuration does not mark it",
                    hint: Refused.unmarkedCellType.instead, at: body)
            }
            for constraint in body.list("constraints") {
                let (_, definition) = constraint.tagged
                switch definition.string("contype") ?? "" {
                case "CONSTR_FOREIGN": try foreignKey(definition, own: [name], relation)
                default:
                    if let expression = definition["raw_expr"] { try expressionOfTable(expression, relation, definition) }
                }
            }
            return
        }
        let label = "\(relation.name).\(name)"
        try only(body, ["colname", "typeName", "is_local", "constraints", "collClause", "location", "storage_name", "compression"])
        guard let type = body["typeName"] else { throw unknown("ColumnDef", body) }
        if body.has("collClause") {
            throw refuse(
                "COLLATE on the encrypted column \(label)",
                hint: Refused.collateInDefinition.instead,
                at: body["collClause"])
        }
        if body.has("compression") {
            throw refuse("COMPRESSION on the encrypted column \(label)", hint: Refused.compression.instead, at: body)
        }
        let hasDefault = body.list("constraints").contains { $0.tagged.body.string("contype") == "CONSTR_DEFAULT" }
        try columnType(type, mark, label) { () throws(Halt) in
            try mark.domain.map { (domain) throws(Halt) in
                try constraints(of: domain, relation, name, hasDefault: hasDefault, at: type)
            } ?? []
        }
        for constraint in body.list("constraints") {
            let (tag, definition) = constraint.tagged
            guard tag == "Constraint" else { throw unknown(tag, definition) }
            switch definition.string("contype") ?? "" {
            case "CONSTR_NULL", "CONSTR_NOTNULL", "CONSTR_PRIMARY", "CONSTR_UNIQUE", "CONSTR_ATTR_DEFERRABLE", "CONSTR_ATTR_NOT_DEFERRABLE",
                "CONSTR_ATTR_DEFERRED", "CONSTR_ATTR_IMMEDIATE":
                break
            case "CONSTR_DEFAULT":
                guard let value = definition["raw_expr"] else { throw unknown(tag, definition) }
                try defaultValue(value, mark.type, label, modifier: mark.modifier)
            case "CONSTR_CHECK":
                if let expression = definition["raw_expr"] { try expressionOfTable(expression, relation, definition) }
            case "CONSTR_FOREIGN": try foreignKey(definition, own: [name], relation)
            case "CONSTR_GENERATED", "CONSTR_IDENTITY":
                throw refuse(
                    "the encrypted column \(label) can't be generated by the server, which has no key",
                    hint: Refused.generatedByServer.instead, at: definition)
            default: throw unknown("this constraint on an encrypted column", definition)
            }
        }
    }

    /// DEFAULT of an encrypted column: a constant, which becomes one cell that every row gets (docs/security.md).
    private func defaultValue(_ node: Node, _ type: EncryptedType, _ label: String, modifier: Int32) throws(Halt) {
        let value = try expression(node, Environment())
        guard !value.isPlain else {
            throw refuse(
                "a DEFAULT of the encrypted column \(label) that is not constant: the server, which has no key, would make it",
                hint: Refused.defaultNotConstant.instead, at: node.tagged.body)
        }
        let target = TypeVariable(.encrypted(type, label: label), modifier: modifier)
        target.markStored(modifier: modifier)
        try target.accept(value, operation: "DEFAULT", at: node.tagged.body)
    }

    /// Replaces the declared type by the encrypted one.
    private func columnType(
        _ type: Node, _ mark: ColumnMark, _ label: String, constraints: () throws(Halt) -> [Plan.Part]
    ) throws(Halt) {
        let wanted = mark.type.logical
        let names = type.names("names")
        if let server = ServerType(name: names.last ?? "") {
            let typmod = type.list("typmods").first?.tagged.body["ival"]?.number("ival") ?? 0
            guard server == ServerType(wanted, mark.type.scheme), typmod == Int(mark.type.key.rawValue), !type.has("arrayBounds") else {
                throw refuse(
                    "column \(label) is declared with an encrypted type that is not the configured one (\(mark.type.words))",
                    hint: "declare it as \(wanted.name)", at: type)
            }
            return
        }
        if let name = names.last, ["serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"].contains(name) {
            throw refuse(
                "the encrypted column \(label) can't be \(name): the server would make its values", hint: Refused.generatedByServer.instead,
                at: type)
        }
        guard !type.has("arrayBounds") else {
            throw refuse("the encrypted column \(label) can't be an array", hint: Refused.arrayColumn.instead, at: type)
        }
        if let declared = mark.type.enumeration ?? mark.domain {
            try checkDeclared(type, declared, label)
            guard let start = token(at: type.location), let end = endOfTypeName(start) else { throw unknown("this type name", type) }
            fixedEdits.append(.init(tokens: start...end, parts: [.text(mark.type.declaration)] + (try constraints())))
            return
        }
        if let other = try userType(names) {
            throw refuse(
                "column \(label) is configured as \(wanted.name), but declared with type \(other)",
                hint: Refused.domainNotConfigured.instead, at: type)
        }
        guard LogicalType(typeNames: names) == wanted, !type.flag("setof") else {
            throw refuse(
                "column \(label) is configured as \(wanted.name), but declared with another type",
                hint: "declare it as \(wanted.name), or change the configuration", at: type)
        }
        let configured = DeclaredType(wanted, modifier: mark.modifier)
        guard type.declaredType == configured else {
            throw refuse(
                "the encrypted column \(label) is configured as \(configured), but declared with another length or precision",
                hint: "declare it as \(configured), or change the configuration", at: type)
        }
        guard let start = token(at: type.location), let end = endOfTypeName(start) else { throw unknown("this type name", type) }
        fixedEdits.append(.init(tokens: start...end, text: mark.type.declaration))
    }

    /// CHECK, DEFAULT, GENERATED: an expression over the table's columns, kept by the server.
    private func expressionOfTable(_ node: Node, _ relation: CatalogRelation, _ at: Node) throws(Halt) {
        let value = try expression(node, environment(of: relation))
        if let label = value.secretLabel, at.string("contype") != "CONSTR_CHECK" {
            throw refuse(
                "an expression of the encrypted column \(label) as the value of a plain column", hint: Refused.plainFromEncrypted.instead,
                at: at)
        }
        try value.requirePlain("a CHECK of the bare column", hint: Refused.bareBoolean.instead, at: at)
    }

    private func tableConstraint(_ body: Node, _ relation: CatalogRelation) throws(Halt) {
        switch body.string("contype") ?? "" {
        case "CONSTR_PRIMARY", "CONSTR_UNIQUE": break
        case "CONSTR_CHECK": if let expression = body["raw_expr"] { try expressionOfTable(expression, relation, body) }
        case "CONSTR_FOREIGN": try foreignKey(body, own: body.names("fk_attrs"), relation)
        case "CONSTR_EXCLUSION":
            for exclusion in body.list("exclusions") {
                let element = exclusion.tagged.body.list("items").first?.tagged.body
                try indexElement(element, relation, isBtree: false, at: body)
            }
            if let predicate = body["where_clause"] { try expressionOfTable(predicate, relation, body) }
        default: throw unknown("this table constraint", body)
        }
    }

    /// Both sides of every pair are encrypted alike, or both are plain.
    private func foreignKey(_ body: Node, own: [String], _ relation: CatalogRelation) throws(Halt) {
        let secrets = own.map { relation.column($0)?.encryption }
        guard let table = body["pktable"] else { throw unknown("this foreign key", body) }
        let other: CatalogRelation?
        if case .known(let found) = try self.relation(table) { other = found } else { other = nil }
        let names = body.names("pk_attrs")
        // Without referenced columns it is the primary key, which the catalog does not tell; if that is encrypted and these
        // are not, the server has no operator and says so.
        let others = names.isEmpty ? nil : names.map { other?.column($0)?.encryption }
        guard secrets.contains(where: { $0 != nil }) || others?.contains(where: { $0 != nil }) == true else { return }
        guard let others, others.count == secrets.count, zip(secrets, others).allSatisfy({ $0 == $1 }) else {
            throw refuse(
                "a foreign key of \(relation.name) with an encrypted column, whose two sides are not known to be encrypted alike",
                hint: Refused.foreignKey.instead, at: body)
        }
    }

    // MARK: ALTER TABLE

    private static let harmlessAlterations: Set<String> = [
        "AT_DropColumn", "AT_SetNotNull", "AT_DropNotNull", "AT_DropConstraint", "AT_ValidateConstraint", "AT_ChangeOwner",
        "AT_SetStatistics",
        "AT_SetStorage", "AT_ClusterOn", "AT_DropCluster", "AT_SetTableSpace", "AT_SetRelOptions", "AT_ResetRelOptions", "AT_SetLogged",
        "AT_SetUnLogged",
        "AT_EnableTrig", "AT_DisableTrig", "AT_EnableTrigAll", "AT_DisableTrigAll", "AT_EnableTrigUser", "AT_DisableTrigUser",
        "AT_EnableAlwaysTrig",
        "AT_EnableReplicaTrig", "AT_EnableRowSecurity", "AT_DisableRowSecurity", "AT_ForceRowSecurity", "AT_NoForceRowSecurity",
        "AT_ReplicaIdentity",
        "AT_AlterConstraint", "AT_SetAccessMethod", "AT_AttachPartition", "AT_DetachPartition", "AT_DetachPartitionFinalize",
        "AT_AddInherit", "AT_DropInherit",
    ]

    func alterTable(_ body: Node) throws(Halt) {
        try only(body, ["relation", "cmds", "objtype", "missing_ok"])
        guard let rangeVar = body["relation"] else { throw unknown("AlterTableStmt", body) }
        guard case .known(let found) = try relation(rangeVar) else { throw unknown("ALTER of an unknown relation", rangeVar) }
        let marks = catalog.marks.byRelation[found.name] ?? [:]
        for command in body.list("cmds") {
            let (tag, cmd) = command.tagged
            guard tag == "AlterTableCmd" else { throw unknown(tag, cmd) }
            let kind = cmd.string("subtype") ?? ""
            let column = cmd.string("name").flatMap { found.column($0) }
            if kind == "AT_DropNotNull" || kind == "AT_ColumnDefault", !cmd.has("def"), let column, let domain = marks[column.name]?.domain
            {
                let isDefault = kind == "AT_ColumnDefault"
                let chain = chain(domain)
                if chain.isEmpty || chain.contains(where: { isDefault ? $0.domain.defaultValue != nil : $0.domain.isNotNull }) {
                    throw refuse(
                        "DROP \(isDefault ? "DEFAULT" : "NOT NULL") of \(found.name).\(column.name), which is declared with domain \(domain)",
                        hint: Refused.dropOfDomain.instead, at: rangeVar)
                }
            }
            switch kind {
            case _ where Self.harmlessAlterations.contains(kind): break
            case "AT_AddColumn":
                guard let definition = cmd["def"], definition.tagged.tag == "ColumnDef" else { throw unknown(kind, cmd) }
                try columnsAndConstraints([definition], withColumns(of: body, found, marks), marks)
            case "AT_AddConstraint":
                guard let definition = cmd["def"], definition.tagged.tag == "Constraint" else { throw unknown(kind, cmd) }
                try columnsAndConstraints([definition], withColumns(of: body, found, marks), marks)
            case "AT_ColumnDefault":
                guard let value = cmd["def"] else { break }
                if let column, let type = column.encryption {
                    let role = constantRole
                    constantRole = .stored
                    try defaultValue(value, type, "\(found.name).\(column.name)", modifier: column.modifier)
                    constantRole = role
                    break
                }
                try expression(value, environment(of: found)).requirePlain("a DEFAULT", at: rangeVar)
            case "AT_AlterColumnType":
                guard let definition = cmd["def"]?.tagged.body else { throw unknown(kind, cmd) }
                if column?.encryption != nil {
                    throw refuse(
                        "the type of the encrypted column \(found.name).\(column?.name ?? "") can't be altered",
                        hint: Refused.alterType.instead, at: definition)
                }
                if let using = definition["raw_default"] {
                    try expression(using, environment(of: found)).requirePlain("USING", hint: Refused.usingInAlter.instead, at: definition)
                }
            default:
                throw refuse(
                    "\(kind.dropFirst(3)) is not bound on a table with encrypted columns", hint: Refused.unlisted.instead,
                    at: rangeVar)
            }
        }
    }

    /// The table as its own ALTER's ADD COLUMNs make it.
    private func withColumns(of body: Node, _ relation: CatalogRelation, _ marks: [String: ColumnMark]) -> CatalogRelation {
        var columns = relation.columns
        for command in body.list("cmds") where command.tagged.body.string("subtype") == "AT_AddColumn" {
            guard let definition = command.tagged.body["def"]?.tagged.body, let name = definition.string("colname"),
                !columns.contains(where: { $0.name == name })
            else { continue }
            columns.append(
                .init(
                    name: name, typeOID: 0, typmod: -1, encryption: marks[name]?.type ?? declaredEncryption(definition),
                    isConfigured: marks[name] != nil, modifier: marks[name]?.modifier ?? -1))
        }
        return CatalogRelation(name: relation.name, kind: relation.kind, columns: columns)
    }

    // MARK: CREATE INDEX

    func createIndex(_ body: Node) throws(Halt) {
        try only(
            body,
            [
                "idxname", "relation", "accessMethod", "tableSpace", "indexParams", "indexIncludingParams", "options", "whereClause",
                "unique", "nulls_not_distinct",
                "concurrent", "if_not_exists", "idxcomment", "reset_default_tblspc",
            ])
        guard let rangeVar = body["relation"], case .known(let found) = try relation(rangeVar) else {
            throw unknown("CREATE INDEX on an unknown relation", body)
        }
        let method = body.string("accessMethod") ?? "btree"
        let role = constantRole
        constantRole = .stored
        defer { constantRole = role }
        for element in body.list("indexParams") {
            try indexElement(element.tagged.body, found, isBtree: method == "btree" || method == "hash", at: rangeVar)
        }
        if let predicate = body["whereClause"] { try condition(predicate, environment(of: found)) }
    }

    private func indexElement(_ element: Node?, _ relation: CatalogRelation, isBtree: Bool, at node: Node) throws(Halt) {
        guard let element else { return }
        if let expression = element["expr"] {
            try self.expression(expression, environment(of: relation)).requirePlain(
                "an index expression", hint: Refused.indexExpression.instead, at: node)
            return
        }
        guard let name = element.string("name"), relation.column(name)?.encryption != nil else { return }
        let label = "\(relation.name).\(name)"
        guard isBtree else {
            throw refuse("the encrypted column \(label) can be indexed by btree and hash only", hint: Refused.indexMethod.instead, at: node)
        }
        if !element.has("collation"), !element.has("opclassopts"), dropPatternClass(element.names("opclass"), of: name, relation) { return }
        guard !element.has("opclass"), !element.has("collation") else {
            throw refuse(
                "an operator class or collation on the encrypted column \(label)", hint: Refused.operatorClass.instead, at: node)
        }
    }

    /// `name text_pattern_ops`, which ORMs write for LIKE by prefixes: it orders by code point, which is what the type's own class
    /// does where that is the column's collation.
    private func dropPatternClass(_ names: [String], of column: String, _ relation: CatalogRelation) -> Bool {
        guard names.count == 1, ["text_pattern_ops", "varchar_pattern_ops", "bpchar_pattern_ops"].contains(names[0]),
            let type = relation.column(column)?.encryption, type.logical.isText, type.collation == 0
        else { return false }
        let places = tokens.indices.dropLast().filter { index in
            let word = String(decoding: text[tokens[index].range], as: UTF8.self)
            let isColumn =
                tokens[index].kind == .quotedIdentifier
                ? word == "\"\(column.replacing("\"", with: "\"\""))\"" : word.lowercased() == column
            return isColumn && tokens[index + 1].kind == .word
                && String(decoding: text[tokens[index + 1].range], as: UTF8.self).lowercased() == names[0]
        }
        guard places.count == 1 else { return false }
        fixedEdits.append(.init(tokens: places[0] + 1...places[0] + 1, text: ""))
        return true
    }
}
