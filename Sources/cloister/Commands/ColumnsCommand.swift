internal import AdminConnection
internal import Configuration
internal import ArgumentParser
internal import Diagnostics
internal import KeyStore

/// `cloister columns list|forget`: the signed marks of the database.
struct ColumnsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "columns", abstract: "List and forget the marked columns that the database records.",
        subcommands: [List.self, Forget.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the marks, who made them, and which have no column.",
            discussion: "Fails if the marks do not verify.")
        @Option(name: .long, help: "The configuration file.") var config: String

        func run() throws {
            let administration = try ColumnsCommand.administration(config)
            let verified = try MarkTables.read(administration.connection).verify(
                trusted: Set(administration.trusted), provider: administration.vault)
            let numbers = verified.counters.map { "manifest \($0.counter) of \($0.masterKey)" }
            say("marked columns (\(numbers.isEmpty ? "none yet" : numbers.joined(separator: ", ")))")
            for mark in verified.marks {
                let place = try administration.exists(mark) ? "" : "  without a column"
                say("  \(mark.path)  \(mark.words)  by \(mark.origin.rawValue)\(place)")
            }
        }
    }

    struct Forget: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "forget", abstract: "Drop the marks of columns that no longer exist.",
            discussion: "Connects as PGUSER (with PGPASSWORD), else as proxy.admin; the role must be allowed to write schema cloister.")
        @Argument(help: "schema.table.column, as 'cloister columns list' writes it.") var columns: [String]
        @Option(name: .long, help: "The configuration file.") var config: String
        @Flag(name: .long, help: "Even if the column exists: its new values will not be encrypted.") var force = false

        func run() throws {
            try ColumnsCommand.administration(config).forget(Set(columns), force: force)
            for column in columns { say("\(column): forgotten") }
        }
    }

    private static func administration(_ file: String) throws -> ColumnAdministration {
        let (_, service) = try loadServiceConfiguration(file)
        return ColumnAdministration(
            connection: try KeysCommand.connect(service), vault: try openVault(service), trusted: service.trustedMasterKeys)
    }
}
