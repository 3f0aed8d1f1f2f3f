internal import COpenSSL
internal import Diagnostics

/// The owner of one `EVP_PKEY`: a public key, or a pair. libcrypto overwrites private parts when it frees them.
@safe final class PKey: @unchecked Sendable {
    // Sendable: never changed after `init`; libcrypto's reads of a key are thread-safe.
    fileprivate let pointer: OpaquePointer

    private init(owning pointer: OpaquePointer) { unsafe self.pointer = pointer }

    deinit {
        // SAFETY: owned by this object.
        unsafe EVP_PKEY_free(pointer)
    }

    // MARK: X25519 and Ed25519

    static func generate(_ algorithm: String) throws(CloisterError) -> PKey {
        let library = try CryptoLibrary.current
        // SAFETY: the context is freed here; the generated key is owned by the result.
        guard let context = unsafe EVP_PKEY_CTX_new_from_name(library.context, algorithm, nil) else {
            throw .cryptographyFailed("make a key context")
        }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var pointer: OpaquePointer? = nil
        guard unsafe EVP_PKEY_keygen_init(context) == 1,
            unsafe algorithm != "EC" || EVP_PKEY_CTX_set_group_name(context, "P-384") == 1,
            unsafe EVP_PKEY_generate(context, &pointer) == 1, let pointer = unsafe pointer
        else { throw .cryptographyFailed("generate a key") }
        return unsafe PKey(owning: pointer)
    }

    static func raw(public bytes: Span<UInt8>, _ algorithm: String) throws(CloisterError) -> PKey {
        guard bytes.count == 32 else { throw .unsuitable("a key of this algorithm has 32 bytes") }
        let library = try CryptoLibrary.current
        // SAFETY: the pointer covers `count` bytes for the length of the call; the result is owned.
        let pointer = unsafe bytes.withUnsafeBufferPointer {
            unsafe EVP_PKEY_new_raw_public_key_ex(library.context, algorithm, nil, $0.baseAddress, $0.count)
        }
        guard let pointer = unsafe pointer else { throw .cryptographyFailed("read a public key") }
        return unsafe PKey(owning: pointer)
    }

    static func raw(private bytes: Span<UInt8>, _ algorithm: String) throws(CloisterError) -> PKey {
        guard bytes.count == 32 else { throw .unsuitable("a key of this algorithm has 32 bytes") }
        let library = try CryptoLibrary.current
        // SAFETY: as above.
        let pointer = unsafe bytes.withUnsafeBufferPointer {
            unsafe EVP_PKEY_new_raw_private_key_ex(library.context, algorithm, nil, $0.baseAddress, $0.count)
        }
        guard let pointer = unsafe pointer else { throw .cryptographyFailed("read a private key") }
        return unsafe PKey(owning: pointer)
    }

