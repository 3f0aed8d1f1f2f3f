internal import CellFormat
internal import ColumnCatalog
internal import Diagnostics

/// What the RangeVars of a statement came to.
private struct Touch {
    var isMarked = false
    /// A query names a relation that the catalog does not have.
    var unknownInQuery = false
}

extension Analyzer {
    /// All statements of the text, in order.
    func statements(_ root: Node) throws(Halt) {
        let list = root.list("stmts")
        hasSeveralStatements = list.count > 1
        for raw in list {
            guard let statement = raw["stmt"] else { throw unknown("RawStmt", raw) }
            let (tag, body) = statement.tagged
            var effect = StatementEffects.Statement()
            try encryptedColumns(tag, body)
            try analyse(tag, body, statement, &effect)
            try showLogicalTypes(tag, body)
            if try executesBound(tag, body, at: raw.number("stmt_location")) { isStrict = true }
            plan.effects.statements.append(effect)
        }
        if list.contains(where: { !Self.isQuery($0["stmt"]?.tagged.tag ?? "") }) {
            // Utility statements may depend on the value of any literal in them.
            if tokens.contains(where: { $0.kind.isLiteral }) { plan.isCacheable = false }
        }
        // Which of several COPYs the data are for is not told by them.
        if plan.copyIn != nil || plan.copyOut != nil,
            plan.effects.statements.count(where: { !$0.flags.isDisjoint(with: [.copyIn, .copyOut]) }) > 1
        {
            throw .refuse(
                .statementRefused, "several COPYs in one text, one of them of encrypted columns",
                hint: Refused.severalStatements.instead)
        }
        try refuseStrayClauses()
        try finish()
    }

    /// EXECUTE (also explained) of a statement that this session prepared: its values are bound to the parameters it has.
    private func executesBound(_ tag: String, _ body: Node, at location: Int) throws(Halt) -> Bool {
        var (tag, body) = (tag, body)
        if tag == "ExplainStmt", let inner = body["query"] { (tag, body) = inner.tagged }
        if tag == "CreateTableAsStmt", let inner = body["query"], inner.tagged.tag == "ExecuteStmt" { (tag, body) = inner.tagged }
        guard tag == "ExecuteStmt" else { return false }
        plan.isCacheable = false
        guard let parameters = body.string("name").flatMap({ context.prepared[$0] }), parameters.contains(where: { $0.use != .plain })
        else { return false }
        try execute(body, parameters, from: tokens.firstIndex { $0.start >= location } ?? 0)
        return true
    }

    private static func isQuery(_ tag: String) -> Bool {
        switch tag {
        case "SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt": true
        default: false
        }
    }

    private func analyse(_ tag: String, _ body: Node, _ node: Node, _ effect: inout StatementEffects.Statement) throws(Halt) {
        isStrict = false
        effects(tag, body, &effect)
        try checkBodies(tag, node)
        if tag == "CreateStmt" {
            isStrict = try touch(node).isMarked
            try refuseCellTypes(tag, node, definesMarked: try definesMarked(body))
            if isStrict { try refuseAfterRenames(node) }
            try createTable(body)
            return
        }
        let touch = try touch(node)
        try refuseCellTypes(tag, node, definesMarked: touch.isMarked)
        guard touch.isMarked else {
            if touch.unknownInQuery, !context.catalogIsCurrent { throw Halt.needsCatalog }
            if touch.unknownInQuery || Self.isQuery(tag), madeMarkedRelation { try refuseAfterRenames(node) }
            try untouched(tag, body)
            noteNameChanges(tag, body, effect)
            return
        }
        try refuseAfterRenames(node)
        isStrict = true
        try bind(tag, body, node, &effect)
        noteNameChanges(tag, body, effect)
    }

    func refuseAfterRenames(_ node: Node) throws(Halt) {
        guard namesMayHaveChanged || madeMarkedRelation else { return }  // also from `relation`: a stale search path
        throw .refuse(
            .statementRefused, "an earlier statement of the same text may have changed what the names or values in this one mean",
            hint: Refused.severalStatements.instead, at: node.tagged.body["relation"])
    }

