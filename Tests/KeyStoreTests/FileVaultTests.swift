import CellCrypto
import Diagnostics
import Foundation
import GRDB
@testable import KeyStore
import Testing

@Suite struct FileVaultTests {
    let folder: Folder
    let path: String

    init() throws {
        folder = try Folder()
        path = folder.file("keys.sqlite")
    }

    private func vault(_ names: String...) throws -> FileVault {
        let vault = try FileVault.create(path: path, passphrase: passphrase(), parameters: cheap)
        for name in names { try vault.createMasterKey(name) }
        return vault
    }

    private func open(_ text: String = "correct horse") throws -> FileVault {
        try FileVault(path: path, passphrase: passphrase(text))
    }

    @Test func aNewVaultIsPrivateAndAlone() throws {
        _ = try vault("dev")
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(try folder.names == ["keys.sqlite"])
    }

    @Test func keysOutliveTheProcessThatMadeThem() throws {
        let first = try vault("dev", "prod")
        let key = try ColumnKey()
        let wrapped = try first.wrap(key, under: "dev", context: [1, 2])
        let signature = try first.sign([7], with: "prod")

        let second = try open()
        #expect(second.masterKeys == first.masterKeys)
        #expect(second.masterKeys.map(\.name) == ["dev", "prod"])
        #expect(second.masterKeys.allSatisfy { $0.provider == "file" && $0.created.hasSuffix("Z") })
        let unwrapped = try second.unwrap(wrapped, under: "dev", context: [1, 2])
        #expect(copy(unwrapped) == copy(key))
        try second.verify(signature, of: [7], by: "prod")
        #expect(code { try second.verify(signature, of: [7], by: "dev") } == .columnKeySignature)
        #expect(code { try second.verify(signature, of: [8], by: "prod") } == .columnKeySignature)
        #expect(try FileVault.peek(path: path) == first.masterKeys)
    }

    @Test func defaultParametersAreTheInteractiveOnes() throws {
        _ = try FileVault.create(path: path, passphrase: passphrase())
        #expect(try VaultFile.read(path).header.parameters == Scrypt.Parameters(log2N: 15, r: 8, p: 1))
        _ = try open()
    }

    @Test func noSecretStandsInTheFile() throws {
        let vault = try vault("dev")
        let secret = try VaultFile.read(path).rows[0].sealed
        #expect(secret.count == 80)
        let file = try bytes(path)
        #expect(file.firstRange(of: Array("correct horse".utf8)) == nil)
        // What is wrapped can't be unwrapped by another vault's key of the same name.
        let key = try ColumnKey()
        let wrapped = try vault.wrap(key, under: "dev", context: [])
        let other = try FileVault.create(path: folder.file("other"), passphrase: passphrase(), parameters: cheap)
        try other.createMasterKey("dev")
        #expect(code { _ = try other.unwrap(wrapped, under: "dev", context: []) } == .wrappedKeyRefused)
    }

    @Test func aWrongPassphraseIsSaid() throws {
        _ = try vault("dev")
        let before = try bytes(path)
        for wrong in ["Correct horse", "correct horse ", "x"] { #expect(code { _ = try open(wrong) } == .wrongPassphrase) }
        #expect(try bytes(path) == before)
        _ = try open()
    }

    @Test func nothingIsOverwritten() throws {
        _ = try vault("dev")
        let before = try bytes(path)
        #expect(code { _ = try FileVault.create(path: path, passphrase: passphrase("other"), parameters: cheap) } == .vaultExists)
        let note = try folder.write(Array("note".utf8), to: "note")
        #expect(code { _ = try FileVault.create(path: note, passphrase: passphrase(), parameters: cheap) } == .vaultExists)
        #expect(try bytes(path) == before)
        #expect(try bytes(note) == Array("note".utf8))
        #expect(try folder.names == ["keys.sqlite", "note"])
    }

    @Test func aVaultThatCannotBeMadeLeavesNothing() throws {
        #expect(
            code { _ = try FileVault.create(path: folder.file("no/such/folder"), passphrase: passphrase(), parameters: cheap) }
                == .vaultUnavailable)
        #expect(try folder.names == [])
    }

