@testable import Attestation
import CellCrypto
import CellFormat
import Diagnostics
import Testing

/// The two sides of a release against each other, and a network in between that replays, alters and mixes up.
@Suite struct KeyReleaseTests {
    let platform: FakePlatform
    let policy: ReleasePolicy
    let measurement: Measurement
    let boot = [UInt8](0..<16)

    init() throws {
        platform = try FakePlatform()
        measurement = try #require(Measurement(bytes: [UInt8](repeating: 3, count: 48)))
        policy = ReleasePolicy(roots: [platform.root], measurements: [measurement])
    }

    func report(_ pending: borrowing PendingWelcome) throws -> [UInt8] {
        try platform.sign(
            AttestationReport.Statement(
                platform: .simulated, region: .memfdSecret, isDebug: false, enclaveVersion: 1, measurement: measurement,
                nonce: pending.nonce, data: pending.data, issuedAt: FakePlatform.now)
        ).bytes
    }

    /// The enclave's answer to a HELLO; its session goes to `responder`.
    func welcome(_ hello: [UInt8], _ responder: inout ReleaseResponder) throws -> [UInt8] {
        let pending = try PendingWelcome(hello: hello)
        let signed = try report(pending)
        let (welcome, session) = try pending.finish(report: signed)
        responder.insert(session)
        return welcome
    }

    func session(_ responder: inout ReleaseResponder) throws -> ReleaseSession {
        let client = try KeyReleaseClient()
        let welcome = try welcome(client.hello, &responder)
        return try client.receive(welcome: welcome, policy: policy, now: FakePlatform.now)
    }

    /// The code of the client's refusal of a WELCOME. (A move-only value can't be consumed inside `#expect`.)
    func code(_ client: consuming KeyReleaseClient, _ welcome: [UInt8]) -> ErrorCode? {
        do throws(CloisterError) {
            _ = try client.receive(welcome: welcome, policy: policy, now: FakePlatform.now)
            return nil
        } catch { return error.code }
    }