    /// The 32 bytes of the public key.
    func rawPublic() throws(CloisterError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 32)
        var count = bytes.count
        // SAFETY: libcrypto is told the size of the buffer.
        guard unsafe EVP_PKEY_get_raw_public_key(pointer, &bytes, &count) == 1, count == 32 else {
            throw .cryptographyFailed("write a public key")
        }
        return bytes
    }

    /// The 32 bytes of the private key.
    func rawPrivate() throws(CloisterError) -> SecretBytes {
        let pointer = unsafe self.pointer
        return try SecretBytes(count: 32) { (target: inout MutableSpan<UInt8>) throws(CloisterError) in
            // SAFETY: libcrypto is told the size of the buffer, which lives until the closure returns.
            let done = unsafe target.withUnsafeMutableBufferPointer { target in
                var count = target.count
                return unsafe EVP_PKEY_get_raw_private_key(pointer, target.baseAddress, &count) == 1 && count == 32
            }
            guard done else { throw .cryptographyFailed("write a private key") }
        }
    }

    /// Diffie-Hellman, 32 bytes. Throws `authenticationFailed` if the peer's key is of small order.
    func shared(with peer: PKey) throws(CloisterError) -> SecretBytes {
        let library = try CryptoLibrary.current
        // SAFETY: the context is freed here; both keys outlive it.
        guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(library.context, pointer, nil) else {
            throw .cryptographyFailed("make a key context")
        }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        guard unsafe EVP_PKEY_derive_init(context) == 1, unsafe EVP_PKEY_derive_set_peer(context, peer.pointer) == 1 else {
            throw .cryptographyFailed("start a key agreement")
        }
        return try SecretBytes(count: 32) { (target: inout MutableSpan<UInt8>) throws(CloisterError) in
            let done = unsafe target.withUnsafeMutableBufferPointer { target in
                var count = target.count
                return unsafe EVP_PKEY_derive(context, target.baseAddress, &count) == 1 && count == 32
            }
            guard done else { throw .authenticationFailed }
        }
    }

    // MARK: Signatures

    /// Signs `message`; `digest` is nil for Ed25519. At most `limit` bytes.
    func sign(_ message: Span<UInt8>, digest: String?, limit: Int) throws(CloisterError) -> [UInt8] {
        let library = try CryptoLibrary.current
        guard let context = unsafe EVP_MD_CTX_new() else { throw .cryptographyFailed("make a digest context") }
        // SAFETY: the context is freed here; libcrypto is told the size of the signature's buffer.
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestSignInit_ex(context, nil, digest, library.context, nil, pointer, nil) == 1 else {
            throw .cryptographyFailed("start a signature")
        }
        var signature = [UInt8](repeating: 0, count: limit)
        var count = limit
        let done = unsafe signature.withUnsafeMutableBufferPointer { signature in
            unsafe message.withUnsafeBufferPointer { message in
                unsafe EVP_DigestSign(context, signature.baseAddress, &count, message.baseAddress, message.count)
            }
        }
        guard done == 1, count <= limit else { throw .cryptographyFailed("sign") }
        signature.removeLast(limit - count)
        return signature
    }

    func verifies(_ signature: Span<UInt8>, of message: Span<UInt8>, digest: String?) throws(CloisterError) -> Bool {
        let library = try CryptoLibrary.current
        guard let context = unsafe EVP_MD_CTX_new() else { throw .cryptographyFailed("make a digest context") }
        // SAFETY: the context is freed here; the buffers live until the closures return.
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestVerifyInit_ex(context, nil, digest, library.context, nil, pointer, nil) == 1 else {
            throw .cryptographyFailed("start a verification")
        }
        let result = unsafe signature.withUnsafeBufferPointer { signature in
            unsafe message.withUnsafeBufferPointer { message in
                unsafe EVP_DigestVerify(context, signature.baseAddress, signature.count, message.baseAddress, message.count)
            }
        }
        if result != 1 { ERR_clear_error() }
        return result == 1
    }

    // MARK: P-384 in PEM and as a point

    /// Whether this is an elliptic curve key on P-384.
    private var isP384: Bool {
        var name = [CChar](repeating: 0, count: 64)
        var count = 0
        // SAFETY: libcrypto is told the size of the buffer and ends the name with a zero.
        guard unsafe EVP_PKEY_is_a(pointer, "EC") == 1,
            unsafe EVP_PKEY_get_group_name(pointer, &name, name.count, &count) == 1
        else { return false }
        return name.prefix(count).map { UInt8(bitPattern: $0) } == Array("secp384r1".utf8)
    }

    static func p384(point: Span<UInt8>) throws(CloisterError) -> PKey {
        guard point.count == 97, point[0] == 4 else { throw .unsuitable("a P-384 point has 97 bytes, uncompressed") }
        let library = try CryptoLibrary.current
        // SAFETY: the context is freed here; parameters are read during EVP_PKEY_fromdata, inside the closures.
        guard let context = unsafe EVP_PKEY_CTX_new_from_name(library.context, "EC", nil) else {
            throw .cryptographyFailed("make a key context")
        }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        guard unsafe EVP_PKEY_fromdata_init(context) == 1 else { throw .cryptographyFailed("read a public key") }
        var group = Array("P-384".utf8CString)
        var pointer: OpaquePointer? = nil
        let done = unsafe group.withUnsafeMutableBufferPointer { group in
            unsafe point.withUnsafeBufferPointer { point in
                var parameters = unsafe [
                    OSSL_PARAM_construct_utf8_string(cloister_openssl_name_group(), group.baseAddress, 0),
                    OSSL_PARAM_construct_octet_string(
                        cloister_openssl_name_public(), UnsafeMutableRawPointer(mutating: point.baseAddress), point.count),
                    OSSL_PARAM_construct_end(),
                ]
                return unsafe EVP_PKEY_fromdata(context, &pointer, cloister_openssl_public_key_selection(), &parameters)
            }
        }
        guard done == 1, let pointer = unsafe pointer else {
            ERR_clear_error()
            throw .unsuitable("the bytes are not a point of P-384")
        }
        return unsafe PKey(owning: pointer)
    }

    /// The public point, uncompressed: 4 ‖ x ‖ y, 97 bytes.
    func point() throws(CloisterError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 97)
        var count = 0
        // SAFETY: libcrypto is told the size of the buffer.
        let done = unsafe EVP_PKEY_get_octet_string_param(pointer, OSSL_PKEY_PARAM_PUB_KEY, &bytes, bytes.count, &count)
        guard done == 1, count == 97, bytes[0] == 4 else { throw .cryptographyFailed("write a public key") }
        return bytes
    }

    /// Reads a PEM block that holds a P-384 key: SubjectPublicKeyInfo, or unencrypted PKCS #8 (or SEC1).
    static func p384(pem: Span<UInt8>, private isPrivate: Bool) throws(CloisterError) -> PKey {
        guard pem.count > 0, pem.count <= 1 << 16 else { throw .unsuitable("a PEM file of at most 64 KiB is expected") }
        let library = try CryptoLibrary.current
        // SAFETY: the BIO only reads the span's bytes and is freed before they go; the key is owned by the result. The
        // password callback is told there is none (an empty one), so that nothing asks at a terminal.
        let pointer = unsafe pem.withUnsafeBufferPointer { pem -> OpaquePointer? in
            guard let bio = unsafe BIO_new_mem_buf(pem.baseAddress, Int32(pem.count)) else { return nil }
            defer { unsafe BIO_free(bio) }
            return isPrivate
                ? unsafe PEM_read_bio_PrivateKey_ex(bio, nil, { _, _, _, _ in -1 }, nil, library.context, nil)
                : unsafe PEM_read_bio_PUBKEY_ex(bio, nil, { _, _, _, _ in -1 }, nil, library.context, nil)
        }
        guard let pointer = unsafe pointer else {
            ERR_clear_error()
            throw .unsuitable("the PEM file holds no readable key")
        }
        let key = unsafe PKey(owning: pointer)
        guard key.isP384 else { throw .unsuitable("the PEM file's key is not on P-384") }
        return key
    }

    /// The PEM block; for a private key unencrypted PKCS #8, in a secret.
    func pem(private isPrivate: Bool) throws(CloisterError) -> SecretBytes {
        // SAFETY: the BIO owns its memory, which is read before it is freed; a secret BIO overwrites it.
        guard let bio = unsafe BIO_new(isPrivate ? BIO_s_secmem() : BIO_s_mem()) else { throw .cryptographyFailed("make a BIO") }
        defer { unsafe BIO_free(bio) }
        let done =
            isPrivate
            ? unsafe PEM_write_bio_PrivateKey(bio, pointer, nil, nil, 0, nil, nil) : unsafe PEM_write_bio_PUBKEY(bio, pointer)
        let size = Int(unsafe BIO_ctrl(bio, BIO_CTRL_PENDING, 0, nil))
        guard done == 1, size > 0, size <= 1 << 16 else { throw .cryptographyFailed("write a PEM block") }
        return try SecretBytes(count: size) { (target: inout MutableSpan<UInt8>) throws(CloisterError) in
            let count = unsafe target.withUnsafeMutableBufferPointer {
                unsafe BIO_read(bio, $0.baseAddress, Int32($0.count))
            }
            guard Int(count) == size else { throw .cryptographyFailed("write a PEM block") }
        }
    }
}

