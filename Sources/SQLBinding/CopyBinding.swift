internal import CellFormat
internal import ColumnCatalog
internal import Diagnostics

extension Analyzer {
    /// COPY that touches a marked relation.
    func copy(_ body: Node) throws(Halt) {
        func refuse(_ message: String, _ hint: String) -> Halt { .refuse(.statementRefused, message, hint: hint, at: body["relation"]) }
        try only(body, ["relation", "query", "attlist", "is_from", "is_program", "filename", "options", "whereClause"])
        let isFrom = body.flag("is_from")
        if let query = body["query"] { return try copyQuery(body, query) }
        guard let rangeVar = body["relation"] else { throw unknown("COPY", body) }
        guard case .known(let relation) = try relation(rangeVar) else { throw unknown("COPY of an unknown relation", rangeVar) }
        guard relation.isComplete else {
            guard context.catalogIsCurrent else { throw Halt.needsCatalog }
            throw .refuse(.unknownRelation, "the server does not know the table \(relation.name)", at: rangeVar)
        }
        var columns: [CatalogColumn] = []
        if body.has("attlist") {
            for name in body.names("attlist") {
                guard let column = relation.column(name) else {
                    guard context.catalogIsCurrent else { throw Halt.needsCatalog }
                    throw .refuse(.unknownColumn, "column \"\(name)\" of \(relation.name) does not exist", at: rangeVar)
                }
                columns.append(column)
            }
        } else {
            columns = relation.columns
        }
        if let condition = body["whereClause"] {
            let item = item(relation, alias: nil, schema: relation.name.schema)
            try self.condition(condition, Environment(columns: ColumnScope(parent: nil, items: [item]), tables: nil))
        }
        guard let secret = columns.first(where: { $0.encryption != nil }) else { return }
        if body.flag("is_program") || body.has("filename") {
            throw refuse(
                "COPY of \(relation.name).\(secret.name) with a file or program of the server, which has no key",
                Refused.copyWithServerFile.instead)
        }
        let layout = CopyInPlan(
            relation: relation.name,
            columns: columns.map {
                .init(name: $0.name, encryption: $0.encryption, label: "\(relation.name).\($0.name)", modifier: $0.modifier)
            }, format: .text)
        let (plan, forceQuote) = try copyOptions(body, layout)
        if isFrom { self.plan.copyIn = plan } else { self.plan.copyOut = CopyOutPlan(layout: plan, forceQuote: forceQuote) }
    }

    /// `COPY (query) TO …`.
    private func copyQuery(_ body: Node, _ query: Node) throws(Halt) {
        let output = try self.query(query, Environment())
        let columns = output.columns.map { column in
            switch column.variable.state {
            case .encrypted(let type, let label), .aggregate(let type, let label):
                CopyInPlan.Column(name: column.name, encryption: type, label: label)
            case .undecided, .plain, .encryptedRow: CopyInPlan.Column(name: column.name, encryption: nil, label: column.name)
            }
        }
        guard let secret = columns.first(where: { $0.encryption != nil }) else { return }
        guard !output.isOpaque else {
            throw .refuse(
                .operationRefused, "COPY of columns that are not known one by one, with the encrypted column \(secret.label)",
                hint: Refused.starWithUnknownColumns.instead, at: query.tagged.body)
        }
        if body.flag("is_program") || body.has("filename") {
            throw .refuse(
                .statementRefused, "COPY of \(secret.label) to a file or program of the server, which has no key",
                hint: Refused.copyWithServerFile.instead)
        }
        let layout = CopyInPlan(relation: QualifiedName("", "the query"), columns: columns, format: .text)
        let (plan, forceQuote) = try copyOptions(body, layout)
        self.plan.copyOut = CopyOutPlan(layout: plan, forceQuote: forceQuote)
    }

    private func copyOptions(_ body: Node, _ layout: CopyInPlan) throws(Halt) -> (CopyInPlan, forceQuote: Set<Int>) {
        func refuse(_ message: String, _ hint: String = Refused.unlisted.instead) -> Halt {
            .refuse(.statementRefused, message, hint: hint, at: body["relation"])
        }
        guard !hasMaskedStrings else {
            throw refuse("COPY options with backslashes while standard_conforming_strings is off", "turn it on")
        }
        var plan = layout
        var forceQuote: Set<Int> = []
        let columns = layout.columns
        for option in body.list("options") {
            let (tag, element) = option.tagged
            guard tag == "DefElem", let name = element.string("defname") else { throw unknown(tag, element) }
            let argument = element["arg"]
            let string = argument?["String"]?.string("sval")
            /// A boolean option: absent argument means true.
            func boolean() throws(Halt) -> Bool {
                guard let argument else { return true }
                if let value = argument["Boolean"] { return value.flag("boolval") }
                if let value = argument["Integer"] { return value.number("ival") == 1 }
                switch string?.lowercased() {
                case "true", "on": return true
                case "false", "off": return false
                default: throw refuse("COPY option \(name) has a value that is not bound")
                }
            }
            func byte() throws(Halt) -> UInt8 {
                guard let string, string.utf8.count == 1, let byte = string.utf8.first else {
                    throw refuse("COPY option \(name) must be one byte")
                }
                return byte
            }
            func indexes() throws(Halt) -> Set<Int> {
                if argument?.has("A_Star") == true { return Set(columns.indices) }
                var found: Set<Int> = []
                for item in argument?["List"]?.list("items") ?? [] {
                    guard let column = item["String"]?.string("sval"), let index = columns.firstIndex(where: { $0.name == column }) else {
                        throw refuse("COPY option \(name) names a column that is not copied")
                    }
                    found.insert(index)
                }
                return found
            }
            switch name {
            case "format":
                switch string {
                case "text": plan.format = .text
                case "csv": plan.format = .csv
                case "binary": plan.format = .binary
                default: throw refuse("COPY option format has a value that is not bound")
                }
            case "delimiter": plan.delimiter = try byte()
            case "null":
                guard let string else { throw refuse("COPY option NULL has a value that is not bound") }
                plan.null = Array(string.utf8)
            case "quote": plan.quote = try byte()
            case "escape": plan.escape = try byte()
            case "header":
                if string?.lowercased() == "match" { plan.header = .match } else { plan.header = try boolean() ? .skip : .none }
            case "force_not_null": plan.forceNotNull = try indexes()
            case "force_quote": forceQuote = try indexes()
            case "force_null": plan.forceNull = try indexes()
            case "encoding": plan.encoding = string
            case "freeze": _ = try boolean()
            default: throw refuse("COPY option \(name) is not bound for tables with encrypted columns")
            }
        }
        if plan.format == .binary {
            let others = body.list("options").compactMap { $0.tagged.body.string("defname") }.filter { $0 != "format" && $0 != "freeze" }
            if let other = others.first {
                throw .refuse(.syntaxError, "cannot specify \(other.uppercased()) in BINARY mode", at: body["relation"])
            }
        }
        return (plan, forceQuote)
    }
}
