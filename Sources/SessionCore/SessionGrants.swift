internal import CellCrypto
internal import ColumnCatalog
internal import PGWire
internal import Synchronization

/// Vouches for sessions towards the enclave: what it takes from the owner, and how often keys were released.
package final class SessionGrants: Sendable {
    let vouch: @Sendable (_ challenge: [UInt8], _ writer: UInt64) -> [UInt8]?
    private let releases = Atomic<UInt64>(0)

    /// `vouch` makes the GRANT frame for a CHALLENGE frame and the id of the session's writer of operands; nil: it is none.
    package init(vouch: @escaping @Sendable (_ challenge: [UInt8], _ writer: UInt64) -> [UInt8]?) { self.vouch = vouch }

    /// Keys were released to an enclave, perhaps to another start of it: sessions are vouched for again.
    package func keysWereReleased() { releases.wrappingAdd(1, ordering: .releasing) }

    var generation: UInt64 { releases.load(ordering: .acquiring) }
}

/// Whether the enclave knows this session as one that the proxy vouches for.
struct GrantState {
    /// `SessionGrants.generation` at the last try, and the writer that was named.
    fileprivate var tried: UInt64?
    fileprivate var writer: UInt64?
    /// The server's connection to the enclave may be another than the one that was vouched for.
    fileprivate var isLost = false

    /// Carries a frame to the enclave; the answer comes in hex, whatever bytea_output says.
    static func query(_ frame: [UInt8]) -> String {
        var hex: [UInt8] = []
        Hex.append(frame.span, to: &hex)
        return
            "SELECT pg_catalog.encode(cloister.enclave_tunnel(pg_catalog.decode('\(String(decoding: hex, as: UTF8.self))', 'hex')), 'hex')"
    }

    /// A cancelled or failed question to the enclave closes the server's connection to it.
    mutating func errorCame(_ sqlState: String) {
        if sqlState.hasPrefix("YE") || sqlState == "57014" { isLost = true }
    }

}

extension Injection.Kind {
    var isOfGrant: Bool {
        switch self {
        case .challenge, .grant: true
        case .catalog, .settings: false
        }
    }
}

extension SessionMachine {
    /// Only between transactions: a refusal there costs the client nothing.
    func needsGrant(before type: FrontendType) -> Bool {
        guard let grants = resources.grants else { return false }
        switch type {
        case .query, .parse, .bind, .functionCall: break
        case .close, .copyData, .copyDone, .copyFail, .describe, .execute, .flush, .password, .sync, .terminate: return false
        }
        guard status == .idle, pending.isEmpty, !isBatchOpen, !state.catalog.markedNames.isEmpty else { return false }
        return grant.tried != grants.generation || grant.writer != cells.operands.id || grant.isLost
    }

    /// The enclave's CHALLENGE: answers it.
    mutating func challenged(_ rows: [[String?]]) {
        guard let grants = resources.grants else { return }
        grant.tried = grants.generation
        grant.writer = cells.operands.id
        grant.isLost = false
        guard let text = rows.first?.first ?? nil, let challenge = Hex.decode(Array("\\x\(text)".utf8).span),
            let frame = grants.vouch(challenge, cells.operands.id)
        else { return }
        inject([.grant(frame)])
    }

    /// The server could not ask: not before the next release of keys, or an error that tells of the enclave.
    mutating func grantFailed(_ sqlState: String) {
        grant.tried = resources.grants?.generation
        grant.writer = cells.operands.id
        // The cancel was meant for a statement that came before.
        grant.isLost = sqlState == "57014"
    }
}
