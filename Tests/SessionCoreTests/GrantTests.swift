import NIOCore
import PGWire
import SQLBinding
import Synchronization
import Testing

@testable import SessionCore

/// `enclave.sessions: granted`: the proxy vouches for the session on the session's own connection.
@Suite struct GrantTests {
    final class Asked: Sendable {
        let challenges = Mutex<[[UInt8]]>([])
        let writers = Mutex<[UInt64]>([])
    }
    let asked = Asked()
    let grants: SessionGrants

    init() {
        let asked = asked
        grants = SessionGrants { challenge, writer in
            asked.challenges.withLock { $0.append(challenge) }
            asked.writers.withLock { $0.append(writer) }
            return challenge == [9, 9] ? [10, 0xab] : nil
        }
    }

    private func query(_ hex: String) -> [String] {
        [
            "P cloister_injected SELECT pg_catalog.encode(cloister.enclave_tunnel(pg_catalog.decode('\(hex)', 'hex')), 'hex')",
            "B cloister_injected cloister_injected ", "E cloister_injected", "CP cloister_injected", "CS cloister_injected", "Sync",
        ]
    }

    private func answer(_ wire: Wire, _ hex: String) {
        wire.server(ParseComplete, BindComplete, D(hex), C("SELECT 1"), CloseComplete, CloseComplete, Z())
    }

    /// A session whose first statement waits for the challenge's answer.
    private func started() throws -> Wire {
        let wire = try Wire(settled: false, grants: grants)
        wire.client(Q("select 1"))
        #expect(wire.sent == query("08"))
        #expect(!wire.wantsClientBytes)
        return wire
    }

    @Test func beforeTheFirstStatement() throws {
        let wire = try started()
        answer(wire, "0909")
        #expect(asked.challenges.withLock { $0 } == [[9, 9]])
        #expect(wire.sent == query("0aab"))
        answer(wire, "0b")
        #expect(wire.shown == [])
        wire.answerSettings()
        #expect(wire.sent.last == "Q select 1")
        wire.server(C("SELECT 1"), Z())
        wire.client(Q("select 2"))
        #expect(wire.sent == ["Q select 2"])  // once is enough
    }

    @Test func refusalsStopNothing() throws {
        for (challenge, grant) in [("0709", nil), ("0909", "0704"), ("zz", nil), ("", nil)] as [(String, String?)] {
            let wire = try started()
            answer(wire, challenge)
            if let grant {
                #expect(wire.sent == query("0aab"))
                answer(wire, grant)
            }
            wire.answerSettings()
            #expect(wire.sent.last == "Q select 1")
            wire.server(C("SELECT 1"), Z())
            #expect(wire.shown == ["C SELECT 1", "Z I"])
            #expect(wire.isIdle)
        }
    }

    @Test func anErrorOfTheServersStopsNothing() throws {
        let wire = try started()
        wire.server(Err("42883", "no such function"), Z())
        #expect(wire.shown == [])
        #expect(wire.sent.first == "CS cloister_injected")  // its name may be left over
        wire.server(CloseComplete)
        wire.answerSettings()
        #expect(wire.sent.last == "Q select 1")
        wire.server(C("SELECT 1"), Z())
        wire.client(Q("select 2"))
        #expect(wire.sent == ["Q select 2"])  // not again before keys are released
        wire.server(C("SELECT 1"), Z())
        grants.keysWereReleased()
        wire.client(Q("select 3"))
        #expect(wire.sent == query("08"))
    }

    @Test(arguments: ["YE006", "YE001", "57014"]) func afterAnErrorThatTellsOfTheEnclave(state: String) throws {
        let wire = try started()
        answer(wire, "0909")
        _ = wire.sent
        answer(wire, "0b")
        wire.answerSettings()
        wire.server(C("SELECT 1"), Z())
        _ = (wire.sent, wire.shown)
        wire.client(Q("begin"))
        wire.server(C("BEGIN"), Z("T"))
        wire.client(Q("select 2"))
        wire.server(Err(state, "no"), Z("E"))
        _ = (wire.sent, wire.shown)
        wire.client(Q("rollback"))
        #expect(wire.sent == ["Q rollback"])  // never within a transaction
        wire.server(C("ROLLBACK"), Z())
        wire.client(Q("select 3"))
        #expect(wire.sent == query("08"))
        #expect(asked.writers.withLock { Set($0).count } == 1)  // its operands stay its own
    }

    @Test func withoutThePolicyNothingIsAsked() throws {
        let wire = try Wire()
        wire.client(Q("select 1"))
        #expect(wire.sent == ["Q select 1"])
    }
}
