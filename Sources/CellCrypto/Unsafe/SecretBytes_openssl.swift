internal import COpenSSL
package import Diagnostics

/// A secret of fixed length, owned by one place and overwritten when that place lets go. What every key type is made of.
///
/// Not copyable, not comparable, not printable: `print(secret)`, `"\(secret)"` and `==` don't compile. The bytes lie on
/// the heap (in the enclave: in its protected region) and never move.
@safe package struct SecretBytes: ~Copyable, @unchecked Sendable {
    // Sendable: immutable after `init`, and owned.
    private let base: UnsafeMutablePointer<UInt8>
    package let count: Int

    /// `count` zero bytes handed to `fill`, which writes the secret. If it throws, what it wrote is overwritten.
    package init(count: Int, fill: (inout MutableSpan<UInt8>) throws(CloisterError) -> Void) throws(CloisterError) {
        let count = max(0, count)
        // SAFETY: allocated and initialised here; freed here if `fill` throws, else in `deinit` and nowhere else.
        let base = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, count))
        unsafe base.initialize(repeating: 0, count: max(1, count))
        do {
            var span = unsafe MutableSpan(_unsafeStart: base, count: count)
            try fill(&span)
        } catch {
            unsafe OPENSSL_cleanse(base, count)
            unsafe base.deallocate()
            throw error
        }
        unsafe self.base = base
        self.count = count
    }

    /// A second copy of bytes that the caller has to take care of.
    package init(copying bytes: Span<UInt8>) throws(CloisterError) {
        try self.init(count: bytes.count) { (target: inout MutableSpan<UInt8>) throws(CloisterError) in
            for index in bytes.indices { target[index] = bytes[index] }
        }
    }

    /// `count` random bytes.
    package init(random count: Int) throws(CloisterError) {
        try self.init(count: count) { (target: inout MutableSpan<UInt8>) throws(CloisterError) in
            try SecureRandom.fill(&target)
        }
    }

    deinit {
        // SAFETY: `base` has at least `count` bytes, is owned by this value, and isn't reachable afterwards.
        unsafe OPENSSL_cleanse(base, count)
        unsafe base.deallocate()
    }

    /// The bytes, for as long as the secret is borrowed.
    package var bytes: Span<UInt8> {
        @_lifetime(borrow self) get {
            // SAFETY: `base` has `count` initialised bytes until `deinit`, which can't run during the borrow.
            let span = unsafe Span(_unsafeStart: base, count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }
}

/// Overwrites bytes so that the compiler can't leave the write out.
package func cleanse(_ bytes: inout MutableSpan<UInt8>) {
    // SAFETY: the pointer covers `count` bytes for the length of the call.
    unsafe bytes.withUnsafeMutableBufferPointer { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) }
}

/// Overwrites an array that held something secret. Works on this copy only: arrays that share its storage are not touched.
package func cleanse(_ bytes: inout [UInt8]) {
    var span = bytes.mutableSpan
    cleanse(&span)
}
