internal import Attestation
internal import CellCrypto
internal import CellFormat
internal import ColumnCatalog
internal import Configuration
internal import Diagnostics
internal import KeyStore

/// The keys and marks of one configuration and its database, after every check: what the proxy encrypts with, what it may
/// release.
struct LoadedKeys: Sendable {
    let ciphers: [KeyID: CellCipher]
    /// The keys whose signed policy allows an enclave to have them.
    let released: [ReleasedKey]
    let marks: MarkedColumns

    /// Verifies and unwraps the keys that the configuration and the database's verified marks name, and only those. Fails
    /// closed: one doubtful key or column refuses the whole.
    init(
        _ configuration: Configuration, records: [ColumnKeyRecord], columns: [ColumnMarkMetadata] = [], trusted: Set<String>,
        provider: any MasterKeyProvider
    ) throws(CloisterError) {
        var ciphers: [KeyID: CellCipher] = [:]
        var released: [ReleasedKey] = []
        var marks: [ColumnMark] = []
        let recorded = Dictionary(columns.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        let configured = Set(configuration.columns.map(\.path))
        let more = columns.filter { !configured.contains($0.path) }
        var names = configuration.keyNames
        for mark in more where !names.contains(mark.keyName) { names.append(mark.keyName) }
        for name in names {
            let declared = configuration.columns(underKey: name)
            let known = more.filter { $0.keyName == name }
            guard let record = records.first(where: { $0.name == name }) else {
                throw CloisterError(
                    .keyNotInDatabase, "column key '\(name)' is not in the database",
                    hint: declared.isEmpty ? "a marked column needs it" : "make it with 'cloister keys create-column \(name)'",
                    location: declared.first?.location ?? "")
            }
            let unwrapped = try record.unwrap(trusted: trusted, provider: provider)
            let metadata = unwrapped.metadata
            for column in declared {
                guard metadata.columns.contains(column.path) else {
                    throw CloisterError(
                        .columnNotUnderKey, "the signed metadata of column key '\(name)' does not list \(column.path)",
                        hint: "add it with 'cloister keys create-column \(name) --amend'", location: column.location)
                }
                let mark = ColumnMark(column, key: metadata.id)
                if let said = recorded[column.path] {
                    guard ColumnMark(said) == mark else {
                        throw ColumnAdministration.conflict(
                            said, try ColumnMarkMetadata(column, key: metadata.id), location: column.location)
                    }
                }
                marks.append(mark)
            }
            for mark in known {
                guard mark.key == metadata.id, metadata.columns.contains(mark.path) else {
                    throw CloisterError(
                        .columnNotUnderKey,
                        "the signed metadata of column key '\(name)' does not list \(mark.path), which is marked in the database")
                }
                marks.append(ColumnMark(mark))
            }
            let cipher = try unwrapped.cipher()
            ciphers[metadata.id] = cipher
            if metadata.enclave {
                released.append(
                    ReleasedKey(
                        id: metadata.id.rawValue, cipher, operations: metadata.operationMask | configuration.sessions.operationMask,
                        limit: configuration.sessions.comparisonsPerSession))
            }
        }
        self.ciphers = ciphers
        self.released = released
        self.marks = try MarkedColumns(marks, userTypes: configuration.types)
    }
}

extension SessionPolicy {
    /// As in RELEASE (schemas/release-v1.md): bit 4 granted only, bit 5 maintenance.
    var operationMask: UInt32 { grantedOnly ? (allowsMaintenance ? 16 | 32 : 16) : 0 }
}

extension ColumnMark {
    init(_ column: ColumnDeclaration, key: KeyID) {
        self.init(
            schema: column.schema, table: column.table, column: column.column,
            type: EncryptedType(
                column.type, column.scheme, key: key, collation: column.collation.rawValue, enumeration: column.enumeration),
            modifier: column.modifier, keyName: column.keyName, domain: column.domain)
    }

    init(_ mark: ColumnMarkMetadata) {
        self.init(
            schema: mark.schema, table: mark.table, column: mark.column,
            type: EncryptedType(
                mark.type.logical, mark.scheme, key: mark.key, collation: mark.collation.rawValue, enumeration: mark.enumeration),
            modifier: mark.type.modifier, keyName: mark.keyName, domain: mark.domain)
    }
}

extension ColumnMarkMetadata {
    /// What a configuration says, unsigned.
    init(_ column: ColumnDeclaration, key: KeyID) throws(CloisterError) {
        try self.init(
            schema: column.schema, table: column.table, column: column.column, type: column.declaredType, scheme: column.scheme,
            collation: column.scheme == .deterministic ? .c : column.collation, key: key, keyName: column.keyName, origin: .configuration,
            counter: 1, enumeration: column.enumeration, domain: column.domain)
    }
}