    @Test func aKeyNameIsTakenOnce() throws {
        let vault = try vault("dev")
        let before = try bytes(path)
        #expect(code { try vault.createMasterKey("dev") } == .keyExists)
        #expect(try bytes(path) == before)
        // Another process added a key that this one has not seen.
        try open().createMasterKey("late")
        #expect(code { try vault.createMasterKey("late") } == .keyExists)
        #expect(try open().masterKeys.map(\.name) == ["dev", "late"])
    }

    @Test(arguments: ["", "a b", "-x", "ä", "a/b", "a'b", "a\nb", String(repeating: "a", count: 64)])
    func aKeyNameIsPlain(name: String) throws {
        let vault = try vault()
        #expect(code { try vault.createMasterKey(name) } == .invalidKeyDefinition)
        #expect(code { _ = try vault.sign([1], with: name) } == .masterKeyMissing)
        try vault.createMasterKey(String(repeating: "a", count: 63))
    }

    @Test func aMissingVaultIsSaid() throws {
        #expect(code { _ = try open() } == .vaultMissing)
        #expect(try folder.names == [])
    }

    @Test(arguments: [0o640, 0o604, 0o660, 0o644]) func aVaultOpenToOthersIsRefused(mode: Int) throws {
        _ = try vault("dev")
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        #expect(code { _ = try open() } == .unsafePermissions)
    }

    @Test func otherFilesAreNotVaults() throws {
        for content in [[], Array("hello".utf8), [UInt8](repeating: 0, count: 10_000)] {
            _ = try folder.write(content, to: "keys.sqlite")
            #expect(code { _ = try open() } == .notAVault)
        }
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        #expect(code { _ = try open() } == .notAVault)
    }

    @Test func anotherDatabaseIsNotAVault() throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: "CREATE TABLE t (a)") }
        try queue.close()
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        #expect(code { _ = try open() } == .notAVault)
    }

    /// Runs SQL on the vault's file, as an attacker or a later version would.
    private func alter(_ sql: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: sql) }
        try queue.close()
    }

    @Test func aLaterVersionIsSaid() throws {
        _ = try vault("dev")
        try alter("PRAGMA user_version = 2")
        #expect(code { _ = try open() } == .vaultFromTheFuture)
    }

    @Test(arguments: [
        "UPDATE master_keys SET name = 'prod'", "UPDATE master_keys SET name = 'dex'",
        "UPDATE master_keys SET created = '2000-01-01T00:00:00Z'",
        "UPDATE master_keys SET public_key = zeroblob(32)", "UPDATE master_keys SET nonce = zeroblob(12)",
        "UPDATE master_keys SET nonce = zeroblob(3)", "UPDATE master_keys SET sealed = zeroblob(80)",
        "UPDATE master_keys SET sealed = substr(sealed, 1, 79)", "DELETE FROM vault", "DROP TABLE vault", "DROP TABLE master_keys",
        "UPDATE vault SET salt = zeroblob(3)", "UPDATE vault SET log2n = 40", "UPDATE vault SET log2n = 0", "UPDATE vault SET r = 1000000",
        "UPDATE vault SET p = -1", "UPDATE vault SET \"check\" = zeroblob(1)", "PRAGMA user_version = 0",
    ])
    func anAlteredRowIsDamage(sql: String) throws {
        _ = try vault("dev")
        try alter(sql)
        #expect(code { _ = try open() } == .vaultDamaged)
    }

    @Test(arguments: [
        "UPDATE vault SET salt = zeroblob(16)", "UPDATE vault SET log2n = 5", "UPDATE vault SET r = 2", "UPDATE vault SET p = 2",
        "UPDATE vault SET nonce = zeroblob(12)", "UPDATE vault SET \"check\" = zeroblob(16)",
    ])
    func anAlteredHeaderDoesNotOpen(sql: String) throws {
        _ = try vault("dev")
        try alter(sql)
        #expect(code { _ = try open() } == .wrongPassphrase)
    }

    @Test func rowsOfTwoKeysCannotBeSwapped() throws {
        _ = try vault("dev", "prod")
        try alter(
            """
            UPDATE master_keys SET (nonce, sealed, public_key, created) =
                (SELECT nonce, sealed, public_key, created FROM master_keys WHERE name = 'dev') WHERE name = 'prod'
            """)
        #expect(code { _ = try open() } == .vaultDamaged)
    }

    @Test func aTruncatedFileIsDamage() throws {
        _ = try vault("dev")
        let whole = try bytes(path)
        for count in [whole.count - 1, whole.count / 2, 4096, 100, 20] {
            _ = try folder.write(whole.prefix(count), to: "keys.sqlite")
            #expect(code { _ = try open() } == .vaultDamaged, "\(count) bytes")
        }
        _ = try folder.write(whole, to: "keys.sqlite")
        _ = try open()
    }

    @Test func overwrittenPagesNeverOpen() throws {
        _ = try vault("dev")
        let whole = try bytes(path)
        for page in 0..<whole.count / 4096 {
            var changed = whole
            for index in page * 4096 + 100..<page * 4096 + 4096 { changed[index] = 0xa5 }
            _ = try folder.write(changed, to: "keys.sqlite")
            let found = code { _ = try open() }
            #expect([.vaultDamaged, .notAVault].contains(found), "page \(page): \(String(describing: found))")
        }
    }

    @Test func aVaultInUseIsSaidAndNothingIsLost() throws {
        let vault = try vault("dev")
        let queue = try DatabaseQueue(path: path)
        try queue.inDatabase { db in
            try db.execute(sql: "BEGIN EXCLUSIVE")
            #expect(code { try vault.createMasterKey("late") } == .vaultUnavailable)
            try db.execute(sql: "ROLLBACK")
        }
        try queue.close()
        #expect(vault.masterKeys.map(\.name) == ["dev"])
        try vault.createMasterKey("late")
        #expect(try open().masterKeys.map(\.name) == ["dev", "late"])
    }
}

