import CellCrypto
import CellFormat
import EnclaveABI
@testable import EnclaveEvaluator
import Testing

/// A key that was released and a writer that seals with it.
struct Sealer {
    let id: KeyID
    let cipher: CellCipher
    let writer: CellWriter

    init(_ number: UInt32) throws {
        id = try #require(KeyID(rawValue: number))
        cipher = try CellCipher(ColumnKey(), id: id)
        writer = try CellWriter()
    }

    func cell(
        _ value: [UInt8], _ type: LogicalType = .int4, role: CellRole = .stored, by other: CellWriter? = nil, collation: UInt8 = 0
    ) throws -> [UInt8] {
        try (other ?? writer).seal(
            value.span, role: role, type: EncryptedType(type, .randomized, key: id, collation: collation), with: cipher)
    }
}

struct NoTunnel: Tunnel {
    func answer(_ frame: [UInt8], caller: Caller) -> [UInt8] { Array(frame.reversed()) }
}

extension KeyTable {
    /// Keys without a limit.
    func insert(_ released: [(CellCipher, KeyOperations)]) -> Bool { insert(released.map { Released($0.0, $0.1) }) }
}

func pair(_ a: [UInt8], _ b: [UInt8]) -> [UInt8] {
    [a, b].flatMap { cell in (0..<4).map { UInt8(truncatingIfNeeded: cell.count >> (8 * $0)) } } + a + b
}

@Suite struct EvaluatorTests {
    let keys = KeyTable()
    let evaluator: Evaluator
    let sealer: Sealer
    let five: [UInt8] = [0, 0, 0, 5]

    init() throws {
        evaluator = Evaluator(Enclave(keys: keys, tunnel: NoTunnel()))
        sealer = try Sealer(7)
        #expect(keys.insert([(sealer.cipher, KeyOperations.all)]))
    }

    func ask(_ opcode: UInt32, _ request: [UInt8]) -> Answer { evaluator.evaluate(opcode: opcode, request: request.span) }
    func compare(_ a: [UInt8], _ b: [UInt8]) -> Answer { ask(CLOISTER_OP_COMPARE.rawValue, pair(a, b)) }
    func hash(_ cell: [UInt8]) -> Answer { ask(CLOISTER_OP_HASH.rawValue, cell) }

    func refused(_ refusal: Refusal) -> Answer { Answer(status: refusal.status) }

    @Test func comparesStoredCellsWithStoredCellsAndOperands() throws {
        let operands = try CellWriter()
        let low = try sealer.cell([0xff, 0xff, 0xff, 0xff])
        let high = try sealer.cell(five)
        #expect(compare(low, high) == Answer(value: -1))
        #expect(compare(high, low) == Answer(value: 1))
        #expect(compare(high, try sealer.cell(five, role: .operand, by: operands)) == Answer(value: 0))
        #expect(compare(try sealer.cell(five, role: .operand, by: operands), low) == Answer(value: 1))
    }

    @Test func operandsMeetOnlyIfOneWriterMadeThem() throws {
        let operands = try CellWriter()
        let first = try sealer.cell(five, role: .operand, by: operands)
        let second = try sealer.cell([0, 0, 0, 6], role: .operand, by: operands)
        #expect(compare(first, second) == Answer(value: -1))
        #expect(compare(first, try sealer.cell(five, role: .operand)) == refused(.mismatch))
    }

    @Test func resultsMeetNobody() throws {
        let result = try sealer.cell(five, role: .result)
        #expect(compare(result, try sealer.cell(five)) == refused(.mismatch))
        #expect(compare(try sealer.cell(five, role: .operand), result) == refused(.mismatch))
        #expect(compare(result, result) == refused(.mismatch))
        #expect(hash(result) == refused(.mismatch))
    }

    @Test func keyTypeCollationAndAlgorithmMustAgree() throws {
        let other = try Sealer(8)
        #expect(keys.insert([(other.cipher, KeyOperations.all)]))
        let cell = try sealer.cell(five)
        #expect(compare(cell, try other.cell(five)) == refused(.mismatch))
        #expect(compare(cell, try sealer.cell(five, .date)) == refused(.mismatch))
        #expect(compare(try sealer.cell(five, .text), try sealer.cell(five, .varchar)) == refused(.mismatch))
        #expect(compare(try sealer.cell(five, .text, collation: 3), try sealer.cell(five, .text)) == refused(.mismatch))
        for collation in [63, 191] as [UInt8] {
            let unknown = try sealer.cell(five, .text, collation: collation)
            #expect(compare(unknown, unknown) == refused(.mismatch) && hash(unknown) == refused(.mismatch))
        }
        let number = try sealer.cell(five, .int4, collation: 1)
        #expect(compare(number, number) == refused(.mismatch) && hash(number) == refused(.mismatch))
    }

    @Test func deterministicCellsAreTheServersBusiness() throws {
        let cell = try sealer.cipher.sealDeterministic(five.span, type: EncryptedType(.int4, .deterministic, key: sealer.id))
        #expect(compare(cell, cell) == refused(.mismatch))
        #expect(hash(cell) == refused(.mismatch))
    }

    @Test func policyIsPerKeyAndOperation() throws {
        let cell = try sealer.cell(five)
        for (operations, mayCompare, mayHash) in [
            (KeyOperations.compare, true, false), (.hash, false, true), ([], false, false), ([.compare, .hash], true, true),
        ] {
            #expect(keys.insert([(sealer.cipher, operations)]))
            #expect(compare(cell, cell) == (mayCompare ? Answer(value: 0) : refused(.forbidden)))
            #expect(hash(cell).status == (mayHash ? CLOISTER_OK.rawValue : Refusal.forbidden.status))
        }
    }

