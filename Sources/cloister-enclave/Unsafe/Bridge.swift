internal import Attestation
internal import CEnclaveRuntime
internal import CellCrypto
internal import EnclaveABI
internal import EnclaveEvaluator
internal import Glibc

/// Where Swift and CEnclaveRuntime meet: callbacks on worker threads, and the platform's channel.

/// How long a worker waits for the platform's signature: far more than one takes, less than a backend's deadline.
private let platformPatience: Int32 = 2000

func processorCount() -> Int { sysconf(Int32(_SC_NPROCESSORS_ONLN)) }

/// One line on standard error.
func complain(_ message: String) {
    let line = Array("cloister-enclave: \(message)\n".utf8)
    // SAFETY: the array lives for the length of the call.
    _ = unsafe line.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

/// Starts the workers, tells the platform, and serves until the listening socket fails.
func runEnclave(_ options: EnclaveOptions) throws {
    guard cloister_harden() == 0 else { throw StartFailure(message: "CL4102: dumps of this process can't be forbidden") }
    do { try CryptoProcess.ignoreConfiguration() } catch {
        throw StartFailure(message: "CL4102: the cryptographic library does not start")
    }
    guard let region = RegionKind(rawValue: UInt8(truncatingIfNeeded: cloister_region_kind())) else {
        throw StartFailure(message: "CL4102: the region's kind is unknown")
    }
    var boot = [UInt8](repeating: 0, count: 16)
    // SAFETY: the buffer has 16 bytes, lent for the call.
    guard unsafe boot.withUnsafeMutableBytes({ unsafe $0.baseAddress.map { unsafe cloister_random($0, 16) } ?? -1 }) == 0 else {
        throw StartFailure(message: "CL4102: no random bytes")
    }
    // What hostile clients can make the enclave hold is a fraction of its memory: keys (about 4 KiB each), and per worker a
    // request and its two operands.
    let memory = cloister_region_bytes()
    let keys = KeyTable(limit: memory / (16 * 1024))
    let sessions = SessionTable(tallyLimit: memory / 1024, limitReached: tellLimit)
    let enclave = Enclave(
        keys: keys, tunnel: ReleaseTunnel(boot: boot, region: region, keys: keys, sessions: sessions, report: askPlatform),
        aggregations: AggregationTable(rememberedLimit: memory / 256),
        sessions: sessions,
        largestRequest: memory / (8 * Int(options.workers)), isDisabled: options.isDisabled,
        memory: Region(plenty: Int(options.workers) << 20))
    guard cloister_leave_ordinary_memory() == 0 else {
        throw StartFailure(message: "CL4102: what the kernel mapped at the start can't be unmapped")
    }

    // SAFETY: the context keeps `enclave` for ever (one unbalanced retain); each worker's port is made on its thread and
    // kept for ever; `slot` is mapped for the length of each call (CEnclaveRuntime/workers.c).
    var callbacks = unsafe cloister_callbacks(
        context: Unmanaged.passRetained(enclave).toOpaque(),
        start: { context, _ in
            guard let context = unsafe context else { abort() }
            let enclave = unsafe Unmanaged<Enclave>.fromOpaque(context).takeUnretainedValue()
            return unsafe Unmanaged.passRetained(SlotPort(Evaluator(enclave), largestRequest: enclave.largestRequest)).toOpaque()
        },
        serve: { worker, slot, session, peer in
            let port = unsafe Unmanaged<SlotPort>.fromOpaque(worker)
            unsafe port._withUnsafeGuaranteedRef {
                unsafe $0.serve(slot.assumingMemoryBound(to: cloister_slot.self), session: session, peer: peer)
            }
        },
        ended: { context, session in
            guard let context = unsafe context else { abort() }
            unsafe Unmanaged<Enclave>.fromOpaque(context)._withUnsafeGuaranteedRef { $0.ended(session) }
        })
    // SAFETY: the path and `what` are C strings that live for the length of the call; the runtime copies what it keeps.
    let failure: String? = unsafe options.socket.withCString { path in
        var native = unsafe cloister_server_options()
        unsafe native.socket_path = unsafe path
        unsafe native.socket_mode = options.socketMode
        unsafe native.socket_uid = options.socketOwner
        unsafe native.socket_gid = options.socketGroup
        unsafe native.peer_uid = options.peer
        unsafe native.max_slots = options.maxSlots
        unsafe native.workers = options.workers
        unsafe native.spin_us = options.spin
        unsafe withUnsafeMutableBytes(of: &native.boot) { unsafe $0.copyBytes(from: boot) }
        var what: UnsafePointer<CChar>?
        guard unsafe cloister_server_start(&native, &callbacks, &what) != 0 else { return nil }
        let reason = unsafe String(cString: strerror(errno))
        let step = unsafe what.map { unsafe String(cString: $0) } ?? "start"
        return "CL4102: \(step): \(reason) (\(options.socket))"
    }
    if let failure { throw StartFailure(message: failure) }

    guard cloister_confine() == 0 else {
        throw StartFailure(message: "CL4102: the kernel does not confine the enclave's system calls (seccomp)")
    }
    if cloister_has_landlock() == 0 { complain("this kernel has no Landlock; the filter of system calls alone forbids files") }
    let ready = ReadyMessage(boot: boot).bytes
    announce(ready)
    _ = unsafe ready.withUnsafeBytes { unsafe $0.baseAddress.map { unsafe cloister_platform_tell($0, ready.count) } }
    _ = cloister_server_run()
    throw StartFailure(message: "CL4102: the socket can no longer be served", status: StartFailure.software)
}

/// Tells the platform, which logs it, that a session has reached a key's limit; on a worker thread.
@Sendable private func tellLimit(_ limit: LimitMessage) {
    let message = limit.bytes
    announce(message)
    // SAFETY: the array lives for the length of the call.
    _ = unsafe message.withUnsafeBytes { unsafe $0.baseAddress.map { unsafe cloister_platform_tell($0, message.count) } }
}

private struct Region: MemoryBudget {
    /// So much free memory is enough for small requests of all workers at once.
    let plenty: Int

    func reserve(_ bytes: Int, isSmall: Bool) -> Bool { cloister_region_reserve(bytes, isSmall ? plenty : 0) != 0 }
    func release() { cloister_region_release() }
}

/// Tells the platform, where nobody else can, what the next message is.
private func announce(_ message: [UInt8]) {
    guard let digest = try? DigestAlgorithm.sha256.hash(message) else { return }  // unannounced, it gets no answer
    func word(_ index: Int) -> UInt64 { (0..<8).reduce(0) { $0 | UInt64(digest[index * 8 + $1]) << (8 * UInt64($1)) } }
    cloister_platform_announce(word(0), word(1), word(2), word(3))
}

/// Asks the platform to sign a report; on a worker thread.
@Sendable private func askPlatform(_ request: ReportRequest) -> [UInt8]? {
    let question = request.bytes
    announce(question)
    var answer = [UInt8](repeating: 0, count: 4096)
    // SAFETY: both buffers live for the length of the call, which is told their sizes.
    let count = unsafe question.withUnsafeBytes { question in
        unsafe answer.withUnsafeMutableBytes { answer in
            guard let from = question.baseAddress, let to = answer.baseAddress else { return -1 }
            return unsafe cloister_platform_ask(from, question.count, to, answer.count, platformPatience)
        }
    }
    guard count > 0, count <= answer.count else { return nil }
    return request.report(inAnswer: Array(answer[..<count]))
}
