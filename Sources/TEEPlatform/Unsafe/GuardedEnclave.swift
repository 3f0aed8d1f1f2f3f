internal import CTEEPlatform
internal import CellCrypto
internal import Diagnostics
internal import Glibc

/// One start of the enclave, traced by this thread. Not Sendable: a tracer is a thread.
@safe final class GuardedEnclave {
    enum Happening {
        case message([UInt8])
        /// How it ended, in words, and its exit status if it exited.
        case ended(String, exitStatus: Int32?)
        case stopAsked
        case timeout
    }

    /// What one look in between compares with the image. All of it (44 MB with ICU's tables) takes some 20 s then.
    private static let sliceByteCount = 2 << 20

    private var child = cloister_tee_child()
    private var buffer = [UInt8](repeating: 0, count: 4096)

    var pid: Int32 { child.pid }
    var hasExecuted: Bool { child.executed != 0 }

    /// Why it was ended, if the guard caught it at something.
    var offence: String? {
        let text = unsafe withUnsafeBytes(of: child.reason) { unsafe Array($0.prefix { $0 != 0 }) }
        return text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
    }

    /// Once per process, before the first launch.
    static func prepare() throws(CloisterError) {
        guard cloister_tee_prepare() == 0 else { throw CloisterError(.enclaveLaunch, "signals can't be blocked") }
    }

    /// Starts the image with these arguments (the program's name first) and an empty environment.
    /// `allowsOrdinaryMemory`: the region's locked kind was asked for.
    func launch(_ image: SealedImage, _ arguments: [String], allowsOrdinaryMemory: Bool) throws(CloisterError) {
        var argv: [UnsafeMutablePointer<CChar>?] = unsafe []
        for index in arguments.indices { unsafe argv.append(strdup(arguments[index])) }
        unsafe argv.append(nil)
        defer { for index in 0..<arguments.count { unsafe free(argv[index]) } }
        // SAFETY: `argv` is null-terminated and lives for the length of the call; the child gets its own copy by fork.
        let done = unsafe argv.withUnsafeBufferPointer { argv in
            unsafe argv.baseAddress.map { unsafe cloister_tee_launch(image.descriptor, $0, allowsOrdinaryMemory ? 1 : 0, &child) } ?? -1
        }
        guard done == 0 else {
            let reason = unsafe String(cString: strerror(errno))
            throw CloisterError(.enclaveLaunch, "the enclave can't be started under trace: \(reason)")
        }
    }

    func wait(timeoutMilliseconds: Int32 = -1) throws(CloisterError) -> Happening {
        var happening = cloister_tee_happening()
        // SAFETY: the buffer lives for the length of the call, which is told its size.
        let done = unsafe buffer.withUnsafeMutableBytes { buffer in
            unsafe buffer.baseAddress.map {
                unsafe cloister_tee_wait(&child, $0, buffer.count, timeoutMilliseconds, &happening)
            } ?? -1
        }
        guard done == 0 else { throw CloisterError(.enclaveLaunch, "the enclave can't be watched") }
        switch UInt32(bitPattern: happening.event) {
        case CLOISTER_TEE_MESSAGE.rawValue: return .message(Array(buffer[..<happening.length]))
        case CLOISTER_TEE_ENDED.rawValue:
            let exited = happening.status & 0x7f == 0
            return .ended(Self.describe(happening.status), exitStatus: exited ? (happening.status >> 8) & 0xff : nil)
        case CLOISTER_TEE_SIGNAL.rawValue: return .stopAsked
        default: return .timeout
        }
    }

    func answer(_ message: [UInt8]) {
        // SAFETY: the bytes live for the length of the call.
        _ = unsafe message.withUnsafeBytes { bytes in
            unsafe bytes.baseAddress.map { unsafe cloister_tee_answer(&child, $0, bytes.count) }
        }
    }

    /// Whether a thread of the enclave itself announced this message.
    func announced(_ message: [UInt8]) -> Bool {
        guard let digest = try? DigestAlgorithm.sha256.hash(message) else { return false }
        // SAFETY: the bytes, 32 of them, live for the length of the call.
        return unsafe digest.withUnsafeBufferPointer { digest in
            unsafe digest.baseAddress.map { unsafe cloister_tee_was_announced(&child, $0) != 0 } ?? false
        }
    }

    enum Thoroughness { case allCode, slice }

    /// What is wrong with the running enclave; nil: it is what was measured.
    func inspect(_ thoroughness: Thoroughness) -> String? {
        var reason = [CChar](repeating: 0, count: Int(CLOISTER_TEE_REASON))
        let slice = thoroughness == .allCode ? 0 : Self.sliceByteCount
        // SAFETY: the buffer has the size that the function expects.
        let result = unsafe reason.withUnsafeMutableBufferPointer { reason in
            unsafe reason.baseAddress.map { unsafe cloister_tee_inspect(child.allows_ordinary, slice, $0) } ?? -1
        }
        return result == 0 ? nil : String(decoding: reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func kill() { unsafe cloister_tee_kill(&child) }

    private static func describe(_ status: Int32) -> String {
        var text = [CChar](repeating: 0, count: 128)
        // SAFETY: the buffer is told its size and stays null-terminated.
        unsafe text.withUnsafeMutableBufferPointer { text in
            if let base = text.baseAddress { unsafe cloister_tee_describe(status, base, text.count) }
        }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// The clock and this process's number.
package enum HostClock {
    package static var now: UInt64 { cloister_tee_now() }
    /// Milliseconds of a clock that nobody sets.
    static var ticks: Int64 { cloister_tee_ticks() }
    package static var processNumber: Int32 { cloister_tee_pid() }
}
