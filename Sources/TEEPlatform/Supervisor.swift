package import Attestation
package import Diagnostics

/// Keeps one enclave running: the same measured bytes after every end, its reports signed, until it is asked to stop.
package struct Supervisor: ~Copyable {
    package struct Options: Sendable {
        /// The enclave's own arguments, without the program's name.
        package var arguments: [String]
        /// Removed when the platform stops.
        package var socket: String
        package var isDebug: Bool
        package var restarts: Bool
        /// The region's locked kind was asked for: data then lies in memory that root can write to.
        package var allowsOrdinaryMemory: Bool

        package init(arguments: [String], socket: String, isDebug: Bool, restarts: Bool, allowsOrdinaryMemory: Bool) {
            self.arguments = arguments
            self.socket = socket
            self.isDebug = isDebug
            self.restarts = restarts
            self.allowsOrdinaryMemory = allowsOrdinaryMemory
        }
    }

    /// What the caller prints or logs.
    package enum Event: Sendable {
        case ready(measurement: Measurement, platform: Int32, enclave: Int32)
        case ended(CloisterError, relaunchMilliseconds: Int32?)
        case limitReached(LimitMessage)
        /// The enclave was caught altered and ended. From now on an enclave without keys answers that the environment is disabled.
        case disabled(CloisterError)
    }

    /// The enclave's exit status for a mistake in its options or limits: starting it again would not help.
    static let configurationStatus: Int32 = 78
    /// How often the running enclave is looked at: its mappings wholly, its bytes in slices. Before each report: all of its code.
    static let inspectionMilliseconds: Int64 = 1000

    private let identity: PlatformIdentity
    private let image: SealedImage
    private let options: Options

    package init(identity: consuming PlatformIdentity, image: SealedImage, options: Options) {
        self.identity = identity
        self.image = image
        self.options = options
    }

    /// Runs on the calling thread until SIGTERM or SIGINT; returns true then, false if the enclave ended and is not to be
    /// started again. Throws `enclaveLaunch`.
    package func run(_ report: (Event) -> Void) throws(CloisterError) -> Bool {
        try GuardedEnclave.prepare()
        let enclave = GuardedEnclave()
        var backoff = Backoff()
        var socketIsOurs = false
        var isDisabled = false
        defer { if socketIsOurs { PlatformFiles.remove(options.socket) } }
        while true {
            let started = HostClock.now
            try enclave.launch(
                image, ["cloister-enclave"] + options.arguments + (isDisabled ? ["--disabled"] : []),
                allowsOrdinaryMemory: options.allowsOrdinaryMemory)
            guard let end = try serve(enclave, isDisabled: isDisabled, &socketIsOurs, report) else {
                enclave.kill()
                return true
            }
            if let offence = end.offence {
                report(.disabled(CloisterError(.enclaveTampered, "the enclave was ended: \(offence)")))
                // An enclave that can't even start unaltered is not started again.
                guard end.wasReady, !isDisabled else { return false }
                isDisabled = true
                continue
            }
            let isPermanent = end.status == Self.configurationStatus || !end.hasExecuted || !options.restarts
            let delay = isPermanent ? nil : backoff.next(lifetimeSeconds: HostClock.now - min(started, HostClock.now))
            report(.ended(CloisterError(.enclaveEnded, "the enclave \(end.reason)"), relaunchMilliseconds: delay))
            guard let delay else { return false }
            if case .stopAsked = try enclave.wait(timeoutMilliseconds: delay) { return true }
        }
    }

    private struct End {
        let reason: String
        let status: Int32?
        let hasExecuted: Bool
        var wasReady = false
        /// What it was caught at.
        var offence: String?
    }

    /// Serves one start of the enclave; nil: the platform was asked to stop.
    private func serve(
        _ enclave: GuardedEnclave, isDisabled: Bool, _ socketIsOurs: inout Bool, _ report: (Event) -> Void
    ) throws(CloisterError) -> End? {
        var isReady = false
        var nextLook = Int64.max
        func caught(_ offence: String) -> End {
            enclave.kill()
            return End(reason: "", status: nil, hasExecuted: true, wasReady: isReady, offence: offence)
        }
        while true {
            if HostClock.ticks >= nextLook {
                if let offence = enclave.inspect(.slice) { return caught(offence) }
                nextLook = HostClock.ticks + Self.inspectionMilliseconds
            }
            let patience = isReady ? Int32(max(0, min(nextLook - HostClock.ticks, Self.inspectionMilliseconds))) : -1
            switch try enclave.wait(timeoutMilliseconds: patience) {
            case .message(let bytes):
                // A copy of the enclave's descriptor can send, but not announce.
                guard enclave.announced(bytes) else { break }
                if ReadyMessage(bytes: bytes) != nil {
                    if let offence = enclave.inspect(.allCode) { return caught(offence) }
                    isReady = true
                    nextLook = HostClock.ticks + Self.inspectionMilliseconds
                    socketIsOurs = true
                    report(.ready(measurement: image.measurement, platform: HostClock.processNumber, enclave: enclave.pid))
                } else if let limit = LimitMessage(bytes: bytes) {
                    report(.limitReached(limit))
                } else if let request = try? ReportRequest(bytes) {
                    if let offence = enclave.inspect(.allCode) { return caught(offence) }
                    let signed =
                        isDisabled
                        ? nil
                        : try? identity.report(
                            for: request, measurement: image.measurement, isDebug: options.isDebug, now: HostClock.now)
                    enclave.answer(request.answer(signed?.bytes))
                }
            case .ended(let reason, let status):
                let executed = enclave.hasExecuted
                return End(
                    reason: executed ? reason : "could not be executed (\(reason))", status: status, hasExecuted: executed,
                    wasReady: isReady, offence: enclave.offence)
            case .stopAsked: return nil
            case .timeout: break
            }
        }
    }
}

/// How long to wait before the next start: 100 ms, doubled after every short life, at most 10 s.
struct Backoff {
    static let first: Int32 = 100
    static let most: Int32 = 10_000
    /// A life this long starts over.
    static let longLifeSeconds: UInt64 = 30
    private var delay = Backoff.first

    mutating func next(lifetimeSeconds: UInt64) -> Int32 {
        if lifetimeSeconds >= Self.longLifeSeconds { delay = Self.first }
        defer { delay = min(delay * 2, Self.most) }
        return delay
    }
}
