internal import CellFormat
internal import ColumnCatalog
internal import Diagnostics

/// Domains and enumerations of the database's users: what their names mean, and what may happen to them while columns are
/// marked with them. What a domain demands is the configuration's to say: a server that said it would choose constants that
/// the proxy encrypts.
extension Analyzer {
    /// The domain or enumeration that a type's name means; nil if it is none that is known.
    func userType(_ names: [String]) throws(Halt) -> TypeName? {
        guard let name = names.last, LogicalType(typeNames: names) == nil, let found = catalog.userTypesByName[name] else { return nil }
        if names.count == 2 { return found.first { $0.schema == names[0] } }
        guard names.count == 1 else { return nil }
        guard let path = context.searchPath else { throw Halt.needsSearchPath }
        return path.lazy.compactMap { schema in found.first { $0.schema == schema } }.first
    }

    func domain(_ name: TypeName) -> UserType.Domain? {
        if case .domain(let domain)? = catalog.marks.userTypes[name] { domain } else { nil }
    }

    /// The domain itself first, then those below it.
    func chain(_ name: TypeName) -> [(name: TypeName, domain: UserType.Domain)] {
        var chain: [(TypeName, UserType.Domain)] = []
        var next: TypeName? = name
        while let name = next, let domain = domain(name), chain.count < 32 {
            chain.append((name, domain))
            next = domain.parent
        }
        return chain
    }

    /// Whether `$1::name` is read as the base type without a difference.
    func isUnconstrained(_ name: TypeName) -> Bool {
        let chain = chain(name)
        return !chain.isEmpty && chain[0].domain.base.modifier < 0 && chain.allSatisfy { !$0.domain.isNotNull && $0.domain.checks.isEmpty }
    }

    /// Whether what comes from a column may be of a domain with constraints. A view's column is known by its key and type only.
    func isOfConstrainedDomain(_ type: EncryptedType, label: String) -> Bool {
        func hasConstraints(_ mark: ColumnMark) -> Bool {
            mark.domain.map { name in
                let chain = chain(name)
                return chain.isEmpty || chain.contains { $0.domain.isNotNull || !$0.domain.checks.isEmpty || $0.domain.defaultValue != nil }
            } ?? false
        }
        if let mark = catalog.marks.marks.first(where: { "\($0.relation).\($0.column)" == label }) { return hasConstraints(mark) }
        return catalog.marks.marks.contains { $0.type == type && hasConstraints($0) }
    }

    // MARK: Column definitions

    /// Checks a marked column's declared type, which is a domain or an enumeration.
    func checkDeclared(_ type: Node, _ declared: TypeName, _ label: String) throws(Halt) {
        func refuse(_ what: String, _ hint: String) -> Halt { .refuse(.definitionRefused, what, hint: hint, at: type) }
        guard try userType(type.names("names")) == declared, !type.has("arrayBounds"), !type.has("typmods"), !type.flag("setof") else {
            throw refuse(
                "column \(label) is configured as \(declared), but declared with another type",
                "declare it as \(declared), or change the configuration")
        }
        for (name, told) in chain(declared) {
            let server = try serverType(name, at: type)
            guard case .domain(let isNotNull, let checks, let hasDefault) = server.kind, isNotNull == told.isNotNull,
                checks == told.checks.count, hasDefault == (told.defaultValue != nil)
            else {
                throw refuse(
                    "domain \(name), with which \(label) is declared, has other constraints in the database than in the configuration",
                    Refused.domainOtherwise.instead)
            }
        }
        guard chain(declared).isEmpty else { return }
        guard case .enumeration = try serverType(declared, at: type).kind else {
            throw refuse(
                domain(declared) == nil && catalog.marks.userTypes[declared] != .enumeration
                    ? "domain \(declared), with which \(label) is declared, is not in the configuration"
                    : "type \(declared), with which \(label) is declared, is no enum in the database",
                Refused.domainNotConfigured.instead)
        }
    }

    private func serverType(_ name: TypeName, at node: Node) throws(Halt) -> ServerUserType {
        if let known = createdTypes[name] ?? catalog.userTypes[name] { return known }
        guard context.catalogIsCurrent else { throw Halt.needsCatalog }
        throw .refuse(
            .unknownType, "type \"\(name)\" does not exist", hint: hasSeveralStatements ? Refused.severalStatements.instead : "", at: node)
    }

