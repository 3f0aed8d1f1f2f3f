/// A certificate (with those that sign it after it) and its private key: absolute paths of PEM files.
package struct TLSIdentity: Sendable, Equatable {
    package var certificate: String
    package var key: String

    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

/// `proxy.tls`: how clients connect.
package struct ListenerTLS: Sendable, Equatable {
    package enum Mode: String, Sendable, CaseIterable { case off, allow, require }

    package enum ClientCertificates: String, Sendable, CaseIterable { case none, verify, require }

    package enum ClientName: String, Sendable, CaseIterable { case any, user }

    package var mode = Mode.off
    package var identity: TLSIdentity?
    /// Absolute path of the CAs that sign clients' certificates.
    package var clientCA: String?
    package var clientCertificates = ClientCertificates.none
    /// `user`: the certificate's common name is the only user that its holder may be.
    package var clientName = ClientName.any

    package init() {}
}

/// `proxy.server_tls`: how the proxy connects to the server. libpq's names and meanings.
package struct ServerTLS: Sendable, Equatable {
    /// The raw value is libpq's sslmode.
    package enum Mode: String, Sendable, CaseIterable {
        case disable, allow, prefer, require
        case verifyCA = "verify-ca"
        case verifyFull = "verify-full"
    }

    package var mode = Mode.prefer
    /// Absolute path of the CAs that sign the server's certificate.
    package var root: String?
    package var identity: TLSIdentity?

    package init() {}
}
