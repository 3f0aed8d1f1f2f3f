/// One request's work inside the enclave: checks the request's bytes, opens the cells, compares, hashes, matches or sums
/// up their values, and answers with a status that says nothing else.
///
/// What is here: `Evaluator` (one per worker thread), `KeyTable` (the released keys and their policies), value order and
/// normalisation as in PostgreSQL, and the tunnel to `Attestation`. `Unsafe/` holds the only code that touches shared
/// memory. What must not be here: sockets, threads, SQL, the catalog, who the client is; an operation that returns
/// plaintext or seals a plaintext given from outside.
internal import EnclaveABI

/// Raised by the enclave's author when its behaviour changes so that an old one must not be trusted with keys any more
/// (`minimum_version` of the proxy's policy).
package let enclaveVersion: UInt32 = 1

/// An answer's status (`enum cloister_status`), as an error inside this module: constant, without context.
package struct Refusal: Error, Equatable, Sendable {
    package let status: UInt32

    init(_ status: cloister_status) { self.status = status.rawValue }

    package static let badRequest = Refusal(CLOISTER_BAD_REQUEST)
    package static let badCell = Refusal(CLOISTER_BAD_CELL)
    package static let noKey = Refusal(CLOISTER_NO_KEY)
    package static let mismatch = Refusal(CLOISTER_MISMATCH)
    package static let forbidden = Refusal(CLOISTER_FORBIDDEN)
    package static let tooLarge = Refusal(CLOISTER_TOO_LARGE)
    package static let noMemory = Refusal(CLOISTER_NO_MEMORY)
    package static let disabled = Refusal(CLOISTER_DISABLED)
    package static let badPattern = Refusal(CLOISTER_BAD_PATTERN)
    package static let nondeterministic = Refusal(CLOISTER_NONDETERMINISTIC)
    package static let smallGroup = Refusal(CLOISTER_SMALL_GROUP)
    package static let repeatedCell = Refusal(CLOISTER_REPEATED_CELL)
    package static let outOfRange = Refusal(CLOISTER_OUT_OF_RANGE)
    package static let ungranted = Refusal(CLOISTER_UNGRANTED)
    package static let limit = Refusal(CLOISTER_LIMIT)
}