    /// What stands behind the type of a column that is declared with a domain: the domain's constraints, over the column.
    func constraints(
        of declared: TypeName, _ relation: CatalogRelation, _ column: String, hasDefault: Bool, at node: Node
    ) throws(Halt) -> [Plan.Part] {
        let chain = chain(declared)
        let table = "\(Self.quoted(relation.name.schema)).\(Self.quoted(relation.name.name))"
        var parts: [Plan.Part] = []
        if chain.contains(where: \.domain.isNotNull) { parts.append(.text(" NOT NULL")) }
        if !hasDefault, let (name, domain) = chain.first(where: { $0.domain.defaultValue != nil }), let value = domain.defaultValue {
            let statement = "ALTER TABLE \(table) ALTER COLUMN \(Self.quoted(column)) SET DEFAULT "
            parts.append(.text(" DEFAULT "))
            parts += try bound(value, before: statement, after: "", relation, what: "the default of domain \(name)", at: node)
        }
        for (name, domain) in chain.reversed() {
            for check in domain.checks {
                parts.append(.text(" CHECK ("))
                parts += try bound(
                    Self.replacingValue(in: check, by: Self.quoted(column)), before: "ALTER TABLE \(table) ADD CHECK (", after: ")",
                    relation,
                    what: "a constraint of domain \(name)", at: node)
                parts.append(.text(")"))
            }
        }
        return parts
    }

    /// An expression of the configuration's, with its constants for encrypted columns as slots.
    private func bound(
        _ expression: String, before: String, after: String, _ relation: CatalogRelation, what: String, at node: Node
    ) throws(Halt) -> [Plan.Part] {
        let text = Array((before + expression + after).utf8)
        let inner = BindContext(catalog: catalog, searchPath: context.searchPath, catalogIsCurrent: context.catalogIsCurrent)
        let statement: BoundStatement
        switch Binder(planCacheCapacity: 1).bind(text, context: inner, log: nil, prepare: { $0.created = [relation.name: relation] }) {
        case .passThrough: return [.text(expression)]
        case .needsCatalog: throw Halt.needsCatalog
        case .needsSearchPath: throw Halt.needsSearchPath
        case .refused(let error, _):
            throw .refuse(
                error.code, "\(what), with which a column of \(relation.name) is declared: \(error.message)",
                hint: error.hint.isEmpty ? Refused.domainConstraint.instead : error.hint, at: node)
        case .administer: throw unknown("this constraint", node)
        case .bound(let bound): statement = bound
        }
        let own = before.utf8.count..<text.count - after.utf8.count
        plan.isCacheable = false
        return statement.pieces.compactMap { piece in
            switch piece {
            case .verbatim(let range):
                let kept = range.clamped(to: own)
                return kept.isEmpty ? nil : .text(String(decoding: text[kept], as: UTF8.self))
            case .text(let text): return .text(text)
            case .cell(let slot): return .slot(slot)
            }
        }
    }

    /// VALUE, as domains name what they check.
    static func replacingValue(in expression: String, by column: String) -> String {
        let text = Array(expression.utf8)
        guard let tokens = try? Lexer.tokens(of: text, standardConformingStrings: true) else { return expression }
        var result: [UInt8] = []
        var at = 0
        for (index, token) in tokens.enumerated() {
            let isValue =
                token.kind == .word && text.matches("value", in: token.range)
                || token.kind == .quotedIdentifier && text[token.range].elementsEqual("\"value\"".utf8)
            let isPart = index > 0 && text[tokens[index - 1].range].elementsEqual(".".utf8)
            guard isValue, !isPart else { continue }
            result += text[at..<token.start] + Array(column.utf8)
            at = token.end
        }
        return String(decoding: result + text[at...], as: UTF8.self)
    }

