internal import COpenSSL
internal import Diagnostics

/// One keyed message authentication code: the owner of an `EVP_MAC_CTX`, restarted for each message. One thread at a time.
@safe final class MACContext {
    private let context: OpaquePointer
    private let byteCount: Int

    /// HMAC-SHA256 (RFC 2104), 32 bytes out; any key length.
    static func hmacSHA256(key: Span<UInt8>) throws(CloisterError) -> MACContext {
        let library = try CryptoLibrary.current
        return try unsafe MACContext(library.hmac, parameter: cloister_openssl_name_digest(), value: "SHA256", key: key, byteCount: 32)
    }

    /// CMAC (RFC 4493, NIST SP 800-38B) with AES, 16 bytes out; a key of 16, 24 or 32 bytes.
    static func cmac(key: Span<UInt8>) throws(CloisterError) -> MACContext {
        let cipher: String
        switch key.count {
        case 16: cipher = "AES-128-CBC"
        case 24: cipher = "AES-192-CBC"
        case 32: cipher = "AES-256-CBC"
        default: throw .unsuitable("an AES key has 16, 24 or 32 bytes")
        }
        let library = try CryptoLibrary.current
        return try unsafe MACContext(library.cmac, parameter: cloister_openssl_name_cipher(), value: cipher, key: key, byteCount: 16)
    }

    private init(
        _ method: OpaquePointer, parameter: UnsafePointer<CChar>, value: String, key: Span<UInt8>, byteCount: Int
    ) throws(CloisterError) {
        guard let context = unsafe EVP_MAC_CTX_new(method) else { throw .cryptographyFailed("make a MAC context") }
        // SAFETY: `context` is owned from here on and freed in `deinit`; parameters and key are read during the call only.
        unsafe self.context = context
        self.byteCount = byteCount
        var name = Array(value.utf8CString)
        // An empty key must still be a non-null pointer: null means "keep the key".
        var none: UInt8 = 0
        let done = unsafe name.withUnsafeMutableBufferPointer { name in
            unsafe key.withUnsafeBufferPointer { key in
                unsafe withUnsafeMutablePointer(to: &none) { none in
                    var parameters = unsafe [
                        OSSL_PARAM_construct_utf8_string(parameter, name.baseAddress, 0), OSSL_PARAM_construct_end(),
                    ]
                    return unsafe EVP_MAC_init(context, key.baseAddress ?? UnsafePointer(none), key.count, &parameters)
                }
            }
        }
        guard done == 1 else { throw .cryptographyFailed("set a MAC key") }
    }

    deinit {
        // SAFETY: owned by this object; libcrypto overwrites the key.
        unsafe EVP_MAC_CTX_free(context)
    }

    /// Starts a message with the same key.
    func restart() throws(CloisterError) {
        // SAFETY: a null key keeps the key that `init` set.
        guard unsafe EVP_MAC_init(context, nil, 0, nil) == 1 else { throw .cryptographyFailed("restart a MAC") }
    }

    func update(_ bytes: Span<UInt8>) throws(CloisterError) {
        guard bytes.count > 0 else { return }
        let context = unsafe self.context
        // SAFETY: the pointer covers `count` bytes for the length of the call.
        let done = unsafe bytes.withUnsafeBufferPointer { unsafe EVP_MAC_update(context, $0.baseAddress, $0.count) }
        guard done == 1 else { throw .cryptographyFailed("authenticate") }
    }

    /// Writes the code into `code`, which must have its size.
    func finish(into code: inout MutableSpan<UInt8>) throws(CloisterError) {
        guard code.count == byteCount else { throw .unsuitable("a buffer of the wrong size for a MAC") }
        let context = unsafe self.context
        // SAFETY: the buffer has `byteCount` bytes, which libcrypto is told.
        let done = unsafe code.withUnsafeMutableBufferPointer { code in
            var written = 0
            return unsafe EVP_MAC_final(context, code.baseAddress, &written, code.count) == 1 && written == code.count
        }
        guard done else { throw .cryptographyFailed("finish a MAC") }
    }
}