    /// What values' texts mean and look like: a statement is bound, and its rows are shown, by what the session had before the text.
    private static let valueSettings: Set = [
        "datestyle", "intervalstyle", "timezone", "bytea_output", "extra_float_digits", "client_encoding",
    ]

    private func noteNameChanges(_ tag: String, _ body: Node, _ effect: StatementEffects.Statement) {
        if tag == "DropStmt" { hasDropped = true }
        switch tag {
        case "VariableSetStmt" where Self.valueSettings.contains(body.string("name")?.lowercased() ?? ""): namesMayHaveChanged = true
        case "IndexStmt", "DropStmt", "TruncateStmt", "CommentStmt", "GrantStmt", "VacuumStmt", "CreateSeqStmt", "AlterSeqStmt",
            "CreateExtensionStmt",
            "CreateEnumStmt", "CreateDomainStmt", "AlterEnumStmt", "CreateSchemaStmt", "AlterTableStmt", "DropRoleStmt", "CreateRoleStmt",
            "AlterRoleStmt":
            // None of these gives a marked relation another name, or a name another marked relation. Columns that ALTER
            // TABLE adds to a marked relation are unknown to later statements of the text, which are refused for that.
            break
        default:
            if !effect.flags.isDisjoint(with: [.ddl, .mayChangeSearchPath]) { namesMayHaveChanged = true }
        }
    }

    // MARK: What a statement touches

    /// Resolves every relation name in the tree. CTE names are left out unless they are a marked table's.
    private func touch(_ statement: Node) throws(Halt) -> Touch {
        var touch = Touch()
        var found: [(node: Node, inQuery: Bool)] = []
        var tables: Set<String> = []
        // Iterative walk with one bit of context: whether we are inside a query.
        var pending: [(Node, Bool)] = [(statement, false)]
        while let (node, inQuery) = pending.popLast() {
            if node.key == "lockedRels" { continue }
            if node.has("relname") { found.append((node, inQuery)) }
            if let name = node.string("ctename") { tables.insert(name) }
            let isQuery = inQuery || Self.isQuery(node.key) || node.key == "CopyStmt"
            for child in node.children.reversed() { pending.append((child, isQuery)) }
        }
        for (node, inQuery) in found {
            let name = node.string("relname") ?? ""
            let isTable = !node.has("schemaname") && tables.contains(name)
            if isTable, !catalog.markedNames.contains(name) { continue }
            if isTable {
                touch.isMarked = true
                continue
            }
            switch try relation(node) {
            case .known(let relation): if relation.hasMarks { touch.isMarked = true }
            case .system: break
            case .unknown: if inQuery { touch.unknownInQuery = true }
            }
        }
        return touch
    }

    // MARK: Bodies

    /// Text that the server will run as SQL must not mention a marked table: we can't bind it.
    private func checkBodies(_ tag: String, _ node: Node) throws(Halt) {
        switch tag {
        case "DoStmt": try refuseMentions("DO")
        case "CreateFunctionStmt":
            if try !bindBody(node.tagged.body) { try refuseMentions("CREATE FUNCTION or PROCEDURE") }
        default:
            var runsText: String?
            var cellFunction: (name: String, node: Node)?
            node.walk { child in
                guard let name = child.names("funcname").last else { return true }
                if Self.runsTextOrSettings.contains(name) { runsText = name }
                if catalog.cellFunctions.contains(name), tag != "CreateTrigStmt" { cellFunction = (name, child) }
                return true
            }
            if let (name, call) = cellFunction {
                throw .refuse(
                    .operationRefused, "a function named \(name) takes or returns encrypted values",
                    hint: Refused.cellFunction.instead, at: call)
            }
            if let runsText {
                plan.isCacheable = false
                if runsText != "set_config" { try refuseMentions("\(runsText)()") }
            }
        }
    }

