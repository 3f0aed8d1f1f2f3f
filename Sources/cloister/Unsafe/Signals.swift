internal import Dispatch
internal import Glibc
internal import Synchronization

/// SIGINT and SIGTERM as a flag, for commands that must clean up: they look at it while they wait.
final class Interruption: Sendable {
    private let signal = Atomic<Int32>(0)
    nonisolated(unsafe) private var sources: [any DispatchSourceSignal] = []

    init() {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            // The default action would end the process at once; a dispatch source sees an ignored signal all the same.
            _ = Glibc.signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [weak self] in self?.signal.store(number, ordering: .relaxed) }
            source.resume()
            // SAFETY: written in `init` only, before the object is shared.
            unsafe sources.append(source)
        }
    }

    /// The signal that arrived, if one did.
    var received: Int32? {
        let number = signal.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }
}
