internal import COpenSSL
internal import Diagnostics

/// AES in counter mode: the owner of an `EVP_CIPHER_CTX`. Not authenticated: only for `SIVContext`, which authenticates.
@safe final class CTRContext {
    private let context: OpaquePointer

    /// A key of 16, 24 or 32 bytes.
    init(key: Span<UInt8>) throws(CloisterError) {
        let library = try CryptoLibrary.current
        let method: OpaquePointer
        switch key.count {
        case 16: unsafe method = library.aes128CTR
        case 24: unsafe method = library.aes192CTR
        case 32: unsafe method = library.aes256CTR
        default: throw .unsuitable("an AES key has 16, 24 or 32 bytes")
        }
        guard let context = unsafe EVP_CIPHER_CTX_new() else { throw .cryptographyFailed("make a cipher context") }
        // SAFETY: `context` is owned from here on and freed in `deinit`; the key has the length that the method reads.
        unsafe self.context = context
        let done = unsafe key.withUnsafeBufferPointer { unsafe EVP_EncryptInit_ex(context, method, nil, $0.baseAddress, nil) }
        guard done == 1 else { throw .cryptographyFailed("set a cipher key") }
    }

    deinit {
        // SAFETY: owned by this object; libcrypto overwrites the key schedule.
        unsafe EVP_CIPHER_CTX_free(context)
    }

    /// XORs the key stream that starts at `counter` (16 bytes) onto `input`, into `output[offset...]`.
    func apply(
        counter: Span<UInt8>, to input: Span<UInt8>, into output: inout MutableSpan<UInt8>, at offset: Int
    ) throws(CloisterError) {
        guard counter.count == 16, offset >= 0, input.count <= Int32.max - 64, output.count - offset >= input.count else {
            throw .unsuitable("a buffer of the wrong size for AES-CTR")
        }
        guard input.count > 0 else { return }
        let context = unsafe self.context
        // SAFETY: the guard checked every bound; the buffers live until the closures return.
        let done = unsafe output.withUnsafeMutableBufferPointer { output in
            unsafe input.withUnsafeBufferPointer { input in
                unsafe counter.withUnsafeBufferPointer { counter in
                    var length: Int32 = 0
                    let started = unsafe EVP_EncryptInit_ex(context, nil, nil, nil, counter.baseAddress)
                    return unsafe started == 1
                        && EVP_EncryptUpdate(
                            context, output.baseAddress! + offset, &length, input.baseAddress, Int32(input.count)) == 1
                }
            }
        }
        guard done else { throw .cryptographyFailed("encrypt") }
    }
}