    /// Functions of PostgreSQL and its usual extensions that run a query given as a string; and set_config.
    private static let runsTextOrSettings: Set<String> = [
        "set_config", "query_to_xml", "query_to_xmlschema", "query_to_xml_and_xmlschema", "ts_stat", "ts_rewrite", "dblink", "dblink_exec",
        "dblink_open",
        "dblink_send_query", "crosstab", "crosstab2", "crosstab3", "crosstab4", "connectby", "pg_background_launch", "cursor_to_xml",
    ]

    private func refuseMentions(_ what: String) throws(Halt) {
        for token in tokens where token.kind.isString {
            guard let value = LiteralDecoding.value(of: token, in: text, standardConformingStrings: context.standardConformingStrings),
                !catalog.isMentioned(in: value, columns: false)
            else {
                throw .refused(
                    CloisterError(
                        .nameInBody, "the body given to \(what) mentions a table with encrypted columns, or can't be read",
                        hint: Refused.codeInServer.instead),
                    at: token.start)
            }
        }
    }

    // MARK: Statements without marked relations

    private func untouched(_ tag: String, _ body: Node) throws(Halt) {
        try typeStatement(tag, body)
        switch tag {
        case "RenameStmt":
            if let rangeVar = body["relation"],
                ["OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE"].contains(body.string("renameType") ?? ""),
                let name = body.string("newname"), catalog.marks.bareNames.contains(name)
            {
                throw .refuse(
                    .definitionRefused, "\"\(name)\" is the name of a table with encrypted columns",
                    hint: Refused.renameToMarked.instead, at: rangeVar)
            }
            if body.string("renameType") == "OBJECT_SCHEMA" { try refuseSchema(body.string("subname") ?? "", body.string("newname") ?? "") }
        case "AlterObjectSchemaStmt":
            if let rangeVar = body["relation"], let name = rangeVar.string("relname"), catalog.marks.bareNames.contains(name) {
                throw .refuse(
                    .definitionRefused, "\"\(name)\" is the name of a table with encrypted columns",
                    hint: Refused.renameToMarked.instead, at: rangeVar)
            }
        case "SelectStmt": try checkNewRelation(body["intoClause"]?["rel"], at: body)
        case "CreateTableAsStmt": try checkNewRelation(body["into"]?["rel"], at: body)
        case "ViewStmt": try checkNewRelation(body["view"], at: body)
        default: break
        }
    }

    private func refuseSchema(_ names: String...) throws(Halt) {
        guard catalog.marks.marks.contains(where: { names.contains($0.schema) }) else { return }
        throw .refused(
            CloisterError(
                .definitionRefused, "a schema that the configuration names can't be renamed, nor another take its name",
                hint: Refused.renameSchema.instead), at: nil)
    }

    // MARK: Statements with marked relations

    /// Statements in which names are all there is.
    private static let harmless: Set<String> = [
        "DropStmt", "TruncateStmt", "VacuumStmt", "CommentStmt", "GrantStmt", "LockStmt", "ClusterStmt", "ReindexStmt",
        "RefreshMatViewStmt", "AlterOwnerStmt",
        "CreateSeqStmt", "AlterSeqStmt",
    ]

