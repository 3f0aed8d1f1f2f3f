package import CellCrypto
package import CellFormat
package import Diagnostics

/// A column key as the database stores it: a row of `cloister.column_keys` with its rows of `cloister.column_key_values`.
///
/// Trusted with nothing: it comes from the server. `verify` says what it is worth.
package struct ColumnKeyRecord: Sendable, Hashable {
    /// The key wrapped under one master key, and the metadata's signature by it.
    package struct Value: Sendable, Hashable {
        package var masterKey: String
        package var wrapped: [UInt8]
        package var signature: [UInt8]

        package init(masterKey: String, wrapped: [UInt8], signature: [UInt8]) {
            self.masterKey = masterKey
            self.wrapped = wrapped
            self.signature = signature
        }
    }

    package var id: Int32
    package var name: String
    /// The canonical JSON that was signed.
    package var metadata: [UInt8]
    /// One, or two while the master key is rotated.
    package var values: [Value]

    package init(id: Int32, name: String, metadata: [UInt8], values: [Value]) {
        self.id = id
        self.name = name
        self.metadata = metadata
        self.values = values
    }

    /// What a master key signs: "cloister key metadata v1" ‖ metadata.
    static func signed(_ metadata: [UInt8]) -> [UInt8] { Array("cloister key metadata v1".utf8) + metadata }

    /// What a wrapped key is bound to: "cloister cek v1" ‖ SHA-256(metadata) ‖ master key name.
    static func context(_ metadata: [UInt8], masterKey: String) throws(CloisterError) -> [UInt8] {
        Array("cloister cek v1".utf8) + (try DigestAlgorithm.sha256.hash(metadata)) + Array(masterKey.utf8)
    }

    /// Makes a new random column key, wraps and signs it. The key itself stays inside.
    ///
    /// - Parameters:
    ///   - columns: `schema.table.column`, those that may be encrypted under the key.
    ///   - enclave: whether it may be released to an enclave; then `operations` says what for, and `minimumGroup` (with
    ///     `aggregate`) how small a group may be.
    ///   - taken: ids in use, which the random new one avoids.
    /// - Throws: `invalidKeyDefinition`, `masterKeyMissing`, `cryptographyFailed`.
    package static func create(
        name: String, columns: some Sequence<String>, enclave: Bool, operations: some Sequence<KeyOperation>, minimumGroup: Int? = nil,
        under masterKey: String, of provider: any MasterKeyProvider, avoiding taken: Set<KeyID> = []
    ) throws(CloisterError) -> ColumnKeyRecord {
        let metadata = try ColumnKeyMetadata(
            id: try randomID(avoiding: taken), name: name, columns: columns, enclave: enclave, operations: operations,
            minimumGroup: minimumGroup)
        let key = try ColumnKey()
        return try seal(key, metadata, under: masterKey, of: provider)
    }

    /// Wraps and signs a given key (tests and rotation).
    static func seal(
        _ key: borrowing ColumnKey, _ metadata: ColumnKeyMetadata, under masterKey: String, of provider: any MasterKeyProvider
    ) throws(CloisterError) -> ColumnKeyRecord {
        let bytes = metadata.json
        let wrapped = try provider.wrap(key, under: masterKey, context: context(bytes, masterKey: masterKey))
        let signature = try provider.sign(signed(bytes), with: masterKey)
        return ColumnKeyRecord(
            id: Int32(bitPattern: metadata.id.rawValue), name: metadata.name, metadata: bytes,
            values: [Value(masterKey: masterKey, wrapped: wrapped, signature: signature)])
    }

    /// The metadata, if a trusted master key has signed it and the row says the same.
    ///
    /// - Parameters:
    ///   - trusted: names of master keys from the configuration; a value under another master key counts for nothing.
    /// - Throws: `untrustedColumnKey` if no value is under a trusted key of `provider`, `columnKeySignature`,
    ///   `malformedKeyMetadata`, `columnKeyMismatch` if the row's id or name differ from what is signed.
    package func verify(trusted: Set<String>, provider: any MasterKeyProvider) throws(CloisterError) -> ColumnKeyMetadata {
        try verified(trusted: trusted, provider: provider).metadata
    }

    /// Verifies, then decrypts the key. Throws as `verify`, and `wrappedKeyRefused`.
    package func unwrap(trusted: Set<String>, provider: any MasterKeyProvider) throws(CloisterError) -> UnwrappedColumnKey {
        let (metadata, value) = try verified(trusted: trusted, provider: provider)
        let context = try Self.context(self.metadata, masterKey: value.masterKey)
        let key = try provider.unwrap(value.wrapped, under: value.masterKey, context: context)
        return UnwrappedColumnKey(metadata: metadata, key: key)
    }

    private func verified(
        trusted: Set<String>, provider: any MasterKeyProvider
    ) throws(CloisterError) -> (metadata: ColumnKeyMetadata, value: Value) {
        let known = Set(provider.masterKeys.map(\.name)).intersection(trusted)
        guard let value = values.first(where: { known.contains($0.masterKey) }) else {
            throw CloisterError(
                .untrustedColumnKey, "column key \(shownName) is not under a trusted master key",
                hint: "keys.trusted_master_keys names the trusted ones; they must be in the vault")
        }
        try provider.verify(value.signature, of: Self.signed(self.metadata), by: value.masterKey)
        let metadata = try ColumnKeyMetadata(json: self.metadata)
        guard metadata.name == name, Int32(bitPattern: metadata.id.rawValue) == id else {
            throw CloisterError(.columnKeyMismatch, "the row of column key \(metadata.name) has another id or name than is signed")
        }
        return (metadata, value)
    }

    /// The row's name if it is one, since it is shown before it is verified.
    var shownName: String { KeyName.isValid(name) ? name : "number \(id)" }

    private static func randomID(avoiding taken: Set<KeyID>) throws(CloisterError) -> KeyID {
        while true {
            let number = UInt32(truncatingIfNeeded: try SecureRandom.uint64()) & 0x7fff_ffff
            if let id = KeyID(rawValue: number), !taken.contains(id) { return id }
        }
    }
}

/// A column key that was verified and unwrapped.
package struct UnwrappedColumnKey: ~Copyable, Sendable {
    package let metadata: ColumnKeyMetadata
    package let key: ColumnKey

    /// The cipher for its cells; takes the key.
    package consuming func cipher() throws(CloisterError) -> CellCipher { try CellCipher(key, id: metadata.id) }
}
