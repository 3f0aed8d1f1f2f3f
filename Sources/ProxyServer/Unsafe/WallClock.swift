internal import Glibc

/// The time of day.
enum WallClock {
    /// Seconds from 1970-01-01 to 2000-01-01, PostgreSQL's epoch.
    private static let epochDifference: Int64 = 946_684_800

    /// Microseconds since 2000-01-01 00:00 UTC.
    static func now() -> Int64 {
        var time = timespec()
        // SAFETY: the pointer is to a local variable and is used within the call only.
        guard unsafe clock_gettime(CLOCK_REALTIME, &time) == 0 else { return 0 }
        return (Int64(time.tv_sec) - epochDifference) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
