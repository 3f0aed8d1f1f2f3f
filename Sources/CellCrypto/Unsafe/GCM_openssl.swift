internal import COpenSSL
package import Diagnostics

/// A key for AES-256-GCM, 32 bytes.
package struct GCMKey: ~Copyable, Sendable {
    package static let byteCount = 32
    let secret: SecretBytes

    package init(_ secret: consuming SecretBytes) throws(CloisterError) {
        guard secret.count == Self.byteCount else { throw .unsuitable("an AES-256-GCM key has 32 bytes") }
        self.secret = secret
    }

    package init(copying bytes: Span<UInt8>) throws(CloisterError) { try self.init(SecretBytes(copying: bytes)) }

    /// A random key.
    package init() throws(CloisterError) { try self.init(SecretBytes(random: Self.byteCount)) }

    /// The key's bytes, for wrapping it under another key.
    package var bytes: Span<UInt8> { @_lifetime(borrow self) get { secret.bytes } }
}

/// AES-256-GCM with 12-byte nonces and 16-byte tags (NIST SP 800-38D), one message at a time.
package enum AESGCM {
    package static let nonceByteCount = 12
    package static let tagByteCount = 16

    /// `ciphertext ‖ tag`. A nonce must never be used twice with one key.
    package static func seal(
        _ plaintext: Span<UInt8>, key: borrowing GCMKey, nonce: Span<UInt8>, authenticating data: Span<UInt8>
    ) throws(CloisterError) -> [UInt8] {
        let context = try GCMContext(key: key.bytes, sealing: true)
        var sealed = [UInt8](repeating: 0, count: plaintext.count + tagByteCount)
        var target = sealed.mutableSpan
        try context.seal(plaintext, nonce: nonce, authenticating: data, into: &target, at: 0)
        return sealed
    }

    /// Opens `ciphertext ‖ tag`. Throws `authenticationFailed`, always the same, if anything differs.
    package static func open(
        _ sealed: Span<UInt8>, key: borrowing GCMKey, nonce: Span<UInt8>, authenticating data: Span<UInt8>
    ) throws(CloisterError) -> SecretBytes {
        guard sealed.count >= tagByteCount else { throw .authenticationFailed }
        let context = try GCMContext(key: key.bytes, sealing: false)
        var verified = false
        let secret = try SecretBytes(count: sealed.count - tagByteCount) {
            (target: inout MutableSpan<UInt8>) throws(CloisterError) in
            verified = try context.open(sealed, nonce: nonce, authenticating: data, into: &target)
        }
        guard verified else { throw .authenticationFailed }
        return secret
    }
}

/// One keyed AES-256-GCM context: the owner of an `EVP_CIPHER_CTX`, reused for message after message. One direction,
/// one thread at a time.
@safe final class GCMContext {
    private let context: OpaquePointer
    private let sealing: Bool

    /// Throws `unsuitableParameter` unless the key has 32 bytes.
    init(key: Span<UInt8>, sealing: Bool) throws(CloisterError) {
        guard key.count == GCMKey.byteCount else { throw .unsuitable("an AES-256-GCM key has 32 bytes") }
        let library = try CryptoLibrary.current
        guard let context = unsafe EVP_CIPHER_CTX_new() else { throw .cryptographyFailed("make a cipher context") }
        // SAFETY: `context` is owned from here on and freed in `deinit`; the key has the 32 bytes libcrypto reads.
        unsafe self.context = context
        self.sealing = sealing
        let done = unsafe key.withUnsafeBufferPointer { key in
            unsafe EVP_CipherInit_ex(context, library.aes256GCM, nil, key.baseAddress, nil, sealing ? 1 : 0)
        }
        guard done == 1 else { throw .cryptographyFailed("set a cipher key") }
    }

    deinit {
        // SAFETY: owned by this object; libcrypto overwrites the key schedule.
        unsafe EVP_CIPHER_CTX_free(context)
    }

