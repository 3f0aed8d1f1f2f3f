import Attestation
import CellCrypto
import CellFormat
import EnclaveABI
import Synchronization
import Testing

@testable import EnclaveEvaluator

/// Sessions, grants, limits: who is served.
@Suite struct SessionTests {
    final class Reached: Sendable {
        let messages = Mutex<[LimitMessage]>([])
    }

    let keys = KeyTable()
    let sessions: SessionTable
    let reached = Reached()
    let tunnel: ReleaseTunnel
    let evaluator: Evaluator
    let sealer: Sealer
    let operands: CellWriter
    let boot = [UInt8](repeating: 9, count: 16)
    let five: [UInt8] = [0, 0, 0, 5]

    init() throws {
        let reached = reached
        sessions = SessionTable { message in reached.messages.withLock { $0.append(message) } }
        tunnel = ReleaseTunnel(boot: boot, region: .memfdSecret, keys: keys, sessions: sessions) { _ in nil }
        evaluator = Evaluator(Enclave(keys: keys, tunnel: tunnel, sessions: sessions))
        sealer = try Sealer(7)
        operands = try CellWriter()
    }

    func allow(_ operations: UInt32, limit: UInt64 = 0) {
        #expect(keys.insert([.init(sealer.cipher, KeyOperations(rawValue: operations), limit: limit, grantor: 1)]))
    }

    func compare(_ a: [UInt8], _ b: [UInt8], _ caller: Caller) -> Answer {
        evaluator.evaluate(opcode: CLOISTER_OP_COMPARE.rawValue, request: pair(a, b).span, caller: caller)
    }
    func hash(_ cell: [UInt8], _ caller: Caller) -> UInt32 {
        evaluator.evaluate(opcode: CLOISTER_OP_HASH.rawValue, request: cell.span, caller: caller).status
    }
    func refused(_ refusal: Refusal) -> Answer { Answer(status: refusal.status) }

    /// A session that a proxy vouched for, whose operands `writer` makes.
    func grant(_ number: UInt64, peer: Int32 = 0, writer: CellWriter) throws -> Caller {
        let caller = Caller(session: number, peer: peer)
        sessions.session(caller).vouch(writer: writer.id, grantor: 1)
        return caller
    }

    @Test func withoutThePolicyAnySessionIsServed() throws {
        allow(3)
        #expect(compare(try sealer.cell(five), try sealer.cell(five, role: .operand, by: operands), Caller(session: 1)) == Answer(value: 0))
    }

    @Test func grantedOnly() throws {
        allow(3 | 16)
        let cell = try sealer.cell(five)
        let operand = try sealer.cell(five, role: .operand, by: operands)
        let stranger = Caller(session: 2)
        #expect(compare(cell, cell, stranger) == refused(.ungranted))
        #expect(compare(cell, operand, stranger) == refused(.ungranted))
        #expect(hash(cell, stranger) == CLOISTER_UNGRANTED.rawValue)
        let caller = try grant(1, writer: operands)
        #expect(compare(cell, cell, caller) == Answer(value: 0))
        #expect(compare(operand, cell, caller) == Answer(value: 0))
        #expect(hash(operand, caller) == 0)
        // What was vouched for ends with the connection; its number comes never again.
        sessions.ended(1)
        #expect(compare(cell, cell, Caller(session: 3)) == refused(.ungranted))
    }

    @Test func operandsAreTheirSessions() throws {
        allow(3 | 16)
        let cell = try sealer.cell(five)
        let first = try grant(1, writer: operands)
        let others = try CellWriter()
        let second = try grant(2, writer: others)
        let operand = try sealer.cell(five, role: .operand, by: operands)
        #expect(compare(cell, operand, first) == Answer(value: 0))
        #expect(compare(cell, operand, second) == refused(.mismatch))
        #expect(compare(operand, operand, second) == refused(.mismatch))
        #expect(hash(operand, second) == CLOISTER_MISMATCH.rawValue)
    }

