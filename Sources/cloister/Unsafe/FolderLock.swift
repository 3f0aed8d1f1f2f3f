internal import Glibc

/// An advisory lock on a file (flock(2)): gone with the process, whatever its end.
struct FolderLock {
    private let descriptor: Int32

    /// nil: another process holds it, or the file can't be made.
    init?(_ path: String) {
        // SAFETY: the path is a C string for the call's time.
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return nil }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            return nil
        }
    }

    func release() { close(descriptor) }
}

enum Files {
    /// rename(2): replaces `to` at once.
    static func rename(_ from: String, to: String) -> Bool {
        // SAFETY: both are C strings for the call's time.
        unsafe Glibc.rename(from, to) == 0
    }
}
