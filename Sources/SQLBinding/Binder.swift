internal import ColumnCatalog
internal import Diagnostics
internal import Synchronization

/// Binds statements; holds the plan cache. One per process, shared by all sessions.
package final class Binder: Sendable {
    private let cache: PlanCache
    private let showsLogicalTypes: Bool

    /// `planCacheCapacity`: how many templates are remembered. `showsLogicalTypes`: queries of the server's own catalog see
    /// encrypted columns as their logical types.
    package init(planCacheCapacity: Int = 4096, showsLogicalTypes: Bool = true) {
        cache = PlanCache(capacity: planCacheCapacity)
        self.showsLogicalTypes = showsLogicalTypes
    }

    package func bind(_ sql: [UInt8], context: BindContext) -> BindOutcome { bind(sql, context: context, log: nil) }

    /// `log`: told of the operations over encrypted columns; no plan is taken from the cache then.
    /// `prepare`: sets up the analysis of a text that is no statement of a client's; nothing is cached then.
    func bind(
        _ sql: [UInt8], context: BindContext, log: OperationLog?, prepare: ((Analyzer) -> Void)? = nil
    ) -> BindOutcome {
        do {
            return try outcome(sql, context, log, prepare)
        } catch {
            switch error {
            case .refused(let reason, let offset): return .refused(reason, statementOffset: offset)
            case .needsCatalog: return .needsCatalog
            case .needsSearchPath: return .needsSearchPath
            case .administer(let command): return .administer(command)
            }
        }
    }

    private func outcome(_ sql: [UInt8], _ context: BindContext, _ log: OperationLog?, _ prepare: ((Analyzer) -> Void)?)
        throws(Halt) -> BindOutcome
    {
        try checkEncoding(sql)
        let tokens: [Token]
        do {
            tokens = try Lexer.tokens(of: sql, standardConformingStrings: context.standardConformingStrings)
        } catch {
            return try notParsed(sql, context, error.what, at: error.offset)
        }
        if tokens.isEmpty { return .passThrough(StatementEffects()) }
        let key = TemplateKey(tokens: tokens, text: sql, context: context)
        if log == nil, prepare == nil, let plan = cache.plan(key, tokens, sql),
            let outcome = plan.outcome(tokens: tokens, text: sql, standardConformingStrings: context.standardConformingStrings)
        {
            return outcome
        }
        guard NestingEstimate.depth(of: tokens, in: sql) <= NestingEstimate.limit else {
            throw .refused(CloisterError(.textRefused, "the statement is nested too deeply to be parsed", hint: "split it"), at: nil)
        }
        if let command = try KeyStatements.command(sql, tokens, standardConformingStrings: context.standardConformingStrings) {
            return .administer(command)
        }
        let clauses = try EncryptedWith.all(sql, tokens, standardConformingStrings: context.standardConformingStrings)
        var (parsed, isMasked) = masked(sql, tokens, context)
        for clause in clauses {
            for byte in tokens[clause.tokens.lowerBound].start..<tokens[clause.tokens.upperBound].end { parsed[byte] = UInt8(ascii: " ") }
        }
        let tree: ParseTree
        switch PGQuery.parse(parsed) {
        case .failure(let message, let position):
            if let clause = clauses.first {
                // Later statements of the text may hold values for the columns that it would have marked.
                throw .refused(
                    CloisterError(.syntaxError, "a statement with ENCRYPTED WITH does not parse"),
                    at: tokens[clause.tokens.lowerBound].start)
            }
            return try notParsed(sql, context, message, at: position > 0 ? Self.byteOffset(ofCharacter: position - 1, in: sql) : nil)
        case .tree(let json):
            guard let read = ParseTree(json: json) else {
                throw .refused(CloisterError(.textRefused, "the parser's answer could not be read"), at: nil)
            }
            tree = read
        }
        let analyzer = Analyzer(text: sql, tokens: tokens, context: context)
        analyzer.hasMaskedStrings = isMasked
        analyzer.log = log
        // Not in what is stored: a function's body keeps its own words.
        analyzer.showsLogicalTypes = showsLogicalTypes && prepare == nil
        prepare?(analyzer)
        analyzer.clauses = clauses
        try analyzer.statements(tree.root)
        guard let outcome = analyzer.plan.outcome(tokens: tokens, text: sql, standardConformingStrings: context.standardConformingStrings)
        else {
            throw .refused(CloisterError(.syntaxError, "a string constant is malformed"), at: nil)
        }
        if analyzer.plan.isCacheable, prepare == nil { cache.remember(analyzer.plan, key) }
        return outcome
    }

    // MARK: Text

    private func checkEncoding(_ sql: [UInt8]) throws(Halt) {
        guard !sql.contains(0) else { throw .refused(CloisterError(.textRefused, "the statement holds a zero byte"), at: nil) }
        guard sql.contains(where: { $0 >= 0x80 }) else { return }
        guard String(validating: sql, as: UTF8.self) != nil else {
            throw .refused(CloisterError(.textRefused, "the statement is not in UTF-8", hint: "set client_encoding to UTF8"), at: nil)
        }
    }

    /// The text as libpg_query gets it, every byte at its place:
    /// - comments are blanks (libpg_query makes tokens of them, which breaks constants continued after a comment);
    /// - it always reads with standard_conforming_strings on: with it off, a plain constant that has a backslash gets
    ///   other content, and its value is taken from our own lexer. The second result says whether that happened.
    private func masked(_ sql: [UInt8], _ tokens: [Token], _ context: BindContext) -> ([UInt8], Bool) {
        var text = sql
        var isMasked = false
        func blank(_ range: Range<Int>) { for i in range where text[i] != 10 && text[i] != 13 { text[i] = UInt8(ascii: " ") } }
        var at = 0
        for token in tokens {
            blank(at..<token.start)
            at = token.end
            guard token.kind.isString, token.kind != .dollarString else { continue }
            if !context.standardConformingStrings, token.kind == .string, sql[token.range].contains(UInt8(ascii: "\\")) {
                for i in token.start + 1..<token.end - 1 { text[i] = UInt8(ascii: "x") }
                isMasked = true
                continue
            }
            var i = token.start + (token.kind == .string ? 1 : token.kind == .escapeString ? 2 : 3)
            while i < token.end {
                if token.kind == .escapeString, sql[i] == UInt8(ascii: "\\") {
                    i += 2
                } else if sql[i] == UInt8(ascii: "'"), i + 1 < token.end, sql[i + 1] == sql[i] {
                    i += 2
                } else if sql[i] == UInt8(ascii: "'"), let more = Lexer.continuation(in: sql, from: i + 1), more <= token.end {
                    blank(i + 1..<more - 1)
                    i = more
                } else {
                    i += 1
                }
            }
        }
        blank(at..<sql.count)
        return (text, isMasked)
    }

    /// A text that does not parse: the server says why, unless it may hold a value for a marked column.
    private func notParsed(_ sql: [UInt8], _ context: BindContext, _ message: String, at offset: Int?) throws(Halt) -> BindOutcome {
        guard context.catalog.isMentioned(in: sql, columns: true) else { return .passThrough(StatementEffects()) }
        // PostgreSQL's messages quote the text after `at or near`; ours do not.
        var words = message
        if let quote = words.firstIndex(of: "\"") { words = String(words[..<quote]) }
        for tail in [" at or near ", " near "] where words.hasSuffix(tail) { words = String(words.dropLast(tail.count)) }
        if words.contains("'") || words.isEmpty { words = "syntax error" }
        if message == Lexer.unsafeUnicode { throw .refused(CloisterError(.operationRefused, message), at: offset) }
        throw .refused(
            CloisterError(.syntaxError, words, hint: "the statement names an encrypted column's table, so it was not sent to the server"),
            at: offset)
    }

    private static func byteOffset(ofCharacter index: Int, in text: [UInt8]) -> Int {
        var characters = 0
        for (offset, byte) in text.enumerated() where byte & 0xc0 != 0x80 {
            if characters == index { return offset }
            characters += 1
        }
        return text.count
    }
}