@Suite struct PassphraseTests {
    let folder: Folder
    init() throws { folder = try Folder() }

    /// Whether the passphrase that `source` yields opens a vault made with `text`.
    private func yields(_ text: String, _ source: PassphraseSource, environment: [String: String] = [:]) throws -> Bool {
        let path = folder.file("vault-\(UUID().uuidString)")
        _ = try FileVault.create(path: path, passphrase: passphrase(text), parameters: cheap)
        let read = try source.read(environment: environment)
        return code { _ = try FileVault(path: path, passphrase: read) } == nil
    }

    @Test(arguments: ["geheim", "geheim\n", "geheim\r\n"]) func oneLineEndIsLeftOut(content: String) throws {
        let file = try folder.write(Array(content.utf8), to: "pass")
        #expect(try yields("geheim", .file(file)))
    }

    @Test func spacesAndFurtherLineEndsCount() throws {
        let file = try folder.write(Array(" ge heim \n\n".utf8), to: "pass")
        #expect(try yields(" ge heim \n", .file(file)))
        #expect(try !yields("ge heim", .file(file)))
    }

    @Test func theEnvironmentServes() throws {
        #expect(try yields("geheim", .environment, environment: ["CLOISTER_VAULT_PASSPHRASE": "geheim"]))
        #expect(code { _ = try PassphraseSource.environment.read(environment: [:]) } == .passphraseUnavailable)
        #expect(
            code { _ = try PassphraseSource.environment.read(environment: ["CLOISTER_VAULT_PASSPHRASE": ""]) } == .passphraseUnavailable)
    }

    @Test func theFileComesFirstThenTheEnvironment() {
        let environment = ["CLOISTER_VAULT_PASSPHRASE": "x"]
        #expect(PassphraseSource.choose(file: "/p", environment: environment) == .file("/p"))
        #expect(PassphraseSource.choose(file: nil, environment: environment) == .environment)
        #expect(PassphraseSource.choose(file: nil, environment: [:]) == .prompt)
    }

    @Test(arguments: [0o644, 0o640, 0o606]) func aFileOpenToOthersIsRefused(mode: Int) throws {
        let file = try folder.write(Array("geheim".utf8), to: "pass", mode: mode)
        #expect(code { _ = try PassphraseSource.file(file).read() } == .unsafePermissions)
    }

    @Test func badFilesAreRefused() throws {
        func refused(_ path: String) { #expect(code { _ = try PassphraseSource.file(path).read() } == .passphraseUnavailable) }
        refused(folder.file("missing"))
        refused(try folder.write([], to: "empty"))
        refused(try folder.write([10], to: "newline"))
        refused(try folder.write([UInt8](repeating: 65, count: 1025), to: "long"))
        refused(try folder.write([UInt8](repeating: 65, count: 100_000), to: "longer"))
        refused(folder.path)
        _ = try PassphraseSource.file(try folder.write([UInt8](repeating: 65, count: 1024), to: "most")).read()
    }
}
