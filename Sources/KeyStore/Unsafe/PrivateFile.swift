internal import CellCrypto
internal import Diagnostics
internal import Glibc

/// The file system calls that Foundation does not offer: modes checked on the open file, creation that never overwrites,
/// directories flushed to disk.
enum PrivateFile {
    enum Failure: Error {
        case missing, notRegular, openToOthers, tooLong, exists
        case system(Int32)
    }

    /// Makes an empty file of mode 0600. Throws `exists` if anything is at the path.
    static func create(_ path: String) throws(Failure) {
        // SAFETY: the path is a C string for the length of the call; the descriptor is closed here.
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw errno == EEXIST ? .exists : .system(errno) }
        let failed = fchmod(descriptor, 0o600) != 0
        let code = errno
        _ = close(descriptor)
        if failed { throw .system(code) }
    }

    /// Gives the finished file at `temporary` its name, durably; never overwrites. `temporary` is gone afterwards.
    static func publish(_ temporary: String, as path: String) throws(Failure) {
        // SAFETY: both paths are C strings for the length of the calls.
        let linked = unsafe link(temporary, path)
        let code = errno
        _ = unsafe unlink(temporary)
        guard linked == 0 else { throw code == EEXIST ? .exists : .system(code) }
        let parent = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let directory = unsafe open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw .system(errno) }
        let synced = fsync(directory)
        let syncCode = errno
        _ = close(directory)
        guard synced == 0 else { throw .system(syncCode) }
    }

    static func remove(_ path: String) {
        // SAFETY: the path is a C string for the length of the call.
        _ = unsafe unlink(path)
    }

    /// Whether anything is at the path.
    static func exists(_ path: String) -> Bool {
        // SAFETY: the path is a C string for the length of the call.
        unsafe access(path, F_OK) == 0
    }

    /// Checks that the path is a regular file that only its owner can touch, and returns its first bytes.
    static func check(_ path: String, first count: Int) throws(Failure) -> [UInt8] {
        try read(path, limit: count, whole: false)
    }

    /// Reads a small file that only its owner can touch, whole.
    static func readAll(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
        try read(path, limit: limit, whole: true)
    }

    private static func read(_ path: String, limit: Int, whole: Bool) throws(Failure) -> [UInt8] {
        // SAFETY: the path is a C string for the length of the call; the descriptor is closed on every path; `read` is
        // told the room that the buffer has.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw errno == ENOENT || errno == ENOTDIR ? .missing : .system(errno) }
        defer { _ = close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .system(errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular }
        guard status.st_mode & 0o077 == 0 else { throw .openToOthers }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var filled = 0
        while filled < bytes.count {
            let offset = filled
            let got = unsafe bytes.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress! + offset, $0.count - offset) }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw .system(errno) }
            if got == 0 { break }
            filled += got
        }
        if whole, filled > limit {
            cleanse(&bytes)
            throw .tooLong
        }
        let result = Array(bytes.prefix(min(filled, limit)))
        cleanse(&bytes)
        return result
    }
}

/// The controlling terminal, for a passphrase.
enum Terminal {
    /// Shows `prompt` and reads a line without echo. Nil if there is no terminal, or the line is longer than `limit`.
    static func readLine(prompt: String, limit: Int) -> [UInt8]? {
        // SAFETY: descriptors and structures are local; `read` is told the room that the buffer has; the echo is turned on
        // again on every path.
        let descriptor = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { return nil }
        defer { _ = close(descriptor) }
        var before = termios()
        guard unsafe tcgetattr(descriptor, &before) == 0 else { return nil }
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO)
        guard unsafe tcsetattr(descriptor, TCSAFLUSH, &silent) == 0 else { return nil }
        defer { _ = unsafe tcsetattr(descriptor, TCSAFLUSH, &before) }
        let shown = Array(prompt.utf8)
        _ = unsafe shown.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
        var line = [UInt8](repeating: 0, count: limit + 2)
        let got = unsafe line.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
        _ = unsafe "\n".withCString { unsafe write(descriptor, $0, 1) }
        guard got > 0, line[got - 1] == UInt8(ascii: "\n") else {
            cleanse(&line)
            return nil
        }
        let result = Array(line.prefix(got - 1))
        cleanse(&line)
        return result
    }
}