    /// Writes `ciphertext ‖ tag` at `target[offset...]`, which must have room for `plaintext.count + 16` bytes.
    func seal(
        _ plaintext: Span<UInt8>, nonce: Span<UInt8>, authenticating data: Span<UInt8>,
        into target: inout MutableSpan<UInt8>, at offset: Int
    ) throws(CloisterError) {
        guard sealing, nonce.count == AESGCM.nonceByteCount, offset >= 0, plaintext.count <= Int32.max - 64,
            target.count - offset >= plaintext.count + AESGCM.tagByteCount
        else { throw .unsuitable("a buffer or nonce of the wrong size for AES-256-GCM") }
        let context = unsafe self.context
        // SAFETY: the guard checked every bound; the four buffers live until the closures return.
        let done = unsafe target.withUnsafeMutableBufferPointer { target in
            unsafe plaintext.withUnsafeBufferPointer { plaintext in
                unsafe data.withUnsafeBufferPointer { data in
                    unsafe nonce.withUnsafeBufferPointer { nonce in
                        let out = unsafe target.baseAddress! + offset
                        var length: Int32 = 0
                        guard unsafe EVP_CipherInit_ex(context, nil, nil, nil, nonce.baseAddress, 1) == 1 else { return false }
                        if !data.isEmpty {
                            guard unsafe EVP_EncryptUpdate(context, nil, &length, data.baseAddress, Int32(data.count)) == 1
                            else { return false }
                        }
                        if !plaintext.isEmpty {
                            guard
                                unsafe EVP_EncryptUpdate(context, out, &length, plaintext.baseAddress, Int32(plaintext.count))
                                    == 1
                            else { return false }
                        }
                        let tag = unsafe out + plaintext.count
                        return unsafe EVP_EncryptFinal_ex(context, tag, &length) == 1
                            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(AESGCM.tagByteCount), tag) == 1
                    }
                }
            }
        }
        guard done else { throw .cryptographyFailed("seal") }
    }

    /// Opens `ciphertext ‖ tag` into the first bytes of `target`. False, with the bytes overwritten, if the tag is wrong.
    func open(
        _ sealed: Span<UInt8>, nonce: Span<UInt8>, authenticating data: Span<UInt8>, into target: inout MutableSpan<UInt8>
    ) throws(CloisterError) -> Bool {
        let count = sealed.count - AESGCM.tagByteCount
        guard !sealing, nonce.count == AESGCM.nonceByteCount, count >= 0, sealed.count <= Int32.max, target.count >= count
        else { throw .unsuitable("a buffer or nonce of the wrong size for AES-256-GCM") }
        let context = unsafe self.context
        // SAFETY: the guard checked every bound; the buffers live until the closures return; libcrypto only reads the tag.
        return unsafe target.withUnsafeMutableBufferPointer { target in
            unsafe sealed.withUnsafeBufferPointer { sealed in
                unsafe data.withUnsafeBufferPointer { data in
                    unsafe nonce.withUnsafeBufferPointer { nonce in
                        var length: Int32 = 0
                        var spare: UInt8 = 0
                        guard unsafe EVP_CipherInit_ex(context, nil, nil, nil, nonce.baseAddress, 0) == 1 else { return false }
                        if !data.isEmpty {
                            guard unsafe EVP_DecryptUpdate(context, nil, &length, data.baseAddress, Int32(data.count)) == 1
                            else { return false }
                        }
                        if count > 0 {
                            guard
                                unsafe EVP_DecryptUpdate(
                                    context, target.baseAddress, &length, sealed.baseAddress, Int32(count)) == 1
                            else { return false }
                        }
                        let tag = unsafe UnsafeMutableRawPointer(mutating: sealed.baseAddress! + count)
                        let tagSet = unsafe EVP_CIPHER_CTX_ctrl(
                            context, EVP_CTRL_AEAD_SET_TAG, Int32(AESGCM.tagByteCount), tag)
                        let verified = unsafe tagSet == 1 && EVP_DecryptFinal_ex(context, &spare, &length) == 1
                        if !verified, count > 0 { unsafe OPENSSL_cleanse(target.baseAddress, count) }
                        return verified
                    }
                }
            }
        }
    }
}
