/// Runs `SessionCore`'s machines on SwiftNIO: listening, dialling, backpressure, lifecycle. Decides nothing of the
/// protocol and sees no cell: bytes go into a machine, its answers are carried out.
package import SessionCore
package import Diagnostics
package import PGWire
package import SQLBinding

/// Where the proxy listens, where the server is, and its bounds in time and number.
package struct ProxyConfiguration: Sendable {
    package struct Address: Sendable, Hashable, CustomStringConvertible {
        /// A name, an IP address, or the folder of a Unix socket (it begins with `/`).
        package var host: String
        package var port: Int

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }

        /// PostgreSQL's name for the Unix socket of this port.
        package var socketPath: String? { host.hasPrefix("/") ? "\(host)/.s.PGSQL.\(port)" : nil }

        package var description: String { socketPath ?? (host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)") }
    }

    package var listen: Address
    package var server: Address
    package var limits = Limits()
    /// Client connections served at once; more are told 53300.
    package var maxConnections = 1_000
    /// How long a client may take to authenticate (PostgreSQL's authentication_timeout is 60 s).
    package var startupTimeoutSeconds: Int64 = 60
    /// How long dialling the server may take.
    package var connectTimeoutSeconds: Int64 = 10
    /// How long sessions that are busy at shutdown may go on.
    package var drainSeconds: Int64 = 30
    /// Carries out a statement about keys or marks, elsewhere, and says how it went; nil: they are refused.
    package var administer: (@Sendable (ColumnCommand, @escaping @Sendable (Result<Void, CloisterError>) -> Void) -> Void)?
    /// Vouches for sessions towards the enclave; nil: the enclave serves any.
    package var grants: SessionGrants?
    /// Event loops; 0: one per core.
    package var threads = 0

    package init(listen: Address, server: Address) {
        self.listen = listen
        self.server = server
    }
}
