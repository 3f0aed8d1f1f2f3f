internal import AdminConnection
internal import ArgumentParser
internal import CellFormat
internal import ColumnCatalog
internal import Configuration
internal import Diagnostics
internal import SQLBinding

/// `cloister explain`: shows what the proxy would make of a statement, without sending it anywhere.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Show what of a statement is encrypted for which column, what the enclave decides, and what is sent or refused.",
        discussion: """
            The tables' columns are read from the server's catalog; the statement itself is sent nowhere. Exits 1 if it is refused.
            """)

    @Option(name: .long, help: "The configuration file, with its sections proxy, keys and enclave.") var config: String
    @Option(name: .long, help: "The search path to resolve names with, separated by commas.") var searchPath = "pg_catalog,public"
    @Flag(name: .long, help: "Bind as a simple query ('psql' sends these): without parameters.") var simple = false
    @Argument(help: "The statement, as a client would send it.") var sql: String

    func run() throws {
        let (configuration, service) = try loadServiceConfiguration(config)
        let connection = try AdminConnection(AdminOptions(service))
        let marks = try Self.marks(configuration)
        let catalog = try CatalogSnapshot.load(rows: connection.query(CatalogSnapshot.loadQuery).rows, marks: marks)
        let context = BindContext(
            catalog: catalog, searchPath: searchPath.split(separator: ",").map { String($0.filter { $0 != " " }) },
            isExtendedProtocol: !simple, catalogIsCurrent: true)
        let explanation = Binder().explain(Array(sql.utf8), context: context)
        for line in Self.lines(explanation, sql) { say(line) }
        if case .refused = explanation.outcome { throw ExitCode(1) }
    }

    /// What the file marks, under stand-ins for the keys' numbers: no key is needed to explain.
    private static func marks(_ configuration: Configuration) throws -> MarkedColumns {
        var numbers: [String: KeyID] = [:]
        for (index, name) in configuration.keyNames.enumerated() { numbers[name] = KeyID(rawValue: UInt32(index + 1)) }
        return try MarkedColumns(
            configuration.columns.compactMap { column in
                numbers[column.keyName].map { key in
                    ColumnMark(column, key: key)
                }
            }, userTypes: configuration.types)
    }

    static func lines(_ explanation: Explanation, _ sql: String) -> [String] {
        var lines: [String] = []
        let text = Array(sql.utf8)
        switch explanation.outcome {
        case .passThrough: lines.append("passed  nothing in it is encrypted: it is sent as it is")
        case .bound: lines.append("bound")
        case .refused(let error, let offset):
            lines.append("refused \(error.code) (SQLSTATE \(error.code.sqlState)): \(error.message)")
            if !error.hint.isEmpty { lines.append("instead \(error.hint)") }
            if let offset { lines.append("at      \(String(decoding: text[min(offset, text.count)...].prefix(40), as: UTF8.self))") }
        case .needsCatalog: lines.append("refused the server's catalog does not have what the statement names")
        case .administer(let command): lines.append("proxy   \(command.tag) is carried out by the proxy: keys and marks are its own")
        case .needsSearchPath: lines.append("refused the meaning of a name depends on the search path: give --search-path")
        }
        for constant in explanation.constants {
            let shown = String(decoding: text[constant.range], as: UTF8.self)
            guard let (type, role, column) = constant.encryption else {
                lines.append("plain   \(shown)")
                continue
            }
            let use = role == .stored ? "stored in" : "compared with"
            lines.append("cell    \(shown)  \(use) \(column) (\(type.scheme.rawValue) \(type.logical.name))")
        }
        for operation in explanation.operations {
            lines.append("\(operation.isInEnclave ? "enclave" : "bytes  ") \(operation.name)  \(operation.column)")
        }
        if let sent = explanation.sent { lines.append("sent    \(sent)") }
        return lines
    }
}
