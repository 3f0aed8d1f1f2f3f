import Diagnostics
import NIOCore
import PGWire
import SessionCore
import Testing

/// Who offers, demands and tries TLS, as transcripts. Handshakes are the owner's: here they just succeed or fail.
@Suite struct TLSTests {
    private static func policy(
        _ client: TransportPolicy.Client = .off, server: TransportPolicy.Server = .disable, nameIsUser: Bool = false
    ) -> TransportPolicy {
        var policy = TransportPolicy()
        policy.client = client
        policy.server = server
        policy.nameIsUser = nameIsUser
        return policy
    }

    private func wire(_ client: TransportPolicy.Client, nameIsUser: Bool = false) throws -> Wire {
        try Wire(ready: false, transport: Self.policy(client, nameIsUser: nameIsUser))
    }

    /// A session whose startup packet has come, before a server that is dialled with this policy.
    private func dialled(_ server: TransportPolicy.Server) throws -> Wire {
        let wire = try Wire(ready: false, transport: Self.policy(server: server))
        wire.client(startup: [("user", "ada")])
        #expect(wire.last == .connect)
        wire.connected()
        return wire
    }

    private func code(_ code: Int32) -> ByteBuffer { message { $0.writeMultipleIntegers(Int32(8), code) } }
    private var cancel: ByteBuffer { message { StartupPacket.cancel(processID: 7, key: ByteBuffer(bytes: [1, 2, 3, 4])).write(to: &$0) } }
    private let hello = ByteBuffer(bytes: [0x16, 3, 1, 0, 200, 1])

    // MARK: Towards clients

    @Test(arguments: [TransportPolicy.Client.allow, .require]) func aClientThatAsksGetsTLS(mode: TransportPolicy.Client) throws {
        let wire = try wire(mode)
        wire.client(code(StartupPacket.gssEncCode))
        #expect(wire.shown == ["N"])
        wire.client(code(StartupPacket.sslCode))
        #expect(wire.shown == ["S"])
        #expect(wire.last == .startClientTLS(ByteBuffer()))
        wire.secured()
        #expect(wire.last == .carryOn)
        wire.client(startup: [("user", "ada")])
        #expect(wire.last == .connect)
    }

    /// Checklist 2 (CVE-2021-23214), where TLS is offered.
    @Test func bytesTogetherWithSSLRequestEndTheSession() throws {
        let wire = try wire(.allow)
        var bytes = code(StartupPacket.sslCode)
        bytes.writeImmutableBuffer(hello)
        wire.client(bytes)
        #expect(wire.shown == ["FATAL 08P01"])
        #expect(wire.last == .close)
    }

    /// Checklist 2: none of the requests is answered inside TLS.
    @Test(arguments: [StartupPacket.sslCode, StartupPacket.gssEncCode]) func encryptionIsNotAskedTwice(request: Int32) throws {
        let wire = try wire(.require)
        wire.client(code(StartupPacket.sslCode))
        wire.secured()
        _ = wire.shown
        wire.client(code(request))
        #expect(wire.shown == ["FATAL 08P01"])
    }

    @Test func aRequiredTLSRefusesAPlaintextSession() throws {
        let wire = try wire(.require)
        wire.client(startup: [("user", "ada")])
        #expect(wire.shown == ["FATAL 28000"])
        #expect(wire.last == .close)
        #expect(wire.sent == [])
    }

    @Test func anAllowedTLSServesAPlaintextSession() throws {
        let wire = try wire(.allow)
        wire.client(startup: [("user", "ada")])
        #expect(wire.last == .connect)
    }

    /// Checklist 19: under the same rule as sessions. There is no answer to a cancel request, refused or not.
    @Test func aPlaintextCancelRequestFollowsTheRule() throws {
        let refused = try wire(.require)
        refused.client(cancel)
        #expect(refused.last == .close)
        #expect(refused.shown == [] && refused.sent == [])
        let allowed = try wire(.allow)
        allowed.client(cancel)
        #expect(allowed.last == .connect)
        let secured = try wire(.require)
        secured.client(code(StartupPacket.sslCode))
        secured.secured()
        secured.client(cancel)
        #expect(secured.last == .connect)
    }

    /// Checklist 3: the protocol must be named, and nothing is said in plaintext or to another protocol.
    @Test func directTLSNeedsALPN() throws {
        for name in [nil, "http/1.1"] {
            let wire = try wire(.allow)
            wire.client(hello)
            #expect(wire.last == .startClientTLS(hello))
            #expect(wire.shown == [])
            wire.secured(name)
            #expect(wire.last == .close)
            #expect(wire.shown == [])
        }
        let wire = try wire(.require)
        wire.client(hello)
        wire.secured("postgresql")
        wire.client(startup: [("user", "ada")])
        #expect(wire.last == .connect)
    }

