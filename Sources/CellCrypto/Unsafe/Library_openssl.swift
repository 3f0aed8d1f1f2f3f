internal import COpenSSL
package import Diagnostics

/// libcrypto, as this module uses it: an own library context, and algorithms fetched once (a fetch costs more than a cell).
///
/// Neither `openssl.cnf` nor `OPENSSL_CONF` may load a provider into a process that holds keys. The own context is not
/// enough for that: parts of libcrypto (random numbers, PEM) touch the default context and with it the configuration.
@safe final class CryptoLibrary: @unchecked Sendable {
    // Sendable: every field is set once in `init`; libcrypto's contexts and fetched methods may be shared by threads.
    let context: OpaquePointer
    let aes256GCM: OpaquePointer
    let aes128CTR: OpaquePointer
    let aes192CTR: OpaquePointer
    let aes256CTR: OpaquePointer
    let sha256: OpaquePointer
    let sha384: OpaquePointer
    let sha512: OpaquePointer
    let hmac: OpaquePointer
    let cmac: OpaquePointer
    let hkdf: OpaquePointer

    private static let shared: Result<CryptoLibrary, CloisterError> = {
        guard let library = CryptoLibrary() else { return .failure(.cryptographyFailed("start")) }
        return .success(library)
    }()

    /// The process's library. Throws `cryptographyFailed` if this libcrypto lacks an algorithm.
    static var current: CryptoLibrary {
        get throws(CloisterError) { try shared.get() }
    }

    private init?() {
        // SAFETY: every pointer is checked for null and owned by this object, which lives as long as the process.
        let options = UInt64(OPENSSL_INIT_NO_LOAD_CONFIG) | UInt64(OPENSSL_INIT_NO_ATEXIT)
        guard OPENSSL_init_crypto(options, nil) == 1, let context = unsafe OSSL_LIB_CTX_new(),
            let aes256GCM = unsafe EVP_CIPHER_fetch(context, "AES-256-GCM", nil),
            let aes128CTR = unsafe EVP_CIPHER_fetch(context, "AES-128-CTR", nil),
            let aes192CTR = unsafe EVP_CIPHER_fetch(context, "AES-192-CTR", nil),
            let aes256CTR = unsafe EVP_CIPHER_fetch(context, "AES-256-CTR", nil),
            let sha256 = unsafe EVP_MD_fetch(context, "SHA256", nil),
            let sha384 = unsafe EVP_MD_fetch(context, "SHA384", nil),
            let sha512 = unsafe EVP_MD_fetch(context, "SHA512", nil),
            let hmac = unsafe EVP_MAC_fetch(context, "HMAC", nil),
            let cmac = unsafe EVP_MAC_fetch(context, "CMAC", nil),
            let hkdf = unsafe EVP_KDF_fetch(context, "HKDF", nil)
        else { return nil }
        unsafe self.context = context
        unsafe self.aes256GCM = aes256GCM
        unsafe self.aes128CTR = aes128CTR
        unsafe self.aes192CTR = aes192CTR
        unsafe self.aes256CTR = aes256CTR
        unsafe self.sha256 = sha256
        unsafe self.sha384 = sha384
        unsafe self.sha512 = sha512
        unsafe self.hmac = hmac
        unsafe self.cmac = cmac
        unsafe self.hkdf = hkdf
    }
}

/// Settings of libcrypto that hold for the whole process.
package enum CryptoProcess {
    /// Forbids libcrypto to read any configuration file in this process, whoever calls it. The first use of anything in
    /// this module does the same; the enclave calls this first of all, since its environment comes from an untrusted
    /// host. Throws `cryptographyFailed`.
    package static func ignoreConfiguration() throws(CloisterError) { _ = try CryptoLibrary.current }
}

/// Bytes from libcrypto's private random generator (seeded by the kernel).
package enum SecureRandom {
    /// Overwrites all of `bytes`. Throws `cryptographyFailed` if there is no entropy; then `bytes` are not to be used.
    package static func fill(_ bytes: inout MutableSpan<UInt8>) throws(CloisterError) {
        let library = try CryptoLibrary.current
        // SAFETY: the pointer covers `count` bytes for the length of the call.
        let done = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            buffer.isEmpty
                ? 1 : unsafe RAND_priv_bytes_ex(library.context, buffer.baseAddress, buffer.count, 256)
        }
        guard done == 1 else { throw .cryptographyFailed("draw random bytes") }
    }

    package static func bytes(_ count: Int) throws(CloisterError) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: max(0, count))
        var span = result.mutableSpan
        try fill(&span)
        return result
    }

    package static func uint64() throws(CloisterError) -> UInt64 {
        try bytes(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// Whether two byte strings are equal, in a time that depends on their lengths only.
package func constantTimeEqual(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
    guard a.count == b.count else { return false }
    guard a.count > 0 else { return true }
    // SAFETY: both pointers cover `count` bytes for the length of the call.
    return unsafe a.withUnsafeBufferPointer { a in
        unsafe b.withUnsafeBufferPointer { b in unsafe CRYPTO_memcmp(a.baseAddress, b.baseAddress, a.count) == 0 }
    }
}
