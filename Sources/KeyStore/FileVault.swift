package import CellCrypto
package import Diagnostics
internal import Foundation
internal import GRDB
internal import Synchronization

/// Master keys in a SQLite file, sealed under a passphrase (schemas/key-store-v1.md). Unlocked once, at `init`; the
/// sealing key and the master keys then stay in this process's memory until the vault object goes.
package final class FileVault: MasterKeyProvider {
    package var kind: String { "file" }
    package let path: String
    private let header: VaultHeader
    private let sealing: GCMKey
    private let keys: Mutex<[String: Entry]>

    private struct Entry {
        var description: MasterKeyDescription
        var key: MasterKey
    }

    /// Opens the vault and every master key in it.
    ///
    /// Throws `vaultMissing`, `unsafePermissions`, `notAVault`, `vaultDamaged`, `vaultFromTheFuture`, `wrongPassphrase`,
    /// `vaultUnavailable`. The file is not changed.
    package init(path: String, passphrase: borrowing Passphrase) throws(CloisterError) {
        let (header, rows) = try VaultFile.read(path)
        let sealing = try header.unlock(passphrase, path)
        var entries: [String: Entry] = [:]
        for row in rows {
            let key = try row.open(sealing, header, path)
            entries[row.name] = Entry(description: try row.described(), key: key)
        }
        self.path = path
        self.header = header
        self.sealing = sealing
        keys = Mutex(entries)
    }

    /// Makes an empty vault of mode 0600 and opens it. It appears at `path` complete or not at all.
    ///
    /// Throws `vaultExists` if anything is there, `vaultUnavailable`.
    package static func create(
        path: String, passphrase: borrowing Passphrase, parameters: Scrypt.Parameters = .interactive
    ) throws(CloisterError) -> FileVault {
        let header = try VaultHeader.make(passphrase, parameters)
        try VaultFile.create(path, header)
        return try FileVault(path: path, passphrase: passphrase)
    }

    /// The names and public keys in a vault, without its passphrase: for listing only, since they are not verified.
    package static func peek(path: String) throws(CloisterError) -> [MasterKeyDescription] {
        var result: [MasterKeyDescription] = []
        for row in try VaultFile.read(path).rows { result.append(try row.described()) }
        return result
    }

    /// Makes a master key, in the file first. Throws `keyExists`, `invalidKeyDefinition`, `vaultUnavailable`; the vault is
    /// then as it was.
    @discardableResult
    package func createMasterKey(_ name: String) throws(CloisterError) -> MasterKeyDescription {
        try KeyName.check(name, "master key")
        return try keys.withLock { (keys) throws(CloisterError) in
            guard keys[name] == nil else { throw CloisterError(.keyExists, "the vault has a master key \(name) already", location: path) }
            let key = try MasterKey.make().key
            let row = try VaultRow.seal(key, name: name, created: Date.now.formatted(.iso8601), sealing, header)
            try VaultFile.insert(row, into: path)
            let entry = Entry(description: try row.described(), key: key)
            keys[name] = entry
            return entry.description
        }
    }

    package var masterKeys: [MasterKeyDescription] {
        keys.withLock { $0.values.map(\.description).sorted { $0.name < $1.name } }
    }

    package func wrap(_ key: borrowing ColumnKey, under name: String, context: [UInt8]) throws(CloisterError) -> [UInt8] {
        try masterKey(name).wrap(key, context: context)
    }

    package func unwrap(_ wrapped: [UInt8], under name: String, context: [UInt8]) throws(CloisterError) -> ColumnKey {
        try masterKey(name).unwrap(wrapped, context: context)
    }

    package func sign(_ message: [UInt8], with name: String) throws(CloisterError) -> [UInt8] {
        try masterKey(name).sign(message)
    }

    private func masterKey(_ name: String) throws(CloisterError) -> MasterKey {
        guard let entry = keys.withLock({ $0[name] }) else { throw .masterKeyMissing(name) }
        return entry.key
    }
}