/// Plans by template. A template can have several plans, which differ in their pinned literals.
private final class PlanCache: Sendable {
    private struct Entry {
        var plans: [Plan]
        var used: UInt64
    }
    private struct Table {
        var entries: [TemplateKey: Entry] = [:]
        var clock: UInt64 = 0
        var bytes = 0
    }
    private let capacity: Int
    /// Templates above this size are not worth their memory.
    private static let maxTemplateBytes = 64 * 1024
    private static let maxPlansPerTemplate = 8
    private let table = Mutex(Table())

    init(capacity: Int) { self.capacity = max(1, capacity) }

    func plan(_ key: TemplateKey, _ tokens: [Token], _ text: [UInt8]) -> Plan? {
        guard key.template.count <= Self.maxTemplateBytes else { return nil }
        return table.withLock { table in
            guard let index = table.entries.index(forKey: key) else { return nil }
            table.clock += 1
            table.entries.values[index].used = table.clock
            return table.entries.values[index].plans.first { $0.accepts(tokens, text) }
        }
    }

    func remember(_ plan: Plan, _ key: TemplateKey) {
        guard key.template.count <= Self.maxTemplateBytes else { return }
        table.withLock { table in
            table.clock += 1
            var entry = table.entries[key] ?? Entry(plans: [], used: 0)
            entry.used = table.clock
            if entry.plans.count >= Self.maxPlansPerTemplate { entry.plans.removeFirst() }
            entry.plans.append(plan)
            table.entries[key] = entry
            guard table.entries.count > capacity else { return }
            // Drop the older half: rarely, and without a list to keep in order on every hit.
            let middle = table.entries.values.map(\.used).sorted()[table.entries.count / 2]
            table.entries = table.entries.filter { $0.value.used > middle }
        }
    }
}
