internal import NIOCore
internal import NIOSSL
internal import SessionCore

/// TLS on a channel: what the machine asks for, with NIOSSL's handlers at the pipeline's head.
enum Handshakes {
    /// Begins TLS as the server; `hello` is what the client has sent of it already.
    static func begin(withClient channel: any Channel, _ context: NIOSSLContext, hello: ByteBuffer) throws {
        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context), position: .first)
        if hello.readableBytes > 0 {
            channel.pipeline.fireChannelRead(hello)
            channel.pipeline.fireChannelReadComplete()
        }
    }

    /// Begins TLS as the client. A host that is a name goes into SNI and is what the certificate must be for (verify-full); with
    /// an address that is the connection's own.
    static func begin(withServer channel: any Channel, _ context: NIOSSLContext, host: String) throws {
        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        let handler = try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : host)
        try channel.pipeline.syncOperations.addHandler(handler, position: .first)
    }

    /// What the client's handshake told. A certificate is there only if it was asked for and verified.
    static func result(of channel: any Channel, applicationProtocol: String?) -> ClientTLS {
        let certificate = try? channel.pipeline.syncOperations.nioSSL_peerCertificate()
        let names = (certificate?.subjectName ?? []).filter { $0.type == .commonName }.map(\.value)
        // More than one name, or one with a zero in it, is someone's trick.
        let name = names.count == 1 && !names[0].unicodeScalars.contains("\0") ? names[0] : nil
        return ClientTLS(applicationProtocol: applicationProtocol, certificateName: name)
    }

    /// Whether the server showed this certificate.
    static func shows(_ certificate: NIOSSLCertificate?, _ channel: any Channel) -> Bool {
        guard let certificate, let shown = try? channel.pipeline.syncOperations.nioSSL_peerCertificate() else { return false }
        return certificate == shown
    }

    static func failure(_ error: any Error) -> ServerTLSFailure {
        switch error {
        case is NIOSSLExtraError: .hostName
        case NIOSSLError.handshakeFailed(let reason):
            String(describing: reason).contains("CERTIFICATE_VERIFY_FAILED") ? .certificate : .handshake
        default: .handshake
        }
    }
}
