internal import CellFormat
internal import ColumnCatalog
internal import Diagnostics

extension Analyzer {
    // MARK: Functions

    /// Window functions that return their first argument as it is.
    private static let forwarding: Set<String> = ["lag", "lead", "first_value", "last_value", "nth_value"]

    private static let aggregates: Set<String> = [
        "sum", "avg", "stddev", "stddev_pop", "stddev_samp", "variance", "var_pop", "var_samp",
    ]

    /// The type of what the enclave makes of many values, as PostgreSQL's own aggregates; nil: it makes none of these.
    private static func aggregate(_ name: String, of type: EncryptedType) -> EncryptedType? {
        guard type.scheme == .randomized else { return nil }
        let result: LogicalType
        switch (type.logical, name) {
        case (.int2, "sum"), (.int4, "sum"): result = .int8
        case (.int2, _), (.int4, _), (.int8, _), (.numeric, _): result = .numeric
        case (.float4, "sum"): result = .float4
        case (.float4, _), (.float8, _): result = .float8
        default: return nil
        }
        return EncryptedType(result, .randomized, key: type.key)
    }

    func function(_ body: Node, _ environment: Environment) throws(Halt) -> TypeVariable {
        try only(
            body,
            [
                "funcname", "args", "agg_order", "agg_filter", "over", "agg_within_group", "agg_star", "agg_distinct", "func_variadic",
                "funcformat", "location",
            ])
        let names = body.names("funcname")
        let name = names.last ?? ""
        let isBuiltIn = names.count == 1 || names.count == 2 && names[0] == "pg_catalog"
        let isWithinGroup = body.flag("agg_within_group")
        if let filter = body["agg_filter"] { try condition(filter, environment) }
        if let window = body["over"] { try windowDefinition(window, environment) }
        for sort in body.list("agg_order") {
            let value = try sortKey(sort, environment)
            if isWithinGroup { try value.requirePlain("\(name)() WITHIN GROUP", at: body) } else { try value.order("ORDER BY", at: body) }
        }
        let arguments = body.list("args")
        if isBuiltIn, !isWithinGroup, !body.flag("func_variadic") {
            switch name {
            case "count" where arguments.count == 1:
                try expression(arguments[0], environment).equate("count", at: body)
                return plain
            case "min" where arguments.count == 1, "max" where arguments.count == 1:
                let value = try expression(arguments[0], environment)
                try value.order(name, at: body)
                let result = TypeVariable.undecided
                try result.accept(value, operation: name, at: body)
                return result
            case "starts_with" where arguments.count == 2:
                try match(arguments[0], arguments[1], "^@", environment, body)
                return plain
            case _ where Self.aggregates.contains(name) && arguments.count == 1 && !body.has("over"):
                let value = try expression(arguments[0], environment)
                if let (type, label) = value.encryption, let result = Self.aggregate(name, of: type) {
                    if body.flag("agg_distinct") { try value.requirePlain("\(name)(DISTINCT)", at: body) }
                    return TypeVariable(.aggregate(result, label: label))
                }
                try value.requirePlain("\(name)()", hint: Self.hint(function: name), at: body)
                return plain
            case _ where Self.forwarding.contains(name) && body.has("over") && !arguments.isEmpty:
                let result = TypeVariable.undecided
                try result.accept(try expression(arguments[0], environment), operation: name, at: body)
                if arguments.count > 1 { try expression(arguments[1], environment).requirePlain("an offset", at: body) }
                if arguments.count > 2 { try result.accept(try expression(arguments[2], environment), operation: name, at: body) }
                for extra in arguments.dropFirst(3) { try expression(extra, environment).requirePlain("\(name)()", at: body) }
                return result
            default: break
            }
        }
        if let variable = computed(body, tag: "FuncCall") { return variable }
        try plainOnly(arguments, "\(name)()", hint: Self.hint(function: name), environment, body)
        return plain
    }

    private static func hint(function name: String) -> String {
        switch name {
        case "sum", "avg", "stddev", "variance", "stddev_pop", "stddev_samp", "var_pop", "var_samp":
            Refused.aggregate.instead
        case "lower", "upper", "initcap", "trim", "btrim", "substring", "substr", "left", "right", "length", "concat", "replace":
            Refused.function.instead
        case "extract", "date_part", "date_trunc", "age", "timezone": Refused.dateFunction.instead
        default: Refused.otherFunction.instead
        }
    }

    func windowDefinition(_ body: Node, _ environment: Environment) throws(Halt) {
        try only(body, ["name", "refname", "partitionClause", "orderClause", "frameOptions", "startOffset", "endOffset", "location"])
        for partition in body.list("partitionClause") { try expression(partition, environment).equate("PARTITION BY", at: body) }
        for sort in body.list("orderClause") {
            let value = try sortKey(sort, environment)
            try value.order("ORDER BY", at: body)
            // RANGE with an offset adds to the ordering column.
            let frame = body.number("frameOptions")
            if frame & 0x2 != 0, body.has("startOffset") || body.has("endOffset") {
                try value.requirePlain("RANGE with an offset", at: body)
            }
        }
        try plainOnly([body["startOffset"], body["endOffset"]].compactMap(\.self), "a frame offset", environment, body)
    }

    /// The expression of a SortBy whose ORDER BY has no aliases and ordinals (windows, aggregates).
    private func sortKey(_ node: Node, _ environment: Environment) throws(Halt) -> TypeVariable {
        let (tag, body) = node.tagged
        guard tag == "SortBy", let key = body["node"] else { throw unknown(tag, body) }
        try only(body, ["node", "sortby_dir", "sortby_nulls", "useOp", "location"])
        let value = try expression(key, environment)
        if body.string("sortby_dir") == "SORTBY_USING" { try value.requirePlain("ORDER BY … USING", at: body) }
        return value
    }
}