    private func bind(_ tag: String, _ body: Node, _ node: Node, _ effect: inout StatementEffects.Statement) throws(Halt) {
        var nothing = Environment()
        if !bodyArguments.isEmpty {
            let item = NamespaceItem(
                name: "", columns: bodyArguments.map { OutputColumn(name: $0, variable: plain) }, isRelationVisible: false)
            nothing.columns = ColumnScope(parent: nil, items: [item])
        }
        switch tag {
        case _ where Self.isQuery(tag):
            let role = constantRole
            if body.has("intoClause") { constantRole = .stored }
            try result(of: node, nothing, makes: body.has("intoClause") ? .table : nil)
            constantRole = role
            if body.has("intoClause") { madeMarkedRelation = true }
        case "ExplainStmt":
            try only(body, ["query", "options"])
            guard let inner = body["query"] else { throw unknown(tag, body) }
            let before = outputs.count
            try bind(inner.tagged.tag, inner.tagged.body, inner, &effect)
            outputs.removeLast(outputs.count - before)
        case "DeclareCursorStmt":
            try only(body, ["portalname", "options", "query"])
            guard let inner = body["query"] else { throw unknown(tag, body) }
            _ = try query(inner, nothing)
        case "CreateTableAsStmt":
            try only(body, ["query", "into", "objtype", "if_not_exists", "is_select_into"])
            guard let inner = body["query"], inner.tagged.tag == "SelectStmt" else { throw unknown(tag, body) }
            try checkNewRelation(body["into"]?["rel"], at: body)
            constantRole = .stored
            try result(of: inner, nothing, makes: body.string("objtype") == "OBJECT_MATVIEW" ? .view : .table)
            constantRole = .operand
            madeMarkedRelation = true
        case "ViewStmt":
            try only(body, ["view", "aliases", "query", "replace", "options", "withCheckOption"])
            guard let inner = body["query"] else { throw unknown(tag, body) }
            try checkNewRelation(body["view"], at: body)
            constantRole = .stored
            try result(of: inner, nothing, makes: .view)
            constantRole = .operand
            madeMarkedRelation = true
        case "PrepareStmt": try prepare(body)
        case "CreateFunctionStmt": try sqlBody(body)
        case "AlterTableStmt": try alterTable(body)
        case "IndexStmt": try createIndex(body)
        case "CopyStmt": try copy(body)
        case "RenameStmt": try rename(body)
        case _ where Self.harmless.contains(tag): break
        default:
            throw .refuse(
                .statementRefused, "\(Self.words(tag)) is not bound when it touches a table with encrypted columns",
                hint: Refused.unlisted.instead, at: body["relation"])
        }
    }

    private func result(of node: Node, _ environment: Environment, makes: MadeRelation?) throws(Halt) {
        let output = try query(node, environment)
        guard catalog.marks.hasUserTypes else { return }
        outputs.append((plan.effects.statements.count, output, makes))
    }

    private func rename(_ body: Node) throws(Halt) {
        guard let rangeVar = body["relation"], case .known(let found) = try relation(rangeVar) else { throw unknown("RenameStmt", body) }
        let old = body.string("subname") ?? ""
        let new = body.string("newname") ?? ""
        switch body.string("renameType") ?? "" {
        case "OBJECT_COLUMN" where found.column(old)?.encryption == nil && catalog.marks.byRelation[found.name]?[new] == nil: break
        case "OBJECT_TABCONSTRAINT", "OBJECT_INDEX": break
        default:
            throw .refuse(
                .definitionRefused, "\(found.name) or its column can't be renamed: the configuration names encrypted columns",
                hint: Refused.renameMarked.instead,
                at: rangeVar)
        }
    }

    /// `CreateTrigStmt` → CREATE TRIGGER, for the usual ones.
    private static func words(_ tag: String) -> String {
        switch tag {
        case "CreateTrigStmt": "CREATE TRIGGER"
        case "RuleStmt": "CREATE RULE"
        case "CreatePolicyStmt": "CREATE POLICY"
        case "AlterPolicyStmt": "ALTER POLICY"
        case "CreateStatsStmt": "CREATE STATISTICS"
        case "AlterObjectSchemaStmt": "SET SCHEMA"
        case "CreateFunctionStmt": "CREATE FUNCTION or PROCEDURE"
        case "CreateForeignTableStmt": "CREATE FOREIGN TABLE"
        case "CreatePublicationStmt": "CREATE PUBLICATION"
        default: "this statement (\(tag))"
        }
    }

    // MARK: Effects

