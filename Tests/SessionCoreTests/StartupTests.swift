import Diagnostics
import NIOCore
import PGWire
import SessionCore
import Testing

@Suite struct StartupTests {
    private func startup(_ options: [(String, String)]) throws -> Wire {
        let wire = try Wire(ready: false)
        wire.client(startup: options)
        return wire
    }

    private func code(_ code: Int32) -> ByteBuffer { message { $0.writeMultipleIntegers(Int32(8), code) } }

    @Test func aStartupReachesTheServerAndItsAnswersTheClient() throws {
        let wire = try startup([("user", "ada"), ("application_name", "psql")])
        #expect(wire.last == .connect)
        #expect(wire.sent == [])
        wire.connected()
        #expect(wire.sent == ["startup user=ada application_name=psql"])
        wire.server(R(0), S("TimeZone", "UTC"), K(), Z())
        #expect(wire.shown == ["R ok", "S TimeZone=UTC", "K", "Z I"])
        wire.client(Q("begin"))
        #expect(wire.sent == ["Q begin"])
    }

    /// Checklist 2: one of each, `N` to both, in any order, on the same connection.
    @Test func encryptionRequestsAreDeclinedOnceEach() throws {
        let wire = try Wire(ready: false)
        wire.client(code(StartupPacket.gssEncCode))
        #expect(wire.shown == ["N"])
        wire.client(code(StartupPacket.sslCode))
        #expect(wire.shown == ["N"])
        wire.client(code(StartupPacket.sslCode))
        #expect(wire.shown == ["FATAL 08P01"])
        #expect(wire.last == .close)
    }

    /// Checklist 2 (CVE-2021-23214): what comes with SSLRequest was not sent in answer to ours.
    @Test func bytesTogetherWithSSLRequestAreRefused() throws {
        let wire = try Wire(ready: false)
        var bytes = code(StartupPacket.sslCode)
        StartupPacket.startup(StartupMessage(options: [("user", "mallory")])).write(to: &bytes)
        wire.client(bytes)
        #expect(wire.shown == ["FATAL 08P01"])
        #expect(wire.sent == [])
        #expect(wire.last == .close)
    }

    @Test(arguments: [3, 5] as [UInt8]) func passwordsPassThrough(method: UInt8) throws {
        let wire = try startup([("user", "ada")])
        wire.connected()
        _ = wire.sent
        wire.server(backend(.authentication, [0, 0, 0, method] + (method == 5 ? [1, 2, 3, 4] : [])))
        #expect(wire.shown == [method == 3 ? "R cleartextPassword" : "R md5Password"])
        wire.client(raw("p", Array("secret\0".utf8)))
        #expect(wire.sent == ["p <7 bytes>"])
        wire.server(R(0), Z())
        #expect(wire.shown == ["R ok", "Z I"])
    }

    /// Checklist 6: SCRAM passes, SCRAM-SHA-256-PLUS is withdrawn.
    @Test func scramPassesWithoutChannelBinding() throws {
        let wire = try startup([("user", "ada")])
        wire.connected()
        _ = wire.sent
        wire.server(message { AuthenticationRequest.writeSASL(["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"], to: &$0) })
        #expect(wire.shown == ["R sasl(mechanisms: [\"SCRAM-SHA-256\"])"])
        wire.client(raw("p", [1]))
        wire.server(R(11))
        wire.client(raw("p", [2]))
        wire.server(R(12), R(0), Z())
        #expect(wire.sent == ["p <1 bytes>", "p <1 bytes>"])
        #expect(wire.shown == ["R saslContinue", "R saslFinal", "R ok", "Z I"])
    }

    @Test func scramWithChannelBindingOnlyIsAClearError() throws {
        let wire = try startup([("user", "ada")])
        wire.connected()
        wire.server(message { AuthenticationRequest.writeSASL(["SCRAM-SHA-256-PLUS"], to: &$0) })
        #expect(wire.shown == ["FATAL 0A000"])
        #expect(wire.last == .close)
    }

    /// Checklist 5: during authentication nothing but `p`.
    @Test func anythingButAPasswordDuringAuthenticationEndsTheSession() throws {
        for intruder in [Q("select 1"), message { StartupPacket.startup(StartupMessage(options: [("user", "root")])).write(to: &$0) }] {
            let wire = try startup([("user", "ada")])
            wire.connected()
            _ = wire.sent
            wire.server(backend(.authentication, [0, 0, 0, 5, 1, 2, 3, 4]))
            _ = wire.shown
            wire.client(intruder)
            #expect(wire.shown == ["FATAL 08P01"])
            #expect(wire.sent == [])
            #expect(wire.last == .close)
        }
    }

    /// Checklist 5: after a failed password nothing of the client's reaches anyone.
    @Test func afterAFailedPasswordAQueryGetsTheEnd() throws {
        let wire = try startup([("user", "ada")])
        wire.connected()
        wire.server(backend(.authentication, [0, 0, 0, 5, 1, 2, 3, 4]))
        wire.client(raw("p", [0]))
        _ = (wire.sent, wire.shown)
        wire.server(Err("28P01", "no"))
        #expect(wire.shown == ["ERROR 28P01"])
        wire.client(Q("select 1"))
        #expect(wire.sent == [])
        wire.serverClosed()
        #expect(wire.last == .close)
        wire.client(Q("select 1"))
        #expect(wire.sent == [] && wire.shown == [])
    }