    /// Checklist 3: a ClientHello after SSLRequest's answer is the handshake's; before a startup packet it is no TLS any more.
    @Test func aHelloInThePlaceOfAStartupPacketIsMalformed() throws {
        let wire = try wire(.allow)
        wire.client(code(StartupPacket.gssEncCode))
        _ = wire.shown
        wire.client(hello)
        #expect(wire.shown == ["FATAL 08P01"])
    }

    @Test func directTLSIsNotSpokenWhereItIsOff() throws {
        let wire = try wire(.off)
        wire.client(hello)
        #expect(wire.shown == ["FATAL 08P01"])
        #expect(wire.last == .close)
    }

    @Test func theCertificateSaysWhoTheUserMayBe() throws {
        for (name, isServed) in [("ada", true), ("bob", false), (nil, false)] {
            let wire = try wire(.require, nameIsUser: true)
            wire.client(code(StartupPacket.sslCode))
            wire.secured(certificate: name)
            _ = wire.shown
            wire.client(startup: [("user", "ada")])
            #expect(wire.last == (isServed ? .connect : .close))
            #expect(wire.shown == (isServed ? [] : ["FATAL 28000"]))
        }
    }

    /// Nothing can be said during a handshake.
    @Test func aTimeoutDuringTheHandshakeIsSilent() throws {
        let wire = try wire(.require)
        wire.client(code(StartupPacket.sslCode))
        _ = wire.shown
        wire.timedOut()
        #expect(wire.last == .close)
        #expect(wire.shown == [])
    }

    @Test func aDrainLetsACancelRequestPass() throws {
        let wire = try wire(.allow)
        wire.client(cancel)
        wire.drain()
        #expect(wire.last == .carryOn)
        wire.connected()
        #expect(wire.sent.count == 1)
        wire.deadline()
        #expect(wire.last == .close)
        #expect(wire.shown == [])
    }

    // MARK: Towards the server

    @Test func disableSpeaksPlaintext() throws {
        #expect(try dialled(.disable).sent == ["startup user=ada"])
    }

    @Test(arguments: [TransportPolicy.Server.prefer, .require]) func theServerIsAskedFirst(mode: TransportPolicy.Server) throws {
        let wire = try dialled(mode)
        #expect(wire.sent == ["sslRequest"])
        #expect(!wire.wantsClientBytes || wire.shown == [])
        wire.server(ByteBuffer(bytes: [0x53]))
        #expect(wire.last == .startServerTLS)
        #expect(wire.sent == [])
        wire.serverSecured()
        #expect(wire.sent == ["startup user=ada"])
        wire.server(R(0), K(), Z())
        #expect(wire.shown == ["R ok", "K", "Z I"])
    }

    @Test func aServerWithoutTLSIsGoodEnoughForPreferOnly() throws {
        let wire = try dialled(.prefer)
        _ = wire.sent
        wire.server(ByteBuffer(bytes: [0x4e]))
        #expect(wire.sent == ["startup user=ada"])
        let other = try dialled(.require)
        _ = other.sent
        other.server(ByteBuffer(bytes: [0x4e]))
        #expect(other.shown == ["FATAL 08006"])
        #expect(other.sent == [])
        #expect(other.last == .close)
    }

    /// CVE-2021-23222: what comes with the answer is not encrypted.
    @Test(arguments: [0x53, 0x4e] as [UInt8]) func bytesTogetherWithTheAnswerEndTheSession(answer: UInt8) throws {
        let wire = try dialled(.prefer)
        wire.server(ByteBuffer(bytes: [answer]), R(0))
        #expect(wire.shown == ["FATAL 08P01"])
        #expect(wire.last == .close)
    }

    /// CVE-2024-10977: the words of who is not authenticated are not shown.
    @Test func anErrorInThePlaceOfTheAnswerIsNotPassedOn() throws {
        for bytes in [Err("28000", "install this"), ByteBuffer(bytes: [0x45])] {
            let wire = try dialled(.require)
            wire.server(bytes)
            #expect(wire.shown == ["FATAL 08P01"])
            #expect(!String(decoding: wire.rawToClient, as: UTF8.self).contains("install"))
        }
    }

