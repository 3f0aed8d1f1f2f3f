package import Diagnostics
internal import NIOSSL
internal import SessionCore
internal import Synchronization

extension ErrorCode {
    /// A file of `proxy.tls` or `proxy.server_tls` can't be used.
    package static let tlsFile = ErrorCode("CL5043", sqlState: "F0000")
}

/// The certificates and keys of both sides, as read last. Sessions that begin after `reload` use the new ones; those that
/// are open keep theirs.
package final class TLSContexts: Sendable {
    private struct Contexts {
        var clients: NIOSSLContext?
        /// What clients are shown.
        var certificate: NIOSSLCertificate?
        var server: NIOSSLContext?
    }

    package let settings: TLSSettings
    private let current: Mutex<Contexts>

    /// Reads the files. Throws `tlsFile` with the path of the first that is wrong.
    package init(_ settings: TLSSettings) throws(CloisterError) {
        self.settings = settings
        current = Mutex(try Self.load(settings))
    }

    /// Without TLS.
    package init() {
        settings = TLSSettings()
        current = Mutex(Contexts())
    }

    /// Reads the files again. If one is wrong, all stay as they were.
    package func reload() throws(CloisterError) {
        let loaded = try Self.load(settings)
        current.withLock { $0 = loaded }
    }

    /// For one client: how to shake hands, and the certificate that it is shown.
    var clients: (context: NIOSSLContext, certificate: NIOSSLCertificate?)? {
        current.withLock { contexts in contexts.clients.map { ($0, contexts.certificate) } }
    }
    var server: NIOSSLContext? { current.withLock { $0.server } }

    private static func load(_ settings: TLSSettings) throws(CloisterError) -> Contexts {
        var contexts = Contexts()
        if settings.clients.mode != .off { (contexts.clients, contexts.certificate) = try clients(settings.clients) }
        if settings.server.mode != .disable { contexts.server = try server(settings.server) }
        return contexts
    }

    private static func clients(_ settings: TLSSettings.Clients) throws(CloisterError) -> (NIOSSLContext, NIOSSLCertificate?) {
        guard let identity = settings.identity else {
            throw CloisterError(.tlsFile, "TLS towards clients needs a certificate and its key")
        }
        let chain = try certificates(identity.certificate, "proxy.tls.certificate")
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(try key(identity.key, "proxy.tls.key")))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = [ClientTLS.postgresql]
        switch (settings.certificates, settings.authority) {
        case (.none, _): configuration.certificateVerification = .none
        case (_, nil): throw CloisterError(.tlsFile, "client certificates can't be verified without proxy.tls.client_ca")
        case (.verify, let authority?):
            configuration.certificateVerification = .optionalVerification
            configuration.trustRoots = .certificates(try certificates(authority, "proxy.tls.client_ca"))
            configuration.sendCANameList = true
        case (.require, let authority?):
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = .certificates(try certificates(authority, "proxy.tls.client_ca"))
            configuration.sendCANameList = true
        }
        return (try context(configuration, identity.key, "proxy.tls.key"), chain.first)
    }

    private static func server(_ settings: TLSSettings.Server) throws(CloisterError) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = [ClientTLS.postgresql]
        configuration.certificateVerification = .none
        if let root = settings.root {
            configuration.trustRoots = .certificates(try certificates(root, "proxy.server_tls.root"))
            configuration.certificateVerification = settings.mode == .verifyFull ? .fullVerification : .noHostnameVerification
        } else if settings.mode == .verifyCA || settings.mode == .verifyFull {
            throw CloisterError(.tlsFile, "proxy.server_tls.root is needed to verify the server's certificate")
        }
        if let identity = settings.identity {
            configuration.certificateChain = try certificates(identity.certificate, "proxy.server_tls.certificate").map { .certificate($0) }
            configuration.privateKey = .privateKey(try key(identity.key, "proxy.server_tls.key"))
        }
        return try context(configuration, settings.identity?.key ?? settings.root ?? "", "proxy.server_tls")
    }

    // What BoringSSL says of a file may quote it: our errors carry the path only.

    private static func certificates(_ path: String, _ what: String) throws(CloisterError) -> [NIOSSLCertificate] {
        do {
            return try NIOSSLCertificate.fromPEMFile(path)
        } catch {
            throw CloisterError(.tlsFile, "the file of \(what) holds no certificates in PEM, or can't be read", location: path)
        }
    }

    private static func key(_ path: String, _ what: String) throws(CloisterError) -> NIOSSLPrivateKey {
        do {
            return try NIOSSLPrivateKey(file: path, format: .pem)
        } catch {
            throw CloisterError(
                .tlsFile, "the file of \(what) holds no private key in PEM, or can't be read", hint: "it must have no passphrase",
                location: path)
        }
    }

    private static func context(_ configuration: TLSConfiguration, _ path: String, _ what: String) throws(CloisterError) -> NIOSSLContext {
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw CloisterError(
                .tlsFile, "the files of \(what) don't belong together", hint: "is the key that of the certificate?", location: path)
        }
    }
}
