internal import AdminConnection
internal import ArgumentParser
internal import CellFormat
internal import Configuration
internal import Diagnostics
internal import Foundation
internal import KeyStore

/// `cloister keys create-master|create-column|list`.
struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Make and list master keys and column keys.",
        subcommands: [CreateMaster.self, CreateColumn.self, List.self])

    /// Who writes key rows: the configuration's server, with PGUSER and PGPASSWORD before `proxy.admin`, whose role need not
    /// be allowed to write.
    static func connect(_ service: ServiceConfiguration) throws -> AdminConnection {
        var options = try AdminOptions(service)
        let environment = ProcessInfo.processInfo.environment
        if environment["PGUSER"] != nil {
            options.user = nil
            options.password = nil
        }
        let connection = try AdminConnection(options)
        try KeyTables.check(connection)
        return connection
    }

    struct CreateMaster: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create-master", abstract: "Make a master key in the vault, and the vault if there is none.")
        @Argument(help: "The key's name.") var name: String
        @Option(name: .long, help: "A configuration file: its keys.vault and keys.passphrase_file.") var config: String?
        @Option(name: .long, help: "The vault, if no configuration file is given.") var vault: String?
        @Option(name: .long, help: "A file with the vault's passphrase; default: \(PassphraseSource.environmentVariable), or asked.")
        var passphraseFile: String?

        func validate() throws {
            guard (config == nil) != (vault == nil) else { throw ValidationError("give either --config or --vault") }
        }

        func run() throws {
            let service = try config.map { try loadServiceConfiguration($0).1 }
            guard let path = vault ?? service?.vault else { return }
            let source = PassphraseSource.choose(file: passphraseFile ?? service?.passphraseFile)
            let key = try KeysCommand.createMasterKey(name, vault: path, source)
            say("master key \(key.name) made in \(path)")
            if let service, !service.trustedMasterKeys.contains(name) { say("name it in keys.trusted_master_keys to have it trusted") }
        }
    }

    static func createMasterKey(_ name: String, vault path: String, _ source: PassphraseSource) throws(CloisterError)
        -> MasterKeyDescription
    {
        let isNew = !FileManager.default.fileExists(atPath: path)
        let passphrase = try source.read(confirm: isNew && source == .prompt)
        let vault = isNew ? try FileVault.create(path: path, passphrase: passphrase) : try FileVault(path: path, passphrase: passphrase)
        return try vault.createMasterKey(name)
    }

    struct CreateColumn: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create-column",
            abstract: "Make a column key for the columns that the configuration puts under its name, and write it into the database.",
            discussion: "Connects as PGUSER (with PGPASSWORD), else as proxy.admin; the role must be allowed to write schema cloister.")
        @Argument(help: "The key's name, as in the configuration's columns.") var name: String
        @Option(name: .long, help: "The configuration file.") var config: String
        @Option(name: .long, help: "The master key; default: the first of keys.trusted_master_keys.") var master: String?
        @Flag(name: .long, help: "The key exists: sign it again for the columns that the configuration names now.") var amend = false
        @Flag(name: .long, help: "Never release it to an enclave, even if a column is randomized.") var noEnclave = false
        @Flag(name: .long, help: "Let the enclave work out SUM, AVG, STDDEV and VARIANCE of the columns; an amended key keeps what it had.")
        var aggregate = false
        @Flag(name: .long, help: "With --amend: no aggregates any more.") var noAggregate = false
        @Option(name: .long, help: "With --aggregate: the fewest values a group may have (2...65535; default 5).") var minimumGroup: Int?

        func validate() throws {
            guard !(aggregate && noAggregate) else { throw ValidationError("give either --aggregate or --no-aggregate") }
            guard !aggregate || !noEnclave else { throw ValidationError("aggregates are worked out by an enclave: leave --no-enclave out") }
            guard minimumGroup == nil || aggregate else { throw ValidationError("--minimum-group goes with --aggregate") }
        }

        func run() throws {
            let (configuration, service) = try loadServiceConfiguration(config)
            let columns = configuration.columns(underKey: name)
            guard !columns.isEmpty else {
                throw CloisterError(
                    .configurationMissing, "no column of the configuration is under key '\(name)'", hint: "mark the columns first",
                    location: config)
            }
            let vault = try openVault(service)
            let connection = try KeysCommand.connect(service)
            let records = try KeyTables.columnKeys(connection)
            let trusted = Set(service.trustedMasterKeys)
            let policy = KeyPolicy(columns, allowsEnclave: !noEnclave, aggregates: aggregate)
            let least = policy.operations.contains(.aggregate) ? minimumGroup ?? KeyPolicy.minimumGroup : nil
            let record: ColumnKeyRecord
            let masterName = master ?? service.trustedMasterKeys[0]
            if let old = records.first(where: { $0.name == name }) {
                guard amend else {
                    throw CloisterError(
                        .keyExists, "column key '\(name)' exists already", hint: "give --amend to sign it for the configuration's columns")
                }
                let known = try old.verify(trusted: trusted, provider: vault)
                let keeps = policy.enclave && !noAggregate && known.operations.contains(.aggregate)
                record = try old.amended(
                    columns: known.columns + columns.map(\.path), enclave: policy.enclave,
                    operations: policy.operations + (keeps ? [.aggregate] : []), minimumGroup: least, trusted: trusted,
                    under: masterName, of: vault)
            } else {
                record = try ColumnKeyRecord.create(
                    name: name, columns: columns.map(\.path), enclave: policy.enclave, operations: policy.operations, minimumGroup: least,
                    under: masterName, of: vault, avoiding: Set(records.compactMap { KeyID(rawValue: UInt32(bitPattern: $0.id)) }))
            }
            try KeyTables.write(record, masterKeys: vault.masterKeys, connection)
            try ColumnAdministration(connection: connection, vault: vault, trusted: service.trustedMasterKeys).sign(configured: columns)
            say(
                "column key \(name) (id \(record.id)) \(amend ? "signed for" : "made for") \(columns.map(\.path).joined(separator: ", "))"
                    + (policy.enclave ? "; an enclave may have it" : "; no enclave gets it"))
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List master keys of the vault and column keys of the database, and whether they verify.")
        @Option(name: .long, help: "The configuration file.") var config: String

        func run() throws {
            let (_, service) = try loadServiceConfiguration(config)
            let vault = try openVault(service)
            let trusted = Set(service.trustedMasterKeys)
            say("master keys (\(service.vault))")
            for key in KeyListing.masterKeys(vault.masterKeys, trusted: trusted) {
                say(
                    "  \(key.name)  \(key.provider)  \(key.fingerprint)  \(key.created)  \(key.trusted ? "trusted" : "not in keys.trusted_master_keys")"
                )
            }
            let records = try KeyTables.columnKeys(try KeysCommand.connect(service))
            say("column keys (\(service.server))")
            for key in KeyListing.columnKeys(records, trusted: trusted, provider: vault) {
                let use = key.enclave ? "enclave: \(key.operations.joined(separator: ", "))" : "no enclave"
                say("  \(key.name)  id \(key.id)  under \(key.masterKeys.joined(separator: ", "))  \(use)  \(key.status)")
                for column in key.columns { say("    \(column)") }
            }
        }
    }
}

/// What an enclave may do with a key: compare and hash if one of its columns is randomized, match patterns if one of those is
/// text, else it gets nothing.
struct KeyPolicy {
    let enclave: Bool
    let operations: [KeyOperation]

    /// Of keys with aggregates, unless `--minimum-group` says otherwise.
    static let minimumGroup = 5

    init(_ columns: [ColumnDeclaration], allowsEnclave: Bool = true, aggregates: Bool = false) {
        enclave = allowsEnclave && columns.contains { $0.scheme == .randomized }
        let matches = columns.contains { $0.scheme == .randomized && $0.type.isText }
        operations = enclave ? [.compare, .hash] + (matches ? [.match] : []) + (aggregates ? [.aggregate] : []) : []
    }
}
