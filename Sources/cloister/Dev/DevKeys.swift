internal import AdminConnection
internal import Attestation
internal import CellFormat
internal import Configuration
internal import Diagnostics
internal import Foundation
internal import KeyStore

/// The keys of a stack: one vault with one master key `dev`, one column key for each name of the configuration.
struct DevKeys {
    private let connection: AdminConnection
    private let vault: FileVault

    /// Makes vault, passphrase and master key if they are missing.
    init(folder: DevFolder, cluster: DevCluster, state: DevState) throws {
        if !FileManager.default.fileExists(atPath: folder.passphrase) {
            try folder.write(Data(DevStack.randomWord().utf8), to: folder.passphrase)
        }
        let source = PassphraseSource.file(folder.passphrase)
        let isNew = !FileManager.default.fileExists(atPath: folder.vault)
        vault =
            try isNew
            ? FileVault.create(path: folder.vault, passphrase: source.read()) : FileVault(path: folder.vault, passphrase: source.read())
        if !vault.masterKeys.contains(where: { $0.name == DevFolder.masterKey }) { try vault.createMasterKey(DevFolder.masterKey) }
        connection = try cluster.connect(state, user: DevFolder.superuser, database: DevFolder.database)
    }

    /// Makes the keys that the columns name and that are not there yet; signs an existing key again if columns or operations were
    /// added to it. Returns whether anything was written.
    func makeMissing(_ columns: [ColumnDeclaration]) throws -> Bool {
        let records = try KeyTables.columnKeys(connection)
        let trusted: Set<String> = [DevFolder.masterKey]
        var taken = Set(records.compactMap { KeyID(rawValue: UInt32(bitPattern: $0.id)) })
        var changed = false
        for name in Configuration(file: "", service: nil, columns: columns).keyNames {
            let wanted = columns.filter { $0.keyName == name }
            let policy = KeyPolicy(wanted)
            let record: ColumnKeyRecord
            if let old = records.first(where: { $0.name == name }) {
                let metadata = try old.verify(trusted: trusted, provider: vault)
                let known = Set(metadata.columns)
                let operations = Set(metadata.operations).union(policy.operations)
                guard
                    !wanted.allSatisfy({ known.contains($0.path) }) || (policy.enclave && !metadata.enclave)
                        || operations != Set(metadata.operations)
                else { continue }
                record = try old.amended(
                    columns: metadata.columns + wanted.map(\.path), enclave: metadata.enclave || policy.enclave, operations: operations,
                    trusted: trusted, under: DevFolder.masterKey, of: vault)
            } else {
                record = try ColumnKeyRecord.create(
                    name: name, columns: wanted.map(\.path), enclave: policy.enclave, operations: policy.operations,
                    under: DevFolder.masterKey, of: vault, avoiding: taken)
            }
            if let id = KeyID(rawValue: UInt32(bitPattern: record.id)) { taken.insert(id) }
            try KeyTables.write(record, masterKeys: vault.masterKeys, connection)
            changed = true
        }
        let administration = ColumnAdministration(connection: connection, vault: vault, trusted: [DevFolder.masterKey])
        if try administration.sign(configured: columns, isWhole: true) { changed = true }
        return changed
    }

    /// How the running enclave holds its secrets, from a report that is checked against everything else that dev knows.
    func memory(folder: DevFolder, measurement: String?) throws -> ProtectedMemory {
        let known = measurement.flatMap { Measurement(text: $0) }.map { [$0.bytes] } ?? []
        let policy = EnclaveConfiguration(
            measurements: known, minimumVersion: 1, allow: ProtectedMemory.allCases, roots: [folder.platform + "/tee-root.pem"])
        let session = try KeyRelease(policy).attest(connection)
        return session.report.statement.region == .memfdSecret ? .memfdSecret : .mlock
    }

    /// Tells whether the enclave holds every key of randomized columns: what readiness means besides an open port.
    func released(for columns: [ColumnDeclaration]) throws -> () -> Bool {
        let names = Set(columns.filter { $0.scheme == .randomized }.map(\.keyName))
        let wanted = Set(try KeyTables.columnKeys(connection).filter { names.contains($0.name) }.map { UInt32(bitPattern: $0.id) })
        return {
            guard !wanted.isEmpty else { return true }
            guard let status = try? KeyRelease.status(connection) else { return false }
            return wanted.isSubset(of: status.keys)
        }
    }
}