    @Test func maintenance() throws {
        let cell = try sealer.cell(five)
        let operand = try sealer.cell(five, role: .operand, by: operands)
        let vacuum = Caller(session: 1, isMaintenance: true)
        allow(3 | 16)
        #expect(compare(cell, cell, vacuum) == refused(.ungranted))
        allow(3 | 16 | 32)
        #expect(compare(cell, cell, vacuum) == Answer(value: 0))
        #expect(hash(cell, vacuum) == 0)
        #expect(compare(cell, operand, vacuum) == refused(.ungranted))
        #expect(hash(operand, vacuum) == CLOISTER_UNGRANTED.rawValue)
        #expect(compare(cell, cell, Caller(session: 1)) == refused(.ungranted))
    }

    @Test func parallelWorkersJoinTheirLeader() throws {
        allow(3 | 16)
        let cell = try sealer.cell(five)
        let operand = try sealer.cell(five, role: .operand, by: operands)
        _ = try grant(1, peer: 100, writer: operands)
        _ = sessions.session(Caller(session: 2, peer: 200))
        func join(_ leader: UInt8, _ caller: Caller) -> UInt8? { tunnel.answer([12, 0, 0, 0, leader], caller: caller).first }
        let worker = Caller(session: 3, peer: 101)
        #expect(join(200, worker) == 7)  // that session was not vouched for
        #expect(join(99, worker) == 7)
        #expect(join(0, worker) == 7)
        #expect(compare(cell, operand, worker) == refused(.ungranted))
        #expect(join(100, worker) == 13)
        #expect(compare(cell, operand, worker) == Answer(value: 0))
        // Workers of a worker: no.
        #expect(join(101, Caller(session: 4, peer: 102)) == 7)
        sessions.ended(1)
        #expect(compare(cell, operand, worker) == refused(.ungranted))
    }

