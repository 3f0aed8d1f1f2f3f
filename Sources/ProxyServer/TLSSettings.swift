internal import SessionCore

/// TLS on both sides, as configured. Paths are of PEM files.
package struct TLSSettings: Sendable, Equatable {
    /// A certificate, those that sign it after it, and its private key.
    package struct Identity: Sendable, Equatable {
        package var certificate: String
        package var key: String

        package init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    package enum ClientMode: Sendable, Equatable { case off, allow, require }

    /// Whether clients are asked for certificates.
    package enum ClientCertificates: Sendable, Equatable {
        case none
        /// One that is shown must be signed by the client CA.
        case verify
        /// One must be shown.
        case require
    }

    /// libpq's sslmode.
    package enum ServerMode: String, Sendable, CaseIterable {
        case disable, allow, prefer, require
        case verifyCA = "verify-ca"
        case verifyFull = "verify-full"
    }

    package struct Clients: Sendable, Equatable {
        package var mode = ClientMode.off
        /// What the proxy shows; needed unless the mode is off.
        package var identity: Identity?
        package var certificates = ClientCertificates.none
        /// The CAs whose client certificates count.
        package var authority: String?
        /// A session's user must be the common name of the certificate.
        package var nameIsUser = false
        package init() {}
    }

    package struct Server: Sendable, Equatable {
        package var mode = ServerMode.disable
        /// The CAs whose server certificates count. As in libpq, one that is named is used in every mode.
        package var root: String?
        /// What the proxy shows to a server that asks.
        package var identity: Identity?
        package init() {}
    }

    package var clients = Clients()
    package var server = Server()
    package init() {}

    var policy: TransportPolicy {
        var policy = TransportPolicy()
        switch clients.mode {
        case .off: policy.client = .off
        case .allow: policy.client = .allow
        case .require: policy.client = .require
        }
        policy.nameIsUser = clients.nameIsUser
        switch server.mode {
        case .disable: policy.server = .disable
        case .allow: policy.server = .allow
        case .prefer: policy.server = .prefer
        case .require, .verifyCA, .verifyFull: policy.server = .require
        }
        return policy
    }

    /// Every file that is read, for noticing changes.
    package var files: [String] {
        [
            clients.identity?.certificate, clients.identity?.key, clients.authority, server.root, server.identity?.certificate,
            server.identity?.key,
        ].compactMap(\.self)
    }
}
