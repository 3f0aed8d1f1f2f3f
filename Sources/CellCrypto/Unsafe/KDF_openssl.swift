internal import COpenSSL
package import Diagnostics

/// HKDF with SHA-256 (RFC 5869), extract and expand.
package enum HKDF {
    /// `count` bytes (1...8160) derived from `key`. An empty salt stands for 32 zero bytes, as in the RFC.
    package static func deriveSHA256(
        from key: Span<UInt8>, salt: Span<UInt8>, info: Span<UInt8>, count: Int
    ) throws(CloisterError) -> SecretBytes {
        guard count > 0, count <= 255 * 32, key.count > 0, info.count <= 1024 else {
            throw .unsuitable("HKDF-SHA256 yields 1 to 8160 bytes from a non-empty key and an info of at most 1024 bytes")
        }
        let library = try CryptoLibrary.current
        guard let context = unsafe EVP_KDF_CTX_new(library.hkdf) else { throw .cryptographyFailed("make a KDF context") }
        // SAFETY: `context` is freed here on every path; parameters are read only during EVP_KDF_derive, inside the closures.
        defer { unsafe EVP_KDF_CTX_free(context) }
        return try SecretBytes(count: count) { (target: inout MutableSpan<UInt8>) throws(CloisterError) in
            var digest = Array("SHA256".utf8CString)
            let done = unsafe target.withUnsafeMutableBufferPointer { target in
                unsafe key.withUnsafeBufferPointer { key in
                    unsafe salt.withUnsafeBufferPointer { salt in
                        unsafe info.withUnsafeBufferPointer { info in
                            unsafe digest.withUnsafeMutableBufferPointer { digest in
                                var parameters = unsafe [
                                    OSSL_PARAM_construct_utf8_string(cloister_openssl_name_digest(), digest.baseAddress, 0),
                                    octets(cloister_openssl_name_key(), key),
                                ]
                                if !salt.isEmpty { unsafe parameters.append(octets(cloister_openssl_name_salt(), salt)) }
                                if !info.isEmpty { unsafe parameters.append(octets(cloister_openssl_name_info(), info)) }
                                unsafe parameters.append(OSSL_PARAM_construct_end())
                                return unsafe EVP_KDF_derive(context, target.baseAddress, target.count, &parameters)
                            }
                        }
                    }
                }
            }
            guard done == 1 else { throw .cryptographyFailed("derive a key") }
        }
    }

    // SAFETY: libcrypto's HKDF copies the bytes and writes none of them; the pointer is used inside the caller's closure.
    private static func octets(_ name: UnsafePointer<CChar>, _ bytes: UnsafeBufferPointer<UInt8>) -> OSSL_PARAM {
        unsafe OSSL_PARAM_construct_octet_string(name, UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
    }
}

/// HMAC-SHA256 (RFC 2104), one message.
package enum HMACSHA256 {
    package static func code(for message: Span<UInt8>, key: Span<UInt8>) throws(CloisterError) -> [UInt8] {
        let context = try MACContext.hmacSHA256(key: key)
        try context.update(message)
        var code = [UInt8](repeating: 0, count: 32)
        var span = code.mutableSpan
        try context.finish(into: &span)
        return code
    }
}

/// scrypt (RFC 7914): a key from a passphrase.
package enum Scrypt {
    /// Cost: memory is 128 · N · r bytes, time is proportional to N · r · p.
    package struct Parameters: Sendable, Hashable {
        /// N = 2^log2N.
        package var log2N: Int
        package var r: Int
        package var p: Int

        /// 32 MiB and about a tenth of a second.
        package static let interactive = Parameters(log2N: 15, r: 8, p: 1)
        /// What we are willing to spend on parameters read from a file: 1 GiB, bounded time.
        package static let memoryLimit = 1 << 30

        package init(log2N: Int, r: Int, p: Int) {
            self.log2N = log2N
            self.r = r
            self.p = p
        }

        /// Within what RFC 7914 allows and what we are willing to spend.
        package var areAcceptable: Bool {
            (1...20).contains(log2N) && (1...32).contains(r) && (1...16).contains(p)
                && (128 << log2N) * r <= Self.memoryLimit
        }
    }

    /// `count` bytes. Throws `unsuitableParameter` for parameters beyond the bounds.
    package static func derive(
        passphrase: Span<UInt8>, salt: Span<UInt8>, parameters: Parameters, count: Int
    ) throws(CloisterError) -> SecretBytes {
        guard parameters.areAcceptable, count > 0, count <= 1024 else {
            throw .unsuitable("scrypt parameters are out of bounds")
        }
        let library = try CryptoLibrary.current
        return try SecretBytes(count: count) { (target: inout MutableSpan<UInt8>) throws(CloisterError) in
            // SAFETY: all pointers cover the counts given and live until the closures return.
            let done = unsafe target.withUnsafeMutableBufferPointer { target in
                unsafe passphrase.withUnsafeBufferPointer { passphrase in
                    unsafe salt.withUnsafeBufferPointer { salt in
                        unsafe passphrase.withMemoryRebound(to: CChar.self) { passphrase in
                            // libcrypto reads a null passphrase as "absent"; an empty one is a valid scrypt input.
                            var none: CChar = 0
                            return unsafe withUnsafePointer(to: &none) { none in
                                unsafe EVP_PBE_scrypt_ex(
                                    passphrase.baseAddress ?? none, passphrase.count, salt.baseAddress, salt.count,
                                    UInt64(1) << UInt64(parameters.log2N), UInt64(parameters.r), UInt64(parameters.p),
                                    UInt64(Parameters.memoryLimit) + (64 << 20), target.baseAddress, target.count,
                                    library.context, nil)
                            }
                        }
                    }
                }
            }
            guard done == 1 else { throw .cryptographyFailed("derive a key from a passphrase") }
        }
    }
}