/// ECDSA signatures between DER, as libcrypto has them, and r ‖ s, as our frames have them.
enum ECDSASignature {
    /// r ‖ s, 48 bytes each.
    static func raw(fromDER der: Span<UInt8>) throws(CloisterError) -> [UInt8] {
        // SAFETY: the parser is told the length; the signature is freed here; r and s belong to it.
        let signature = unsafe der.withUnsafeBufferPointer { der in
            var next = der.baseAddress
            return unsafe d2i_ECDSA_SIG(nil, &next, der.count)
        }
        guard let signature = unsafe signature else { throw .cryptographyFailed("read a signature") }
        defer { unsafe ECDSA_SIG_free(signature) }
        var bytes = [UInt8](repeating: 0, count: 96)
        let done = unsafe bytes.withUnsafeMutableBufferPointer { bytes in
            unsafe BN_bn2binpad(ECDSA_SIG_get0_r(signature), bytes.baseAddress, 48) == 48
                && BN_bn2binpad(ECDSA_SIG_get0_s(signature), bytes.baseAddress! + 48, 48) == 48
        }
        guard done else { throw .cryptographyFailed("read a signature") }
        return bytes
    }

    /// DER of r ‖ s. Throws `authenticationFailed` unless there are 96 bytes.
    static func der(fromRaw raw: Span<UInt8>) throws(CloisterError) -> [UInt8] {
        guard raw.count == 96 else { throw .authenticationFailed }
        func integer(_ range: Range<Int>) -> [UInt8] {
            var digits = range.map { raw[$0] }[...]
            while digits.count > 1, digits.first == 0 { digits.removeFirst() }
            if let first = digits.first, first >= 0x80 { digits.insert(0, at: digits.startIndex) }
            return [2, UInt8(digits.count)] + digits
        }
        let body = integer(0..<48) + integer(48..<96)
        return [0x30, UInt8(body.count)] + body
    }
}
