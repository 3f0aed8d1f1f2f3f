internal import Glibc

/// Core files of a process that holds keys and plaintext.
enum CoreFiles {
    /// Has the kernel write none, for this process and those it starts. False if the limit could not be set.
    static func forbid() -> Bool {
        // core(5): a limit of 0 does not hold for a core_pattern that is a pipe; 1 does, and is too small for a file.
        let core = __rlimit_resource_t(RLIMIT_CORE.rawValue)
        var limit = rlimit()
        // SAFETY: the kernel fills, then reads one rlimit during each call.
        guard unsafe getrlimit(core, &limit) == 0 else { return false }
        let lowered = min(limit.rlim_max, 1)
        limit = rlimit(rlim_cur: lowered, rlim_max: lowered)
        return unsafe setrlimit(core, &limit) == 0
    }
}
