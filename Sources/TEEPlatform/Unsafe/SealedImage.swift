package import Attestation
internal import CTEEPlatform
internal import CellCrypto
package import Diagnostics
internal import Glibc

/// The enclave's executable in a memfd that nobody can change any more, and its measurement, taken after the sealing.
package final class SealedImage: Sendable {
    let descriptor: Int32
    package let measurement: Measurement

    /// Copies, seals, measures. Throws `enclaveLaunch`.
    package init(path: String) throws(CloisterError) {
        // SAFETY: the C string lives for the length of the call.
        let descriptor = unsafe path.withCString { unsafe cloister_tee_seal_image($0) }
        guard descriptor >= 0 else {
            let reason = unsafe String(cString: strerror(errno))
            throw CloisterError(.enclaveLaunch, "the enclave's file can't be sealed: \(reason)", location: path)
        }
        self.descriptor = descriptor
        do { measurement = try Self.measure(descriptor) } catch {
            cloister_tee_close(descriptor)
            throw error
        }
    }

    deinit { cloister_tee_close(descriptor) }

    private static func measure(_ descriptor: Int32) throws(CloisterError) -> Measurement {
        let digest = try Digest(.sha384)
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var offset: UInt64 = 0
        while true {
            // SAFETY: the buffer lives for the length of the call, which is told its size.
            let count = unsafe buffer.withUnsafeMutableBytes { buffer in
                unsafe buffer.baseAddress.map { unsafe cloister_tee_read_at(descriptor, $0, buffer.count, offset) } ?? -1
            }
            guard count >= 0 else { throw CloisterError(.enclaveLaunch, "the sealed image can't be read") }
            guard count > 0 else { break }
            try digest.update(buffer.span.extracting(0..<count))
            offset += UInt64(count)
        }
        guard let measurement = Measurement(bytes: try digest.finish()) else {
            throw CloisterError(.enclaveLaunch, "the image's digest has the wrong size")
        }
        return measurement
    }
}