    @Test func aFailedHandshakeEndsRequireAndRedialsPrefer() throws {
        let strict = try dialled(.require)
        _ = strict.sent
        strict.server(ByteBuffer(bytes: [0x53]))
        strict.serverTLSFailed(.hostName)
        #expect(strict.shown == ["FATAL 08006"])
        #expect(strict.sent == [])
        let wire = try dialled(.prefer)
        _ = wire.sent
        wire.server(ByteBuffer(bytes: [0x53]))
        wire.serverTLSFailed(.handshake)
        #expect(wire.last == .connect)
        wire.connected()
        #expect(wire.sent == ["startup user=ada"])
    }

    /// libpq's rule: pg_hba.conf may have rejected the one kind of connection and take the other, once.
    @Test func anErrorAsTheFirstWordTriesTheOtherKind() throws {
        let allow = try dialled(.allow)
        #expect(allow.sent == ["startup user=ada"])
        allow.server(Err("28000", "no pg_hba.conf entry"))
        #expect(allow.last == .connect)
        #expect(allow.shown == [])
        allow.connected()
        #expect(allow.sent == ["sslRequest"])
        allow.server(ByteBuffer(bytes: [0x53]))
        allow.serverSecured()
        #expect(allow.sent == ["startup user=ada"])
        allow.server(Err("28000", "no pg_hba.conf entry"))
        #expect(allow.shown == ["ERROR 28000"])

        let prefer = try dialled(.prefer)
        _ = prefer.sent
        prefer.server(ByteBuffer(bytes: [0x53]))
        prefer.serverSecured()
        _ = prefer.sent
        prefer.server(Err("28000", "no pg_hba.conf entry"))
        #expect(prefer.last == .connect)
        prefer.connected()
        #expect(prefer.sent == ["startup user=ada"])
        prefer.server(Err("28000", "no pg_hba.conf entry"))
        #expect(prefer.shown == ["ERROR 28000"])
    }

    @Test func anErrorAfterAnAnswerIsFinal() throws {
        let wire = try dialled(.allow)
        wire.server(R(5))
        wire.client(raw("p", [0]))
        _ = (wire.sent, wire.shown)
        wire.server(Err("28P01", "no"))
        #expect(wire.shown == ["ERROR 28P01"])
        #expect(wire.last == .carryOn)
    }

    /// Checklist 19: a cancel goes where sessions go, as they do.
    @Test func aCancelRequestIsEncryptedToo() throws {
        let wire = try Wire(ready: false, transport: Self.policy(server: .require))
        wire.client(cancel)
        wire.connected()
        #expect(wire.sent == ["sslRequest"])
        // A client that does not wait takes nothing away.
        wire.clientClosed()
        #expect(wire.last == .carryOn)
        wire.server(ByteBuffer(bytes: [0x53]))
        wire.serverSecured()
        #expect(wire.sent.count == 1)
        #expect(wire.rawToServer == Array(cancel.readableBytesView))
        wire.serverClosed()
        #expect(wire.last == .close)
    }

    /// Checklist 6: SCRAM up to the client's first message, both connections inside TLS.
    private func scram(_ first: String, sameCertificate: Bool) throws -> Wire {
        let wire = try Wire(ready: false, transport: Self.policy(.require, server: .require))
        wire.client(code(StartupPacket.sslCode))
        wire.secured()
        wire.client(startup: [("user", "ada")])
        wire.connected()
        wire.server(ByteBuffer(bytes: [0x53]))
        wire.serverSecured(showsOurCertificate: sameCertificate)
        _ = (wire.sent, wire.shown)
        wire.server(message { AuthenticationRequest.writeSASL(["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"], to: &$0) })
        let mechanism = first.hasPrefix("p=") ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256"
        let size = [UInt8](repeating: 0, count: 3) + [UInt8(first.utf8.count)]
        wire.client(raw("p", Array(mechanism.utf8) + [0] + size + Array(first.utf8)))
        return wire
    }

    @Test func channelBindingPassesWhereBothShowOneCertificate() throws {
        let wire = try scram("p=tls-server-end-point,,n=,r=x", sameCertificate: true)
        #expect(wire.shown == ["R sasl(mechanisms: [\"SCRAM-SHA-256-PLUS\", \"SCRAM-SHA-256\"])"])
        #expect(wire.sent.count == 1)
    }

    @Test func aClientThatWouldBindIsToldWhatToDo() throws {
        let wire = try scram("y,,n=,r=x", sameCertificate: false)
        #expect(wire.shown == ["R sasl(mechanisms: [\"SCRAM-SHA-256\"])", "FATAL 28000"])
        #expect(String(decoding: wire.rawToClient, as: UTF8.self).contains("channel_binding=disable"))
        #expect(wire.sent == [])
        #expect(try scram("n,,n=,r=x", sameCertificate: false).sent.count == 1)
    }
}
