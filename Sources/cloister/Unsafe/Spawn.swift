internal import Foundation
internal import Glibc

/// Starts a program in a session of its own, with nothing on standard input, both outputs appended to a file, and no other
/// descriptor: it outlives this command and its terminal. Returns the pid, or nil and the reason.
enum Spawn {
    /// `POSIX_SPAWN_SETSID` of <spawn.h>, which the importer does not show.
    private static let newSession: Int16 = 0x80

    static func detached(_ arguments: [String], environment: [String: String], log: String) -> Result<pid_t, POSIXError> {
        closeOthersOnExec()
        let output = unsafe open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard output >= 0 else { return .failure(POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)) }
        defer { close(output) }

        // SAFETY: actions and attributes are initialised here, used by this call only and destroyed at its end.
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawnattr_init(&attributes)
        defer {
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 2)
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe sigfillset(&signals)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        let flags = newSession | Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF)
        unsafe posix_spawnattr_setflags(&attributes, flags)

        // SAFETY: strdup's copies live until after posix_spawn, which copies them into the new process; each is freed once.
        // env(1) leaves this command's folder and becomes the program: the pid stays.
        var argv = unsafe (["/usr/bin/env", "--chdir=/"] + arguments).map { unsafe strdup($0) } + [nil]
        var envp = unsafe environment.map { unsafe strdup("\($0.key)=\($0.value)") } + [nil]
        defer {
            unsafe argv.forEach { unsafe free($0) }
            unsafe envp.forEach { unsafe free($0) }
        }
        var pid: pid_t = 0
        let status = unsafe posix_spawn(&pid, "/usr/bin/env", &actions, &attributes, &argv, &envp)
        guard status == 0 else { return .failure(POSIXError(POSIXErrorCode(rawValue: status) ?? .EIO)) }
        return .success(pid)
    }

    /// Replaces this process by a program (execv(3)); returns only if that fails, with the reason.
    static func become(_ arguments: [String]) -> POSIXErrorCode {
        // SAFETY: strdup's copies live until the process image goes; if execv fails, the command ends.
        var argv = unsafe arguments.map { unsafe strdup($0) } + [nil]
        unsafe execv(arguments[0], &argv)
        return POSIXErrorCode(rawValue: errno) ?? .ENOEXEC
    }

    /// What the caller left open (a pipe of a script, say) must not stay open in a service.
    private static func closeOthersOnExec() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? [] {
            if let descriptor = Int32(name), descriptor > 2 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        }
    }

    /// Collects a child that has ended, so that it is no zombie; does nothing for others.
    static func reap(_ pid: pid_t) {
        // SAFETY: no status is asked for.
        _ = waitpid(pid, nil, WNOHANG)
    }
}
