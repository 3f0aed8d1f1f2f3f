internal import COpenSSL
package import Diagnostics

/// SHA-2 (FIPS 180-4).
package enum DigestAlgorithm: Sendable, CaseIterable {
    case sha256, sha384, sha512

    package var byteCount: Int {
        switch self {
        case .sha256: 32
        case .sha384: 48
        case .sha512: 64
        }
    }

    /// The digest of one byte string.
    package func hash(_ bytes: Span<UInt8>) throws(CloisterError) -> [UInt8] {
        let digest = try Digest(self)
        try digest.update(bytes)
        return try digest.finish()
    }

    package func hash(_ bytes: [UInt8]) throws(CloisterError) -> [UInt8] { try hash(bytes.span) }
}

/// A digest in progress: the owner of an `EVP_MD_CTX`. One thread at a time.
@safe package final class Digest {
    private let context: OpaquePointer
    private let algorithm: DigestAlgorithm

    package init(_ algorithm: DigestAlgorithm) throws(CloisterError) {
        let library = try CryptoLibrary.current
        let method: OpaquePointer
        switch algorithm {
        case .sha256: unsafe method = library.sha256
        case .sha384: unsafe method = library.sha384
        case .sha512: unsafe method = library.sha512
        }
        guard let context = unsafe EVP_MD_CTX_new() else { throw .cryptographyFailed("make a digest context") }
        // SAFETY: owned from here on and freed in `deinit`; the method lives as long as the process.
        unsafe self.context = context
        self.algorithm = algorithm
        guard unsafe EVP_DigestInit_ex(context, method, nil) == 1 else { throw .cryptographyFailed("start a digest") }
    }

    deinit {
        // SAFETY: owned by this object.
        unsafe EVP_MD_CTX_free(context)
    }

    package func update(_ bytes: Span<UInt8>) throws(CloisterError) {
        let context = unsafe self.context
        // SAFETY: the pointer covers `count` bytes for the length of the call.
        let done = unsafe bytes.withUnsafeBufferPointer { unsafe EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
        guard done == 1 else { throw .cryptographyFailed("digest") }
    }

    /// The digest of all that was given. Afterwards this object takes no more.
    package func finish() throws(CloisterError) -> [UInt8] {
        let context = unsafe self.context
        var result = [UInt8](repeating: 0, count: algorithm.byteCount)
        // SAFETY: the array has the digest's size, which is fixed by the algorithm.
        let done = unsafe result.withUnsafeMutableBufferPointer {
            unsafe EVP_DigestFinal_ex(context, $0.baseAddress, nil)
        }
        guard done == 1 else { throw .cryptographyFailed("finish a digest") }
        return result
    }
}
