internal import Glibc

/// Unbuffered output: a reader of the readiness line must not wait for a full buffer.
enum FileDescriptorOutput {
    static func standardOutput(_ text: String) { put(text, STDOUT_FILENO) }
    static func standardError(_ text: String) { put(text, STDERR_FILENO) }

    private static func put(_ text: String, _ descriptor: Int32) {
        let bytes = Array(text.utf8)
        // SAFETY: the array lives for the length of the call.
        _ = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
    }
}
