/// When a session's two connections are encrypted. The machine decides, its owner shakes hands.
package struct TransportPolicy: Sendable, Equatable {
    /// Towards clients.
    package enum Client: Sendable, Equatable {
        /// TLS is not offered.
        case off
        /// The client chooses.
        case allow
        /// A session or a cancel request in plaintext is refused.
        case require
    }

    /// Towards the server: libpq's sslmode as far as the negotiation goes. `verify-ca` and `verify-full` negotiate as `require`
    /// does; what they verify is the handshake's matter.
    package enum Server: Sendable, Equatable {
        case disable, allow, prefer, require
    }

    package var client = Client.off
    /// The session's user must be the common name of the certificate that the client showed: the server can't see it.
    package var nameIsUser = false
    package var server = Server.disable

    package init() {}
}

/// What a client's handshake told. Authenticated as far as the owner verifies certificates.
package struct ClientTLS: Sendable, Equatable {
    /// ALPN's outcome.
    package var applicationProtocol: String?
    /// The common name of the client's verified certificate.
    package var certificateName: String?

    package init(applicationProtocol: String?, certificateName: String?) {
        self.applicationProtocol = applicationProtocol
        self.certificateName = certificateName
    }

    /// The name of PostgreSQL's protocol in ALPN (IANA's registry).
    package static let postgresql = "postgresql"
}

/// Why a handshake with the server failed.
package enum ServerTLSFailure: Sendable, Equatable {
    case certificate, hostName, handshake

    var sentence: String {
        switch self {
        case .certificate: "the server's certificate is not signed by the configured root"
        case .hostName: "the server's certificate is not for the host of proxy.server"
        case .handshake: "the TLS handshake with the server failed"
        }
    }
}