    func key(_ id: UInt32, operations: UInt32 = 3) throws -> ReleasedKey {
        ReleasedKey(id: id, try CellCipher(ColumnKey(), id: #require(KeyID(rawValue: id))), operations: operations)
    }

    static func same(_ a: borrowing ColumnKey, _ b: borrowing ColumnKey) -> Bool { constantTimeEqual(a.bytes, b.bytes) }

    func refusal(_ frame: [UInt8], _ responder: inout ReleaseResponder) -> ReleaseRefusal? {
        do { _ = try responder.open(release: frame); return nil } catch { return error }
    }

    @Test func keysArriveAsTheyWere() throws {
        var responder = ReleaseResponder()
        var session = try session(&responder)
        let sent = [try key(7), try key(0x7fff_ffff, operations: 1)]
        let opened = try responder.open(release: session.release(sent))
        #expect(opened.keys.map(\.id) == [7, 0x7fff_ffff])
        #expect(opened.keys.map(\.operations) == [3, 1])
        for (received, original) in zip(opened.keys, sent) {
            original.cipher.withColumnKey { (column: borrowing ColumnKey) in
                let same = Self.same(column, received.key)
                #expect(same)
            }
        }
        let confirmation = try session.confirm(opened.confirmation(boot: boot))
        #expect(confirmation == ReleaseConfirmation(boot: boot, keyCount: 2))
    }

    @Test func helloIsTheNonceAndWelcomeCarriesTheReport() throws {
        var responder = ReleaseResponder()
        let client = try KeyReleaseClient()
        let hello = client.hello
        #expect(hello.count == 33 && hello[0] == 1)
        let welcome = try welcome(hello, &responder)
        #expect(welcome.count == 1 + 8 + 32 + AttestationReport.byteCount && welcome[0] == 2)
        #expect(try AttestationReport(Array(welcome[41...])).statement.nonce == Array(hello[1...]))
    }

    @Test func aReplayedWelcomeIsRefused() throws {
        var responder = ReleaseResponder()
        let recorded = try welcome(try KeyReleaseClient().hello, &responder)
        let client = try KeyReleaseClient()
        let refused = code(client, recorded)
        #expect(refused == .nonceMismatch)
    }

    @Test func anExchangedKeyAgreementKeyIsRefused() throws {
        var responder = ReleaseResponder()
        let client = try KeyReleaseClient()
        var answer = try welcome(client.hello, &responder)
        answer.replaceSubrange(9..<41, with: try X25519PrivateKey().publicKey)
        let refused = code(client, answer)
        #expect(refused == .reportDataMismatch)
    }

    @Test(arguments: [0, 1, 9, 41, 300, 517])
    func truncatedWelcomes(count: Int) throws {
        var responder = ReleaseResponder()
        let client = try KeyReleaseClient()
        let answer = Array(try welcome(client.hello, &responder).prefix(count))
        let refused = code(client, answer)
        #expect(refused == (count < 41 ? .malformedFrame : .malformedReport))
    }

    @Test func anErrorFrameIsTold() throws {
        for refusal in ReleaseRefusal.allCases {
            let client = try KeyReleaseClient()
            let refused = code(client, refusal.frame)
            #expect(refused == .releaseRefused)
        }
    }

    @Test func counterReplayed() throws {
        var responder = ReleaseResponder()
        var session = try session(&responder)
        let first = try session.release([key(1)])
        let second = try session.release([key(2)])
        let third = try session.release([key(3)])
        _ = try responder.open(release: second)
        #expect(refusal(second, &responder) == .replayed)
        #expect(refusal(first, &responder) == .replayed)
        _ = try responder.open(release: third)
    }

    @Test func everyAlteredByteOfAReleaseIsRefusedAndSpendsNoCounter() throws {
        var responder = ReleaseResponder()
        var session = try session(&responder)
        let good = try session.release([key(1)])
        for position in good.indices {
            var bad = good
            bad[position] ^= 1
            #expect(refusal(bad, &responder) != nil, "byte \(position)")
        }
        for count in 0..<good.count { #expect(refusal(Array(good.prefix(count)), &responder) != nil) }
        #expect(refusal(good + [0], &responder) == .notAuthentic)
        _ = try responder.open(release: good)
    }

    @Test func aReleaseOfAnotherSessionIsRefused() throws {
        var responder = ReleaseResponder()
        var one = try session(&responder)
        var two = try session(&responder)
        let frame = try one.release([key(1)])
        let other = try two.release([key(1)])
        #expect(refusal(Array(frame[..<1] + other[1..<9] + frame[9...]), &responder) == .notAuthentic)
        #expect(refusal([3] + [UInt8](repeating: 0, count: 8) + frame[9...], &responder) == .unknownSession)
    }

    @Test func keysOutOfRangeOrTwice() throws {
        var responder = ReleaseResponder()
        var session = try session(&responder)
        let cipher = try key(1).cipher
        for ids in [[0], [0x8000_0000], [5, 5]] as [[UInt32]] {
            let frame = try session.release(ids.map { ReleasedKey(id: $0, cipher, operations: 1) })
            #expect(refusal(frame, &responder) == .badKey)
        }
    }

    @Test func howManyKeysAReleaseCarries() throws {
        var responder = ReleaseResponder()
        var session = try session(&responder)
        let cipher = try key(1).cipher
        func many(_ count: Int) -> [ReleasedKey] { (0..<count).map { ReleasedKey(id: UInt32($0 + 1), cipher, operations: 1) } }
        let most = try session.release(many(ReleaseLimits.keysPerFrame))
        #expect(most.count < 64 * 1024)
        #expect(try responder.open(release: most).keys.count == ReleaseLimits.keysPerFrame)
        #expect(throws: CloisterError(.malformedFrame, "")) { _ = try session.release(many(0)) }
        #expect(throws: CloisterError(.malformedFrame, "")) { _ = try session.release(many(ReleaseLimits.keysPerFrame + 1)) }
    }

    @Test func sessionsAreBoundedAndTheOldestGivesWay() throws {
        var responder = ReleaseResponder()
        var first = try session(&responder)
        var second = try session(&responder)
        for _ in 0..<ReleaseResponder.sessionLimit - 1 { _ = try session(&responder) }
        #expect(refusal(try first.release([key(1)]), &responder) == .unknownSession)
        #expect(refusal(try second.release([key(1)]), &responder) == nil)
    }

    @Test func malformedHellos() throws {
        func ones(_ count: Int) -> [UInt8] { [UInt8](repeating: 1, count: count) }
        for hello in [[], [1], [1] + ones(31), [1] + ones(33), [2] + ones(32)] {
            #expect(throws: ReleaseRefusal.malformed) { _ = try PendingWelcome(hello: hello) }
        }
        // Keys of small order give no secret.
        for point in [[UInt8](repeating: 0, count: 32), [1] + [UInt8](repeating: 0, count: 31)] {
            let pending = try PendingWelcome(hello: [1] + point)
            let signed = try report(pending)
            var refused: ReleaseRefusal?
            do { _ = try pending.finish(report: signed) } catch { refused = error }
            #expect(refused == .malformed)
        }
    }

    @Test func confirmationsMustBeAuthenticAndTheExpectedOne() throws {
        var responder = ReleaseResponder()
        var session = try session(&responder)
        #expect(throws: CloisterError(.releaseNotConfirmed, "")) { _ = try session.confirm([4] + [UInt8](repeating: 0, count: 44)) }
        let good = try responder.open(release: session.release([key(1)])).confirmation(boot: boot)
        for position in good.indices.dropFirst() {
            var bad = good
            bad[position] ^= 1
            #expect(throws: CloisterError(.releaseNotConfirmed, "")) { _ = try session.confirm(bad) }
        }
        #expect(throws: CloisterError(.malformedFrame, "")) { _ = try session.confirm([9]) }
        #expect(throws: CloisterError(.releaseRefused, "")) { _ = try session.confirm(ReleaseRefusal.tooManyKeys.frame) }
        _ = try session.confirm(good)
        #expect(throws: CloisterError(.releaseNotConfirmed, "")) { _ = try session.confirm(good) }
        // The confirmation of one release does not confirm the next.
        _ = try session.release([key(2)])
        #expect(throws: CloisterError(.releaseNotConfirmed, "")) { _ = try session.confirm(good) }
    }

    @Test func statusFrames() throws {
        let status = EnclaveStatus(boot: boot, version: 3, keys: [1, 0x7fff_ffff])
        #expect(try EnclaveStatus(frame: status.frame) == status)
        for count in 0..<status.frame.count {
            #expect(throws: CloisterError(.malformedFrame, "")) { _ = try EnclaveStatus(frame: Array(status.frame.prefix(count))) }
        }
        #expect(throws: CloisterError(.malformedFrame, "")) { _ = try EnclaveStatus(frame: status.frame + [0]) }
    }

    @Test func platformMessages() throws {
        let request = ReportRequest(
            sequence: 77, region: .mlock, enclaveVersion: 9, nonce: [UInt8](repeating: 1, count: 32),
            data: [UInt8](repeating: 2, count: 64))
        #expect(request.bytes.count == ReportRequest.byteCount)
        #expect(try ReportRequest(request.bytes) == request)
        for count in 0..<request.bytes.count {
            #expect(throws: CloisterError(.malformedFrame, "")) { _ = try ReportRequest(Array(request.bytes.prefix(count))) }
        }
        let report = [UInt8](repeating: 5, count: AttestationReport.byteCount)
        #expect(request.report(inAnswer: request.answer(report)) == report)
        #expect(request.report(inAnswer: request.answer(nil)) == nil)
        #expect(request.report(inAnswer: Array(request.answer(report).dropLast())) == nil)
        var other = request
        other.sequence = 78
        #expect(other.report(inAnswer: request.answer(report)) == nil)
        #expect(ReadyMessage(bytes: ReadyMessage(boot: boot).bytes)?.boot == boot)
        #expect(ReadyMessage(bytes: request.bytes) == nil)
    }
}