    static func quoted(_ name: String) -> String { "\"\(name.replacing("\"", with: "\"\""))\"" }

    // MARK: Statements about types

    /// ALTER and DROP of a type that marked columns are declared with: these no longer depend on it in the server.
    func typeStatement(_ tag: String, _ body: Node) throws(Halt) {
        switch tag {
        case "DropStmt":
            guard ["OBJECT_TYPE", "OBJECT_DOMAIN"].contains(body.string("removeType") ?? "") else { return }
            for object in body.list("objects") { try refuseIfUsed(object.tagged.body.names("names"), Refused.dropUsedType) }
        case "AlterEnumStmt":
            if body.has("oldVal") { try refuseIfUsed(body.names("typeName"), Refused.renameLabel) }
        case "AlterDomainStmt": try refuseIfUsed(body.names("typeName"), Refused.alterUsedType)
        case "RenameStmt":
            guard ["OBJECT_TYPE", "OBJECT_DOMAIN"].contains(body.string("renameType") ?? "") else { return }
            try refuseIfUsed(body["object"]?["List"]?.names("items") ?? [], Refused.alterUsedType)
        case "AlterObjectSchemaStmt":
            guard ["OBJECT_TYPE", "OBJECT_DOMAIN"].contains(body.string("objectType") ?? "") else { return }
            try refuseIfUsed(body["object"]?["List"]?.names("items") ?? [], Refused.alterUsedType)
        case "CreateDomainStmt": try createDomain(body)
        case "CreateEnumStmt":
            guard let (name, type) = try namedByConfiguration(body.names("typeName")) else { return }
            guard type == .enumeration else { throw differs(name, "is a domain in the configuration") }
            createdTypes[name] = ServerUserType(oid: 0, arrayOID: 0, kind: .enumeration(labels: []))
        default: break
        }
    }

    private func refuseIfUsed(_ names: [String], _ refused: Refused) throws(Halt) {
        guard let name = try userType(names) else { return }
        let marks = catalog.marks.marks.filter { mark in
            mark.type.enumeration == name
                || mark.domain.map { domain in domain == name || chain(domain).contains { $0.name == name } } == true
        }
        guard !marks.isEmpty else { return }
        guard context.catalogIsCurrent else { throw Halt.needsCatalog }
        // A mark may outlive its column.
        guard let used = marks.first(where: { (catalog.relations[$0.relation]?.column($0.column)?.typeOID ?? 0) != 0 }) else { return }
        throw .refused(
            CloisterError(
                .definitionRefused, "type \(name) is used by the encrypted column \(used.relation).\(used.column)", hint: refused.instead),
            at: nil)
    }

    /// CREATE DOMAIN of one that the configuration has must state the same.
    private func createDomain(_ body: Node) throws(Halt) {
        let names = body.names("domainname")
        guard let (name, type) = try namedByConfiguration(names) else { return }
        guard case .domain(let domain) = type else { throw differs(name, "is an enum in the configuration") }
        let told = (name: name, domain: domain)
        var definition =
            "CREATE DOMAIN d AS \(told.domain.parent.map { "\(Self.quoted($0.schema)).\(Self.quoted($0.name))" } ?? "\(told.domain.base)")"
        if let value = told.domain.defaultValue { definition += " DEFAULT \(value)" }
        if told.domain.isNotNull { definition += " NOT NULL" }
        for check in told.domain.checks { definition += " CHECK (\(check))" }
        guard case .tree(let json) = PGQuery.parse(Array(definition.utf8)), let tree = ParseTree(json: json),
            let own = tree.root.list("stmts").first?["stmt"]?.tagged.body, let stated = body["typeName"], let wanted = own["typeName"]
        else {
            throw .refused(
                CloisterError(.definitionRefused, "domain \(told.name) does not parse as the configuration has it"), at: nil)
        }
        let isSameType =
            told.domain.parent != nil
            ? try userType(stated.names("names")) == told.domain.parent && !stated.has("arrayBounds")
            : stated.declaredType != nil && stated.declaredType == wanted.declaredType
        guard isSameType, !body.has("collClause"), Self.constraints(body) == Self.constraints(own) else {
            throw differs(name, "is defined otherwise in the configuration")
        }
        createdTypes[name] = ServerUserType(
            oid: 0, arrayOID: 0,
            kind: .domain(isNotNull: domain.isNotNull, checks: domain.checks.count, hasDefault: domain.defaultValue != nil))
    }

    private func differs(_ name: TypeName, _ how: String) -> Halt {
        .refused(CloisterError(.definitionRefused, "type \(name) \(how)", hint: Refused.domainOtherwise.instead), at: nil)
    }

    private func namedByConfiguration(_ names: [String]) throws(Halt) -> (TypeName, UserType)? {
        guard let bare = names.last else { return nil }
        let known = catalog.marks.userTypes.keys.filter { $0.name == bare }
        guard !known.isEmpty else { return nil }
        var schema = names.count == 2 ? names[0] : nil
        if schema == nil {
            guard let path = context.searchPath else { throw Halt.needsSearchPath }
            schema = path.first { $0 != "pg_catalog" && !$0.hasPrefix("pg_temp_") }
        }
        guard let name = known.first(where: { $0.schema == schema }), let type = catalog.marks.userTypes[name] else { return nil }
        return (name, type)
    }

    /// The constraints of a CREATE DOMAIN in an order of their own, without places and names.
    private static func constraints(_ body: Node) -> [String] {
        body.list("constraints").map(\.tagged.body).filter { $0.string("contype") != "CONSTR_NULL" }
            .map { ($0.string("contype") ?? "") + " " + ($0["raw_expr"]?.fingerprint ?? "") }.sorted()
    }
}

extension Node {
    /// What it says, without places.
    fileprivate var fingerprint: String {
        var text = ""
        walk { node in
            if node.key == "location" || node.key == "stmt_location" || node.key == "stmt_len" { return false }
            let value = node.string.map { "\"\($0)\"" } ?? node.number.map(String.init) ?? (node.isTrue ? "true" : "")
            text += "\(node.key):\(value)(\(node.children.count));"
            return true
        }
        return text
    }
}