    @Test func withoutTheKeyNothingIsSaid() throws {
        let stranger = try Sealer(9)
        #expect(compare(try stranger.cell(five), try stranger.cell(five)) == refused(.noKey))
        #expect(hash(try stranger.cell(five)) == refused(.noKey))
    }

    @Test func aReplacedKeyLeavesNoCacheBehind() throws {
        let cell = try sealer.cell(five)
        #expect(compare(cell, cell) == Answer(value: 0))
        let usurper = try Sealer(7)
        #expect(keys.insert([(usurper.cipher, KeyOperations.compare)]))
        #expect(compare(cell, cell) == refused(.badCell))
        #expect(compare(try usurper.cell(five), try usurper.cell(five)) == Answer(value: 0))
    }

    @Test func everyAlteredByteIsRefusedAndAFailureIsNeverRemembered() throws {
        let good = try sealer.cell(Array("some text".utf8), .text)
        for position in good.indices {
            var bad = good
            bad[position] ^= 1
            #expect(compare(bad, good).status != CLOISTER_OK.rawValue)
            #expect(compare(good, bad).status != CLOISTER_OK.rawValue)
            #expect(compare(bad, bad).status != CLOISTER_OK.rawValue)
            #expect(hash(bad).status != CLOISTER_OK.rawValue)
            #expect(compare(good, good) == Answer(value: 0))
        }
        for count in 0..<good.count { #expect(hash(Array(good.prefix(count))).status == Refusal.badCell.status) }
    }

    @Test func hashIsEqualForEqualValuesAndKeyed() throws {
        let plain = hash(try sealer.cell([0, 1, 0, 0, 0, 0, 0, 0, 0, 1], .numeric))
        let padded = hash(try sealer.cell([0, 1, 0, 0, 0, 0, 0, 4, 0, 1], .numeric, role: .operand))
        #expect(plain == padded && plain.hash != 0)
        let other = try Sealer(8)
        #expect(keys.insert([(other.cipher, KeyOperations.hash)]))
        #expect(hash(try other.cell([0, 1, 0, 0, 0, 0, 0, 0, 0, 1], .numeric)).hash != plain.hash)
        #expect(hash(try sealer.cell(five)).hash != hash(try sealer.cell(five, .date)).hash)
    }

    @Test func aSealedNonsenseIsNoValue() throws {
        #expect(compare(try sealer.cell([0, 0, 5]), try sealer.cell(five)) == refused(.badCell))
        #expect(hash(try sealer.cell([2], .boolean)) == refused(.badCell))
    }

    @Test(arguments: [0, 9, 15, 17, .max] as [UInt32])
    func unknownOpcodes(opcode: UInt32) throws {
        #expect(ask(opcode, try sealer.cell(five)) == refused(.badRequest))
    }

    @Test func framingOfCompare() throws {
        let cell = try sealer.cell(five)
        let whole = pair(cell, cell)
        func status(_ request: [UInt8]) -> UInt32 {
            ask(CLOISTER_OP_COMPARE.rawValue, request).status
        }
        #expect(status(whole) == CLOISTER_OK.rawValue)
        #expect(status(whole + [0]) == Refusal.badRequest.status)
        for count in 0..<whole.count { #expect(status(Array(whole.prefix(count))) == Refusal.badRequest.status) }
        for lengths in [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0xf8, 0xff, 0xff, 0xff, 0, 0, 0, 0]] as [[UInt8]] {
            #expect(status(lengths + whole.dropFirst(8)) == Refusal.badRequest.status)
        }
        #expect(status(pair([], [])) == Refusal.badCell.status)
        #expect(status(pair(cell, [])) == Refusal.badCell.status)
    }

    @Test func pingAndTunnel() {
        #expect(ask(CLOISTER_OP_PING.rawValue, []) == Answer())
        #expect(ask(CLOISTER_OP_PING.rawValue, [1]) == refused(.badRequest))
        #expect(ask(CLOISTER_OP_TUNNEL.rawValue, [1, 2, 3]) == Answer(bytes: [3, 2, 1]))
        let tooLong = [UInt8](repeating: 0, count: Evaluator.maximumFrame + 1)
        #expect(ask(CLOISTER_OP_TUNNEL.rawValue, tooLong) == refused(.tooLarge))
    }

    @Test func theKeyTableIsBounded() throws {
        let table = KeyTable()
        let cipher = sealer.cipher
        #expect(table.insert([(cipher, KeyOperations.compare)]) && table.count == 1)
        let many = try (0..<KeyTable.largestLimit).map { number in
            (try CellCipher(ColumnKey(), id: try #require(KeyID(rawValue: UInt32(1000 + number)))), KeyOperations.compare)
        }
        #expect(!table.insert(many) && table.count == 1)
        #expect(table.insert(Array(many.dropLast())) && table.count == KeyTable.largestLimit)
        #expect(!table.insert([many[many.count - 1]]))
        #expect(table.insert([(cipher, KeyOperations.hash)]))
        let small = KeyTable(limit: 2)
        #expect(!small.insert(Array(many.prefix(3))) && small.insert(Array(many.prefix(2))))
    }
}

extension KeyOperations {
    static let all: KeyOperations = [.compare, .hash, .match]
}
