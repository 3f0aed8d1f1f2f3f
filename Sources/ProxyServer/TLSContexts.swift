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

    var clients: NIOSSLContext? { current.withLock { $0.clients } }
    var server: NIOSSLContext? { current.withLock { $0.server } }

    private static func load(_ settings: TLSSettings) throws(CloisterError) -> Contexts {
        Contexts(
            clients: settings.clients.mode == .off ? nil : try clients(settings.clients),
            server: settings.server.mode == .disable ? nil : try server(settings.server))
    }

    private static func clients(_ settings: TLSSettings.Clients) throws(CloisterError) -> NIOSSLContext {
        guard let identity = settings.identity else {
            throw CloisterError(.tlsFile, "TLS towards clients needs a certificate and its key")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try certificates(identity.certificate, "proxy.tls.certificate").map { .certificate($0) },
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
        return try context(configuration, identity.key, "proxy.tls.key")
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