    @Test func limits() throws {
        allow(3, limit: 3)
        let cell = try sealer.cell(five)
        let caller = Caller(session: 1, peer: 42)
        for _ in 0..<3 { #expect(compare(cell, cell, caller) == Answer(value: 0)) }
        for _ in 0..<2 { #expect(compare(cell, cell, caller) == refused(.limit)) }
        #expect(hash(cell, caller) == CLOISTER_LIMIT.rawValue)
        #expect(reached.messages.withLock { $0 } == [LimitMessage(key: 7, peer: 42, limit: 3)])
        #expect(compare(cell, cell, Caller(session: 2)) == Answer(value: 0))
    }

    @Test func countersAreBounded() throws {
        let few = SessionTable(tallyLimit: 2)
        let evaluator = Evaluator(Enclave(keys: keys, tunnel: tunnel, sessions: few))
        allow(3)
        let cell = try sealer.cell(five)
        func ask(_ session: UInt64) -> UInt32 {
            evaluator.evaluate(opcode: CLOISTER_OP_HASH.rawValue, request: cell.span, caller: Caller(session: session)).status
        }
        #expect((1...3).map { ask(UInt64($0)) } == [0, 0, CLOISTER_NO_MEMORY.rawValue])
        few.ended(1)
        #expect(ask(4) == 0)
    }

    // MARK: The frames

    @Test func aProxyVouchesForOneConnection() throws {
        let cell = try sealer.cell(five)
        let grantor = try Grantor()
        #expect(keys.insert([.init(sealer.cipher, KeyOperations(rawValue: 3 | 16), grantor: grantor.number)]))
        tunnel.know(grantor)
        let caller = Caller(session: 1)
        let challenge = tunnel.answer(SessionGrant.challengeRequest, caller: caller)
        let frame = try grantor.grant(challenge: challenge, writer: operands.id)
        #expect(tunnel.answer(frame, caller: Caller(session: 2)) == ReleaseRefusal.noGrant.frame)  // another connection: no nonce
        _ = tunnel.answer(SessionGrant.challengeRequest, caller: Caller(session: 2))
        #expect(tunnel.answer(frame, caller: Caller(session: 2)) == ReleaseRefusal.notAuthentic.frame)  // another nonce
        #expect(compare(cell, cell, Caller(session: 2)) == refused(.ungranted))
        #expect(tunnel.answer(frame, caller: caller) == SessionGrant.grantedFrame)
        #expect(tunnel.answer(frame, caller: caller) == ReleaseRefusal.noGrant.frame)  // a nonce is good once
        #expect(compare(cell, cell, caller) == Answer(value: 0))
        #expect(compare(cell, try sealer.cell(five, role: .operand, by: operands), caller) == Answer(value: 0))
    }

    @Test func forgedGrants() throws {
        let grantor = try Grantor()
        tunnel.know(grantor)
        let caller = Caller(session: 1)
        func answer(_ make: ([UInt8]) throws -> [UInt8]) throws -> [UInt8] {
            let challenge = tunnel.answer(SessionGrant.challengeRequest, caller: caller)
            return tunnel.answer(try make(challenge), caller: caller)
        }
        #expect(try answer { try Grantor().grant(challenge: $0, writer: 1) } == ReleaseRefusal.noGrant.frame)
        for position in 9..<49 {
            #expect(
                try answer {
                    var frame = try grantor.grant(challenge: $0, writer: 1)
                    frame[position] ^= 1
                    return frame
                } == ReleaseRefusal.notAuthentic.frame)
        }
        for length in [0, 1, 8, 40, 48] {
            let refusal = try answer { Array(try grantor.grant(challenge: $0, writer: 1).prefix(max(1, length))) }
            #expect(refusal == ReleaseRefusal.malformed.frame)
        }
        #expect(try answer { try grantor.grant(challenge: $0, writer: 1) + [0] } == ReleaseRefusal.malformed.frame)
        // For another start of the enclave.
        var other = tunnel.answer(SessionGrant.challengeRequest, caller: caller)
        other[20] ^= 1
        #expect(tunnel.answer(try grantor.grant(challenge: other, writer: 1), caller: caller) == ReleaseRefusal.notAuthentic.frame)
        #expect(sessions.session(caller).grant == nil)
    }

    /// Anyone may release keys of his own: that makes him nobody's grantor under the real ones.
    @Test func strangersVouchForNothing() throws {
        allow(3 | 16)
        let cell = try sealer.cell(five)
        let stranger = Caller(session: 5)
        #expect(keys.insert([.init(try Sealer(8).cipher, .all, grantor: 2)]))
        sessions.session(stranger).vouch(writer: operands.id, grantor: 2)
        #expect(compare(cell, cell, stranger) == refused(.ungranted))
        // Replacing the key itself makes its cells unreadable, and the proxy's next release puts him out again.
        #expect(keys.insert([.init(try Sealer(7).cipher, KeyOperations(rawValue: 3), grantor: 2)]))
        #expect(compare(cell, cell, stranger) == refused(.badCell))
        allow(3 | 16)
        #expect(compare(cell, cell, stranger) == refused(.ungranted))
        // Another proxy that has the key joins those who may vouch for its sessions; it does not take the policy back.
        #expect(keys.insert([.init(sealer.cipher, KeyOperations(rawValue: 3), grantor: 3)]))
        #expect(compare(cell, cell, Caller(session: 6)) == refused(.ungranted))
        #expect(compare(cell, cell, try grant(1, writer: operands)) == Answer(value: 0))
        sessions.session(Caller(session: 7)).vouch(writer: operands.id, grantor: 3)
        #expect(compare(cell, cell, Caller(session: 7)) == Answer(value: 0))
    }

    @Test func grantorsAreBounded() throws {
        var table = GrantorTable()
        let first = try Grantor()
        table.insert(first)
        #expect(table.grantor(first.id) === first)
        for _ in 0..<GrantorTable.limit { table.insert(try Grantor()) }
        #expect(table.grantor(first.id) == nil)
    }
}
