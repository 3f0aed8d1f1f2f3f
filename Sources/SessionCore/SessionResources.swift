package import CellCrypto
package import Diagnostics
package import PGWire
package import SQLBinding

/// What the sessions of one event loop share. Not Sendable: it belongs to its loop.
package final class SessionResources {
    package let limits: Limits
    let transport: TransportPolicy
    /// `Binder.bind`; a closure, so that tests can script it.
    package typealias Bind = @Sendable (_ text: [UInt8], _ context: BindContext) -> BindOutcome
    let bind: Bind
    let catalogs: CatalogStore
    let cells: CellService
    let zones = TimeZones()
    /// The time, in microseconds since 2000-01-01 00:00 UTC: the proxy's own, for a server that told it could choose operands.
    package typealias Clock = @Sendable () -> Int64
    let now: Clock
    /// nil: the enclave serves any session.
    let grants: SessionGrants?

    /// Draws a cell writer's id. Throws `cryptographyFailed`.
    package init(
        limits: Limits, transport: TransportPolicy = TransportPolicy(), bind: @escaping Bind, catalogs: CatalogStore, keys: KeyRing,
        grants: SessionGrants? = nil, now: @escaping Clock
    ) throws(CloisterError) {
        self.limits = limits
        self.transport = transport
        self.bind = bind
        self.catalogs = catalogs
        self.now = now
        self.grants = grants
        cells = try CellService(keys: keys)
    }
}
