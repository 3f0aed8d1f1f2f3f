internal import COpenSSL
package import Diagnostics

/// The opened value of a cell: redacts itself wherever it is printed, and is overwritten when the last reference goes.
///
/// Copies share one buffer. Bytes that leave through `copyBytes()` are the caller's to protect.
package struct Plaintext: @unchecked Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    // Sendable: the storage is written during `init` only, and its bytes are overwritten when the last reference goes.
    private let storage: PlaintextStorage

    /// `count` zero bytes handed to `fill`. If it throws, what it wrote is overwritten.
    package init(count: Int, fill: (inout MutableSpan<UInt8>) throws(CloisterError) -> Void) throws(CloisterError) {
        storage = PlaintextStorage.make(count: count)
        try storage.fill(fill)
    }

    package init(copying bytes: Span<UInt8>) throws(CloisterError) {
        try self.init(count: bytes.count) { (target: inout MutableSpan<UInt8>) throws(CloisterError) in
            for index in bytes.indices { target[index] = bytes[index] }
        }
    }

    package var count: Int { storage.count }

    /// The value, for as long as this reference to it is borrowed.
    package var bytes: Span<UInt8> {
        @_lifetime(borrow self) get {
            // SAFETY: the storage lives as long as `self` does.
            let span = storage.span
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The value in an ordinary array, which nobody overwrites.
    package func copyBytes() -> [UInt8] {
        let bytes = self.bytes
        return [UInt8](unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) })
    }

    package var description: String { "plaintext (redacted)" }
    package var debugDescription: String { "plaintext (redacted)" }
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

/// One allocation: the length, then the bytes. Written only while `Plaintext.init` has the sole reference.
private final class PlaintextStorage: ManagedBuffer<Int, UInt8> {
    static func make(count: Int) -> PlaintextStorage {
        let length = max(0, count)
        let buffer = PlaintextStorage.create(minimumCapacity: length) { _ in length }
        // SAFETY: `create` on this class makes an instance of this class; it has room for `length` bytes.
        let storage = unsafe unsafeDowncast(buffer, to: PlaintextStorage.self)
        _ = unsafe storage.withUnsafeMutablePointerToElements { unsafe $0.initialize(repeating: 0, count: length) }
        return storage
    }

    var count: Int { header }

    func fill(_ body: (inout MutableSpan<UInt8>) throws(CloisterError) -> Void) throws(CloisterError) {
        let base = unsafe withUnsafeMutablePointerToElements { unsafe $0 }
        // SAFETY: `header` bytes were initialised in `make`; `self` is alive until this method returns.
        var span = unsafe MutableSpan(_unsafeStart: base, count: header)
        try body(&span)
        withExtendedLifetime(self) {}
    }

    var span: Span<UInt8> {
        @_lifetime(borrow self) get {
            // SAFETY: `header` initialised bytes, alive as long as this object.
            let base = unsafe withUnsafeMutablePointerToElements { unsafe $0 }
            let span = unsafe Span(_unsafeStart: UnsafePointer(base), count: header)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    deinit {
        // SAFETY: the object still owns its `header` bytes here.
        _ = unsafe withUnsafeMutablePointers { header, elements in
            unsafe OPENSSL_cleanse(elements, header.pointee)
        }
    }
}