    /// Checklist 6 (CVE-2026-6666).
    @Test func anErrorWithoutSQLSTATEDuringAuthenticationPasses() throws {
        let wire = try startup([("user", "ada")])
        wire.connected()
        wire.server(backend(.errorResponse, [0x4d, 0x6e, 0x6f, 0, 0]))
        #expect(wire.shown == ["? ?"])
    }

    /// Checklist 4: the server's NegotiateProtocolVersion and a key of 256 bytes reach the client.
    @Test func protocol32Passes() throws {
        let wire = try Wire(ready: false)
        wire.client(message { StartupPacket.startup(StartupMessage(version: 3 << 16 | 2, options: [("user", "ada")])).write(to: &$0) })
        wire.connected()
        wire.server(backend(.negotiateProtocolVersion, [0, 3, 0, 0, 0, 0, 0, 0]), R(0), K([UInt8](repeating: 5, count: 256)), Z())
        #expect(wire.shown == ["v", "R ok", "K", "Z I"])
    }

    @Test(arguments: [0, 3, 257]) func aCancelKeyOfAnotherLengthIsRefused(count: Int) throws {
        let wire = try startup([("user", "ada")])
        wire.connected()
        wire.server(R(0), K([UInt8](repeating: 5, count: count)))
        #expect(wire.shown == ["R ok", "FATAL 08P01"])
    }

    /// Checklist 19: the key goes to the server as it came.
    @Test func aCancelRequestIsForwarded() throws {
        for key in [[1, 2, 3, 4], [UInt8](repeating: 9, count: 32)] {
            let wire = try Wire(ready: false)
            let packet = message { StartupPacket.cancel(processID: 77, key: ByteBuffer(bytes: key)).write(to: &$0) }
            wire.client(packet)
            #expect(wire.last == .connect)
            wire.connected()
            #expect(wire.sent.count == 1 && wire.rawToServer == Array(packet.readableBytesView))
            #expect(wire.last == .carryOn)
            // It is over when the server says so, whatever the client does meanwhile.
            wire.clientClosed()
            #expect(wire.last == .carryOn)
            wire.serverClosed()
            #expect(wire.last == .close)
            #expect(wire.shown == [])
        }
    }

    /// Checklist 24.
    @Test(arguments: ["true", "database", "on", "1"]) func replicationIsRefused(value: String) throws {
        let wire = try startup([("user", "ada"), ("replication", value)])
        #expect(wire.shown == ["FATAL 0A000"])
        #expect(wire.last == .close)
    }

    @Test func replicationFalseIsAnOrdinarySession() throws {
        #expect(try startup([("user", "ada"), ("replication", "false")]).last == .connect)
    }

    @Test func aStartupWithoutUserIsRefused() throws {
        #expect(try startup([("database", "db")]).shown == ["FATAL 08P01"])
    }

    @Test func anUnreachableServerIsTold() throws {
        let wire = try startup([("user", "ada")])
        wire.unreachable()
        #expect(wire.shown == ["FATAL 08006"])
        #expect(wire.last == .close)
    }

    @Test func aSlowAuthenticationIsEnded() throws {
        let wire = try startup([("user", "ada")])
        wire.connected()
        wire.timedOut()
        #expect(wire.shown == ["FATAL 57014"])
        let other = try Wire()
        other.timedOut()
        #expect(other.shown == [] && other.last == .carryOn)
    }

    @Test func aFullProxySaysSoAfterTheStartupPacket() throws {
        let wire = try Wire(ready: false, admission: CloisterError(.tooManyConnections, "full"))
        wire.client(startup: [("user", "ada")])
        #expect(wire.shown == ["FATAL 53300"])
    }

    /// The client's bytes before the first ReadyForQuery wait for it.
    @Test func anEarlyQueryWaitsForReady() throws {
        let wire = try startup([("user", "ada")])
        wire.connected()
        _ = wire.sent
        wire.server(R(0))
        wire.client(Q("begin"))
        #expect(wire.sent == [])
        #expect(!wire.wantsClientBytes)
        wire.server(Z())
        #expect(wire.sent == ["Q begin"])
        #expect(wire.wantsClientBytes)
    }

    @Test func aServerThatSpeaksOutOfTurnEndsTheSession() throws {
        for intruder in [Z(), K(), D("1"), S("a", "b")] {
            let wire = try startup([("user", "ada")])
            wire.connected()
            wire.server(intruder)
            #expect(wire.shown == ["FATAL 08P01"])
        }
    }

    @Test func everythingWorksByteByByte() throws {
        let wire = try Wire(ready: false)
        wire.clientDrip(message { StartupPacket.startup(StartupMessage(options: [("user", "ada")])).write(to: &$0) })
        #expect(wire.last == .connect)
        wire.connected()
        wire.serverDrip(R(0), S("DateStyle", "ISO, MDY"), K(), Z())
        #expect(wire.shown == ["R ok", "S DateStyle=ISO, MDY", "K", "Z I"])
    }

    @Test func extendedMessagesWorkByteByByte() throws {
        let wire = try Wire()
        wire.clientDrip(P("s", "select $1"), B("", "s", ["1"]), E(""), Sync)
        #expect(wire.sent == ["P s select $1", "B  s 1", "DP ", "E ", "Sync"])
        wire.serverDrip(ParseComplete, BindComplete, T(("a", 25)), D("1"), C("SELECT 1"), Z())
        #expect(wire.shown == ["1", "2", "D 1", "C SELECT 1", "Z I"])
    }
}
