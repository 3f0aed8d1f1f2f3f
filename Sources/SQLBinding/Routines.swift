internal import CellFormat
internal import ColumnCatalog
internal import Diagnostics

/// Functions and procedures written in SQL: the constants in their bodies become stored cells, as those of views.
/// Their arguments are the server's: they can't meet an encrypted column. Bodies in other languages can't be read.
extension Analyzer {
    /// `AS '…'` of a routine in SQL; nil if it has none, or another language.
    private func bodyToken(_ body: Node) -> Int? {
        var language = ""
        var text: Node?
        for option in body.list("options") {
            let element = option.tagged.body
            switch element.string("defname") ?? "" {
            case "language": language = element["arg"]?["String"]?.string("sval") ?? ""
            case "as": text = element["arg"]?["List"]?.list("items").first
            default: break
            }
        }
        guard language.lowercased() == "sql", text != nil else { return nil }
        // The body's constant has no place in the tree: it is the string behind AS.
        return tokens.indices.last { tokens[$0].kind.isString && isWord($0 - 1, "as") }
    }

    /// Binds the body of a routine in SQL. False if it is in another language, whose text is looked at as a whole.
    func bindBody(_ body: Node) throws(Halt) -> Bool {
        guard let index = bodyToken(body), !hasSeveralStatements,
            let source = LiteralDecoding.value(of: tokens[index], in: text, standardConformingStrings: context.standardConformingStrings)
        else { return false }
        guard catalog.isMentioned(in: source, columns: false) else { return true }
        let at = tokens[index].start
        func refuse(_ error: CloisterError) -> Halt {
            .refused(CloisterError(error.code, "in the function's body: \(error.message)", hint: error.hint), at: at)
        }
        let inner = BindContext(
            catalog: catalog, searchPath: context.searchPath, standardConformingStrings: context.standardConformingStrings,
            isExtendedProtocol: false, catalogIsCurrent: context.catalogIsCurrent)
        let bound: BoundStatement
        switch Binder.bindBody(source, context: inner, arguments: argumentNames(body)) {
        case .passThrough: return true
        case .needsCatalog: throw Halt.needsCatalog
        case .needsSearchPath: throw Halt.needsSearchPath
        case .refused(let error, _): throw refuse(error)
        case .administer: throw refuse(CloisterError(.keyStatementRefused, "statements about keys and encrypted columns come from clients"))
        case .bound(let statement): bound = statement
        }
        var quote = "$cloister$"
        while source.contains(subsequence: Array(quote.utf8)) { quote = quote.dropLast() + "_$" }
        var parts: [Plan.Part] = [.text(quote)]
        for piece in bound.pieces {
            switch piece {
            case .verbatim(let range): parts.append(.text(String(decoding: source[range], as: UTF8.self)))
            case .text(let text): parts.append(.text(text))
            case .cell(let slot): parts.append(.slot(slot))
            }
        }
        plan.isCacheable = false
        fixedEdits.append(.init(tokens: index...index, parts: parts + [.text(quote)]))
        return true
    }

    /// `BEGIN ATOMIC … END` and `RETURN …`.
    func sqlBody(_ body: Node) throws(Halt) {
        try only(body, ["is_procedure", "replace", "funcname", "parameters", "returnType", "options", "sql_body"])
        guard let content = body["sql_body"] else { throw unknown("CREATE FUNCTION or PROCEDURE", body) }
        let role = constantRole
        constantRole = .stored
        defer { constantRole = role }
        let names = argumentNames(body)
        let item = NamespaceItem(name: "", columns: names.map { OutputColumn(name: $0, variable: plain) }, isRelationVisible: false)
        let environment = Environment(columns: ColumnScope(parent: nil, items: [item]))
        isFunctionBody = true
        defer { isFunctionBody = false }
        for parameter in body.list("parameters") {
            try only(parameter.tagged.body, ["name", "argType", "mode", "defexpr", "location"])
            if let value = parameter.tagged.body["defexpr"] { try expression(value, environment).requirePlain("a default", at: body) }
        }
        var pending = [content]
        while let node = pending.popLast() {
            let (tag, inner) = node.tagged
            switch tag {
            case "List": pending += inner.list("items").reversed()
            case "ReturnStmt": if let value = inner["returnval"] { _ = try expression(value, environment) }
            case "": break
            default: _ = try query(node, environment)
            }
        }
    }

    private func argumentNames(_ body: Node) -> [String] {
        body.list("parameters").compactMap { $0.tagged.body.string("name") }.filter { !$0.isEmpty }
    }
}

extension Binder {
    /// Binds the statements of a routine's body: constants are stored, parameters are the routine's own plain ones.
    static func bindBody(_ sql: [UInt8], context: BindContext, arguments: [String]) -> BindOutcome {
        Binder(planCacheCapacity: 1).bind(sql, context: context, log: nil) { analyzer in
            analyzer.constantRole = .stored
            analyzer.isFunctionBody = true
            analyzer.bodyArguments = arguments
        }
    }
}

extension [UInt8] {
    fileprivate func contains(subsequence: [UInt8]) -> Bool {
        guard count >= subsequence.count else { return false }
        return (0...count - subsequence.count).contains { self[$0..<$0 + subsequence.count].elementsEqual(subsequence) }
    }
}
