internal import Foundation

/// A process that `dev up` started, told so exactly that a recycled pid is never mistaken for it: pid, the kernel's start
/// time in ticks since boot (proc(5), field 22 of /proc/PID/stat), and the boot's id.
struct ProcessRecord: Codable, Equatable {
    var name: String
    var pid: Int32
    var startTicks: UInt64
    var boot: String

    init?(name: String, pid: Int32) {
        guard let status = Self.status(of: pid), let boot = Self.currentBoot else { return nil }
        self.name = name
        self.pid = pid
        self.startTicks = status.startTicks
        self.boot = boot
    }

    /// Whether this very process runs (a zombie does not).
    var isRunning: Bool {
        guard boot == Self.currentBoot, let status = Self.status(of: pid) else { return false }
        return status.startTicks == startTicks && status.state != "Z" && status.state != "X"
    }

    /// Sends a signal if this very process runs.
    func send(_ signal: Int32) {
        if isRunning { kill(pid, signal) }
    }

    static let currentBoot: String? = FileManager.default.contents(atPath: "/proc/sys/kernel/random/boot_id")
        .flatMap { String(data: $0, encoding: .utf8)?.trimmingCharacters(in: .whitespacesAndNewlines) }

    private static func status(of pid: Int32) -> (state: String, startTicks: UInt64)? {
        guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/stat"), let text = String(data: data, encoding: .utf8),
            let parenthesis = text.lastIndex(of: ")")
        else { return nil }
        // The name in parentheses may hold anything; after it come the fields from the third on.
        let fields = text[text.index(after: parenthesis)...].split(separator: " ")
        guard fields.count > 19, let ticks = UInt64(fields[19]) else { return nil }
        return (String(fields[0]), ticks)
    }
}
