internal import AdminConnection
internal import CellFormat
internal import Configuration
internal import Diagnostics

/// What a configuration gives away that its author may not have meant (docs/security.md). Advice, not refusal: each is a choice.
enum LeakageAdvice {
    /// From the file alone, in its order.
    static func of(_ configuration: Configuration) -> [String] {
        var advice: [String] = []
        for column in configuration.columns where column.scheme == .deterministic {
            guard let why = fewValues(column.declaredType) else { continue }
            advice.append("\(column.path): deterministic, and \(why): frequencies tell them; randomized tells nothing at rest")
        }
        for name in configuration.keyNames {
            let columns = configuration.columns(underKey: name)
            let types = Dictionary(grouping: columns, by: { $0.type })
            for (type, alike) in types.sorted(by: { $0.key.name < $1.key.name }) where alike.count > 1 {
                let names = alike.map(\.path).sorted().joined(separator: ", ")
                advice.append(
                    "key \(name): \(names) share it and type \(type.name): the server can move values between them; one key each, unless they are joined"
                )
            }
        }
        let isCompared = configuration.columns.contains { $0.scheme == .randomized }
        if isCompared, !configuration.sessions.grantedOnly {
            advice.append(
                "enclave.sessions is open: any SQL session of the server can sort a randomized column; granted serves the proxy's sessions only"
            )
        }
        if isCompared, configuration.sessions.comparisonsPerSession == 0 {
            advice.append("enclave.comparisons_per_session is not set: what one session may compare has no limit")
        }
        if configuration.service?.enclave.allow.contains(.mlock) == true {
            advice.append("enclave.allow has mlock: there root can read the enclave's memory")
        }
        return advice
    }

    /// Why a type has so few values that equality gives them away.
    private static func fewValues(_ type: DeclaredType) -> String? {
        switch type.logical {
        case .boolean: return "a boolean has two values"
        case .int2: return "a smallint has few values"
        case .date: return "dates of people or events are few"
        case .text, .varchar, .bpchar:
            guard type.modifier >= 4, type.modifier - 4 <= 3 else { return nil }
            return "\(type.modifier - 4) characters have few values"
        case .int4, .int8, .float4, .float8, .numeric, .bytea, .time, .timetz, .timestamp, .timestamptz, .interval, .uuid, .inet, .json,
            .jsonb:
            return nil
        }
    }

    /// Fewer distinct values than this in a deterministic column are worth a word.
    static let fewDistinct = 1000
    /// So is one value that this share of the rows has.
    static let largeShare = 0.05

    /// From the data: how often equal cells occur in deterministic columns, and which randomized ones have an index that keeps their
    /// order at rest. Needs the right to read the tables. Counts only: nothing is decrypted.
    static func of(_ columns: [ColumnDeclaration], _ connection: AdminConnection) throws -> [String] {
        var advice: [String] = []
        for column in columns {
            let table = "\(quoted(column.schema)).\(quoted(column.table))"
            guard try connection.query("SELECT pg_catalog.to_regclass($1) IS NOT NULL", [.text(table)]).rows.first?.first == "t" else {
                advice.append("\(column.path): there is no such table yet")
                continue
            }
            if column.scheme == .deterministic {
                let name = quoted(column.column)
                let counted = try connection.query(
                    "SELECT pg_catalog.count(*), pg_catalog.sum(n), pg_catalog.max(n) FROM (SELECT pg_catalog.count(*) AS n FROM \(table) WHERE \(name) IS NOT NULL GROUP BY \(name)) q",
                    milliseconds: 600_000)
                guard let row = counted.rows.first, row.count == 3, let distinct = row[0].flatMap({ Int($0) }),
                    let rows = row[1].flatMap({ Double($0) }), let most = row[2].flatMap({ Double($0) }), rows > 0
                else { continue }
                if rows >= 100, distinct < fewDistinct, Double(distinct) < rows / 2 {
                    advice.append(
                        "\(column.path): \(distinct) distinct values in \(Int(rows)) rows: their frequencies tell them (Naveed 2015)")
                } else if rows >= 100, most / rows >= largeShare {
                    advice.append("\(column.path): one value is in \(Int((100 * most / rows).rounded())) % of the rows: it stands out")
                }
            } else {
                let indexed = try connection.query(
                    "SELECT pg_catalog.count(*) FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid"
                        + " JOIN pg_catalog.pg_am m ON m.oid = c.relam JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)"
                        + " WHERE i.indrelid = $1::pg_catalog.regclass AND a.attname = $2 AND m.amname = 'btree'",
                    [.text(table), .text(column.column)])
                if indexed.rows.first?.first != "0" {
                    advice.append(
                        "\(column.path): a B-tree index keeps its whole order at rest: who knows the distribution can place the values")
                }
            }
        }
        return advice
    }

    private static func quoted(_ name: String) -> String { "\"\(name.replacing("\"", with: "\"\""))\"" }
}
