internal import CellCrypto
internal import Diagnostics

/// A vault's header: how its sealing key is derived from the passphrase, and a seal that tells a wrong passphrase from a
/// damaged row.
struct VaultHeader: Sendable {
    static let saltByteCount = 16
    var parameters: Scrypt.Parameters
    var salt: [UInt8]
    var nonce: [UInt8]
    /// AES-256-GCM over nothing, with the parameters as associated data: 16 bytes.
    var check: [UInt8]

    static func make(_ passphrase: borrowing Passphrase, _ parameters: Scrypt.Parameters) throws(CloisterError) -> VaultHeader {
        var header = VaultHeader(
            parameters: parameters, salt: try SecureRandom.bytes(saltByteCount),
            nonce: try SecureRandom.bytes(AESGCM.nonceByteCount), check: [])
        let key = try header.derive(passphrase)
        let context = header.context
        let nonce = header.nonce
        header.check = try AESGCM.seal(Span(), key: key, nonce: nonce.span, authenticating: context.span)
        return header
    }

    /// "cloister vault v1" ‖ log2 N (1) ‖ r (4) ‖ p (4) ‖ salt (16); what every seal of this vault is bound to.
    var context: [UInt8] {
        Array("cloister vault v1".utf8) + [UInt8(truncatingIfNeeded: parameters.log2N)] + bigEndian(parameters.r) + bigEndian(parameters.p)
            + salt
    }

    /// The sealing key. Throws `wrongPassphrase`, or `vaultDamaged` for parameters beyond the bounds.
    func unlock(_ passphrase: borrowing Passphrase, _ path: String) throws(CloisterError) -> GCMKey {
        guard parameters.areAcceptable, salt.count == Self.saltByteCount, nonce.count == AESGCM.nonceByteCount,
            check.count == AESGCM.tagByteCount
        else { throw CloisterError(.vaultDamaged, "the vault's header is out of bounds", location: path) }
        let key = try derive(passphrase)
        let context = self.context
        do {
            _ = try AESGCM.open(check.span, key: key, nonce: nonce.span, authenticating: context.span)
        } catch {
            guard error.code == .authenticationFailed else { throw error }
            throw CloisterError(
                .wrongPassphrase, "the passphrase does not open the vault", hint: "or the vault's header was altered", location: path)
        }
        return key
    }

    private func derive(_ passphrase: borrowing Passphrase) throws(CloisterError) -> GCMKey {
        let secret = try Scrypt.derive(
            passphrase: passphrase.secret.bytes, salt: salt.span, parameters: parameters, count: GCMKey.byteCount)
        return try GCMKey(secret)
    }
}

/// One sealed master key.
struct VaultRow: Sendable {
    var name: String
    var publicKey: [UInt8]
    var nonce: [UInt8]
    /// AES-256-GCM(wrapping key ‖ Ed25519 seed) ‖ tag: 80 bytes.
    var sealed: [UInt8]
    var created: String

    static func seal(
        _ key: MasterKey, name: String, created: String, _ sealing: borrowing GCMKey, _ header: VaultHeader
    ) throws(CloisterError) -> VaultRow {
        var row = VaultRow(
            name: name, publicKey: key.publicKey.bytes, nonce: try SecureRandom.bytes(AESGCM.nonceByteCount), sealed: [],
            created: created)
        let secret = try key.secret()
        let context = row.context(header)
        let nonce = row.nonce
        row.sealed = try AESGCM.seal(secret.bytes, key: sealing, nonce: nonce.span, authenticating: context.span)
        return row
    }

    /// Throws `vaultDamaged` if anything of the row differs from what was sealed.
    func open(_ sealing: borrowing GCMKey, _ header: VaultHeader, _ path: String) throws(CloisterError) -> MasterKey {
        let damaged = CloisterError(.vaultDamaged, "a master key in the vault was altered", location: path)
        guard nonce.count == AESGCM.nonceByteCount, sealed.count == 80 else { throw damaged }
        let context = self.context(header)
        let key: MasterKey
        do {
            let secret = try AESGCM.open(sealed.span, key: sealing, nonce: nonce.span, authenticating: context.span)
            key = try MasterKey.read(secret)
        } catch {
            guard error.code == .authenticationFailed else { throw error }
            throw damaged
        }
        guard key.publicKey.bytes == publicKey else { throw damaged }
        return key
    }

    func described() throws(CloisterError) -> MasterKeyDescription {
        guard KeyName.isValid(name), let key = try? Ed25519PublicKey(publicKey.span) else {
            throw CloisterError(.vaultDamaged, "a master key in the vault has an impossible name or public key")
        }
        return MasterKeyDescription(name: name, provider: "file", publicKey: key, created: created)
    }

    private func context(_ header: VaultHeader) -> [UInt8] {
        header.context + Array("master key".utf8) + bigEndian(name.utf8.count) + Array(name.utf8) + bigEndian(created.utf8.count)
            + Array(created.utf8) + publicKey
    }
}

/// Four bytes.
private func bigEndian(_ number: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
}
