internal import CTEEPlatform
internal import CellCrypto
internal import Diagnostics
internal import Glibc

/// The state folder's files, through CTEEPlatform/files.c.
enum PlatformFiles {
    private static let largest = 16 * 1024

    static func makeFolder(_ path: String) throws(CloisterError) {
        // SAFETY: the C string lives for the length of the call.
        guard unsafe path.withCString({ unsafe cloister_tee_make_folder($0) }) == 0 else { throw failed("make the folder", path) }
    }

    /// Nil if there is no such file.
    static func readIfPresent(_ path: String) throws(CloisterError) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: largest)
        // SAFETY: the buffer lives for the length of the call, which is told its size.
        let count = unsafe bytes.withUnsafeMutableBytes { buffer in
            unsafe path.withCString { path in
                unsafe buffer.baseAddress.map { unsafe cloister_tee_read_file(path, $0, buffer.count) } ?? -1
            }
        }
        if count < 0 {
            guard errno == ENOENT else { throw failed("read the file", path) }
            return nil
        }
        guard count < largest else { throw CloisterError(.platformState, "the file is too long", location: path) }
        bytes.removeLast(largest - count)
        return bytes
    }

    static func write(_ path: String, mode: UInt32, _ bytes: [UInt8]) throws(CloisterError) {
        try write(path, mode: mode, bytes.span)
    }

    static func write(_ path: String, mode: UInt32, secret: borrowing SecretBytes) throws(CloisterError) {
        try write(path, mode: mode, secret.bytes)
    }

    private static func write(_ path: String, mode: UInt32, _ bytes: Span<UInt8>) throws(CloisterError) {
        // SAFETY: both buffers live for the length of the call.
        let done = unsafe bytes.withUnsafeBytes { buffer in
            unsafe path.withCString { path in
                unsafe buffer.baseAddress.map { unsafe cloister_tee_write_file(path, mode, $0, buffer.count) } ?? -1
            }
        }
        guard done == 0 else { throw failed("write the file", path) }
    }

    static func isExposed(_ path: String) -> Bool {
        // SAFETY: the C string lives for the length of the call.
        unsafe path.withCString { unsafe cloister_tee_is_exposed($0) } != 0
    }

    static func remove(_ path: String) {
        // SAFETY: as above.
        unsafe path.withCString { unsafe cloister_tee_unlink($0) }
    }

    private static func failed(_ step: String, _ path: String) -> CloisterError {
        let reason = unsafe String(cString: strerror(errno))
        return CloisterError(.platformState, "can't \(step): \(reason)", location: path)
    }
}

/// Names of the host, for options.
package enum HostNames {
    package static func user(_ name: String) -> Int64? {
        // SAFETY: the C string lives for the length of the call.
        let id = unsafe name.withCString { unsafe cloister_tee_user($0) }
        return id < 0 ? nil : id
    }

    package static func group(_ name: String) -> Int64? {
        // SAFETY: as above.
        let id = unsafe name.withCString { unsafe cloister_tee_group($0) }
        return id < 0 ? nil : id
    }
}
