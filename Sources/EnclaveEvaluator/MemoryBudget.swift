internal import EnclaveABI

/// What requests may take of the enclave's memory. Swift ends the process when an allocation fails: so for each request its
/// worst case is put aside before it begins, and it is refused (`CLOISTER_NO_MEMORY`) if that is not there.
package protocol MemoryBudget: Sendable {
    /// For the calling thread. `isSmall`: no block of the request is larger than 64 KiB.
    func reserve(_ bytes: Int, isSmall: Bool) -> Bool
    func release()
}

/// Outside the enclave: tests.
struct UnlimitedMemory: MemoryBudget {
    func reserve(_ bytes: Int, isSmall: Bool) -> Bool { true }
    func release() {}
}

/// The worst case of a request, from above: new memory, besides what the worker's buffers hold.
struct MemoryNeed {
    /// Contexts of OpenSSL, a session, an ICU collator; and the heap opens a span of 64 KiB for a size it has not met.
    private static let base = 256 * 1024
    /// A key's contexts, per 40 bytes of a RELEASE.
    private static let perKey = 6 * 1024

    /// No block that such a request leads to is larger than four times this: a span of the heap.
    private static let largestSmall = 16 * 1024

    let bytes: Int
    let isSmall: Bool

    /// A buffer of this size.
    init(buffer count: Int) {
        bytes = count + 64 * 1024
        isSmall = false
    }

    init(opcode: UInt32, _ request: Span<UInt8>) {
        let count = request.count
        let factor: Int
        switch opcode {
        // Values, together no longer than the request, and numbers in another form.
        case CLOISTER_OP_COMPARE.rawValue: factor = Self.isPlain(request, cellAt: 8) ? 2 : 16
        case CLOISTER_OP_HASH.rawValue: factor = Self.isPlain(request, cellAt: 0) ? 2 : 16
        case CLOISTER_OP_AGGREGATE.rawValue, CLOISTER_OP_TUNNEL.rawValue: factor = 4
        // Collations and MATCH: sort keys and text in small letters, UTF-16 on the way, arrays that double.
        default: factor = 16
        }
        let keys = opcode == CLOISTER_OP_TUNNEL.rawValue ? count / 40 * Self.perKey : 0
        bytes = Self.base + factor * count + keys
        isSmall = count <= Self.largestSmall && keys <= Self.base
    }

    /// Without a collation, of the first cell: the other must have the same one.
    private static func isPlain(_ request: Span<UInt8>, cellAt offset: Int) -> Bool {
        request.count > offset + 3 && request[offset + 3] == 0
    }
}