    private func effects(_ tag: String, _ body: Node, _ effect: inout StatementEffects.Statement) {
        switch tag {
        case "SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "DeclareCursorStmt":
            if body.has("intoClause") { effect.flags.formUnion([.ddl, .mayChangeSearchPath]) }
            var callsSetConfig = false
            body.walk { child in
                if child.names("funcname").last == "set_config" { callsSetConfig = true }
                return true
            }
            if callsSetConfig { effect.flags.formUnion([.mayChangeSettings, .mayChangeSearchPath]) }
        case "ExplainStmt":
            if let inner = body["query"] { effects(inner.tagged.tag, inner.tagged.body, &effect) }
        case "TransactionStmt":
            effect.transaction =
                switch body.string("kind") ?? "" {
                case "TRANS_STMT_BEGIN", "TRANS_STMT_START": .begin
                case "TRANS_STMT_COMMIT": .commit
                case "TRANS_STMT_ROLLBACK": .rollback
                case "TRANS_STMT_SAVEPOINT": .savepoint
                case "TRANS_STMT_RELEASE": .release
                case "TRANS_STMT_ROLLBACK_TO": .rollbackTo
                case "TRANS_STMT_PREPARE": .prepare
                case "TRANS_STMT_COMMIT_PREPARED": .commitPrepared
                default: .rollbackPrepared
                }
        case "VariableSetStmt":
            effect.flags.insert(.mayChangeSettings)
            switch body.string("name") ?? "" {
            case "search_path", "role", "session_authorization": effect.flags.insert(.mayChangeSearchPath)
            case "": effect.flags.insert(.mayChangeSearchPath)
            default: break
            }
        case "VariableShowStmt", "ConstraintsSetStmt", "FetchStmt", "ClosePortalStmt", "CheckPointStmt", "LockStmt", "VacuumStmt",
            "NotifyStmt", "UnlistenStmt",
            "GrantStmt", "CommentStmt", "TruncateStmt", "SecLabelStmt", "ReindexStmt", "ClusterStmt", "GrantRoleStmt":
            break
        case "DiscardStmt":
            effect.flags.formUnion([.mayChangeSettings, .mayChangeSearchPath, .ddl])
            if body.string("target") == "DISCARD_ALL" || !body.has("target") { effect.flags.formUnion([.discardAll, .deallocateAll]) }
        case "DeallocateStmt":
            effect.flags.insert(.preparedStatements)
            if !body.has("name") { effect.flags.insert(.deallocateAll) }
            effect.deallocates = body.string("name")
        case "PrepareStmt":
            effect.flags.insert(.preparedStatements)
            effect.prepares = body.string("name")
        case "ExecuteStmt":
            effect.executes = body.string("name")
            effect.flags.formUnion([.mayChangeSettings, .mayChangeSearchPath])
        case "ListenStmt": effect.flags.insert(.listen)
        case "CopyStmt":
            if !body.has("filename"), !body.flag("is_program") { effect.flags.insert(body.flag("is_from") ? .copyIn : .copyOut) }
        case "DoStmt", "CallStmt", "LoadStmt": effect.flags.formUnion([.ddl, .mayChangeSettings, .mayChangeSearchPath])
        case "CreateStmt":
            effect.flags.insert(.ddl)
            let rangeVar = body["relation"]
            if rangeVar?.string("relpersistence") == "t" || rangeVar?.string("schemaname") == "pg_temp" {
                effect.flags.insert(.mayChangeSearchPath)
            }
        case "CreateTableAsStmt" where body["query"]?.tagged.tag == "ExecuteStmt":
            effect.executes = body["query"]?.tagged.body.string("name")
            effect.flags.formUnion([.ddl, .mayChangeSettings, .mayChangeSearchPath])
        case "CreateSchemaStmt", "DropStmt", "CreateTableAsStmt", "ViewStmt", "RenameStmt", "AlterObjectSchemaStmt", "CreateExtensionStmt",
            "DropOwnedStmt":
            effect.flags.formUnion([.ddl, .mayChangeSearchPath])
        default: effect.flags.insert(.ddl)
        }
    }
}
