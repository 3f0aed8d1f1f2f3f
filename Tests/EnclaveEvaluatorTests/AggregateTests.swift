import CellCrypto
import CellFormat
import EnclaveABI
@testable import EnclaveEvaluator
import Testing

@Suite struct AggregateTests {
    let keys = KeyTable()
    let evaluator: Evaluator
    let sealer: Sealer
    static let sum = CLOISTER_SUM.rawValue
    static let whole = CLOISTER_AGGREGATE_FIRST | CLOISTER_AGGREGATE_LAST

    init() throws {
        evaluator = Evaluator(Enclave(keys: keys, tunnel: NoTunnel(), aggregations: AggregationTable(rememberedLimit: 10)))
        sealer = try Sealer(7)
        allow(KeyOperations(rawValue: 8 | 3 << 16))
    }

    func allow(_ operations: KeyOperations) { #expect(keys.insert([(sealer.cipher, operations)])) }

    func request(_ function: UInt32, _ flags: UInt32, _ cells: [[UInt8]], count: UInt32? = nil) -> [UInt8] {
        func little(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
        return little(function) + little(flags) + little(count ?? UInt32(cells.count)) + cells.flatMap { little(UInt32($0.count)) + $0 }
    }

    func ask(_ request: [UInt8], slot: UInt64 = 1) -> Answer {
        evaluator.evaluate(opcode: CLOISTER_OP_AGGREGATE.rawValue, request: request.span, caller: Caller(session: slot))
    }

    func refused(_ refusal: Refusal) -> Answer { Answer(status: refusal.status) }

    func cells(_ values: [Int32]) throws -> [[UInt8]] {
        try values.map { value in try sealer.cell((0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }) }
    }

    func opened(_ answer: Answer) throws -> [UInt8] {
        let (header, plaintext) = try sealer.cipher.open(answer.bytes.span)
        #expect(header.role == .result && header.key == sealer.id)
        return plaintext.copyBytes()
    }

    @Test func aGroupInOneRequestOrInMany() throws {
        let group = try cells([5, -3, 40, 2_000_000_000, 2_000_000_000])
        let expected: [UInt8] = [0, 0, 0, 0, 0xee, 0x6b, 0x28, 0x2a]
        #expect(try opened(ask(request(Self.sum, Self.whole, group))) == expected)
        #expect(ask(request(Self.sum, CLOISTER_AGGREGATE_FIRST, Array(group[..<2]))) == Answer())
        #expect(ask(request(Self.sum, 0, [group[2]])) == Answer())
        #expect(try opened(ask(request(Self.sum, CLOISTER_AGGREGATE_LAST, Array(group[3...])))) == expected)
        // The group has ended; another slot never had one.
        #expect(ask(request(Self.sum, CLOISTER_AGGREGATE_LAST, [group[4]])) == refused(.badRequest))
        #expect(ask(request(Self.sum, CLOISTER_AGGREGATE_FIRST, group)) == Answer())
        #expect(ask(request(Self.sum, CLOISTER_AGGREGATE_LAST, try cells([1])), slot: 2) == refused(.badRequest))
        // A new group forgets the old one.
        #expect(try opened(ask(request(Self.sum, Self.whole, group))) == expected)
    }

    @Test func smallGroupsAreRefused() throws {
        #expect(ask(request(Self.sum, Self.whole, try cells([1, 2]))) == refused(.smallGroup))
        #expect(ask(request(Self.sum, Self.whole, try cells([1, 2, 3]))).status == CLOISTER_OK.rawValue)
        allow(KeyOperations(rawValue: 8))
        #expect(ask(request(Self.sum, Self.whole, try cells([1]))) == refused(.smallGroup))
        #expect(ask(request(Self.sum, Self.whole, try cells([1, 2]))).status == CLOISTER_OK.rawValue)
    }

    @Test func noCellIsInAGroupTwice() throws {
        let group = try cells([1, 2, 3])
        #expect(ask(request(Self.sum, Self.whole, group + [group[2]])) == refused(.repeatedCell))
        #expect(ask(request(Self.sum, Self.whole, group + [group[0]])) == refused(.badRequest), "not in ascending order")
        #expect(ask(request(Self.sum, CLOISTER_AGGREGATE_FIRST, group)) == Answer())
        #expect(ask(request(Self.sum, CLOISTER_AGGREGATE_LAST, [group[2]])) == refused(.repeatedCell))
        let floats = try (0..<4).map { try sealer.cell([0x3f, 0x80, 0, UInt8($0)], .float4) }
        #expect(ask(request(Self.sum, Self.whole, floats.reversed())).status == CLOISTER_OK.rawValue)
        #expect(ask(request(Self.sum, Self.whole, floats + [floats[0]])) == refused(.repeatedCell))
        // What is remembered of floats is bounded, and given back.
        let many = try (0..<11).map { _ in try sealer.cell([0, 0, 0, 0], .float4) }
        #expect(ask(request(Self.sum, Self.whole, many)) == refused(.noMemory))
        #expect(ask(request(Self.sum, Self.whole, floats)).status == CLOISTER_OK.rawValue)
    }

    @Test func policyKeyTypeAndRole() throws {
        let group = try cells([1, 2, 3])
        for operations in [KeyOperations.all, .compare, []] {
            allow(operations)
            #expect(ask(request(Self.sum, Self.whole, group)) == refused(.forbidden))
        }
        allow(KeyOperations(rawValue: 8 | 3 << 16))
        for odd in [
            try sealer.cell([0, 0, 0, 9], role: .operand), try sealer.cell([0, 0, 0, 9], role: .result),
            try sealer.cell([0, 0, 0, 9], .date),
        ] {
            #expect(ask(request(Self.sum, Self.whole, group + [odd])) == refused(.mismatch))
            #expect(ask(request(Self.sum, Self.whole, [odd])) == refused(.mismatch))
        }
        for type in LogicalType.allCases where AggregateFunction.sum.result(of: type) == nil {
            #expect(ask(request(Self.sum, Self.whole, [try sealer.cell([0, 0, 0, 9], type)])) == refused(.mismatch))
        }
        #expect(ask(request(Self.sum, CLOISTER_AGGREGATE_FIRST, group)) == Answer())
        #expect(ask(request(CLOISTER_AVG.rawValue, CLOISTER_AGGREGATE_LAST, try cells([4]))) == refused(.mismatch))
        // The key is replaced under way.
        #expect(ask(request(Self.sum, CLOISTER_AGGREGATE_FIRST, group)) == Answer())
        let usurper = try Sealer(7)
        #expect(keys.insert([(usurper.cipher, KeyOperations(rawValue: 8))]))
        #expect(ask(request(Self.sum, CLOISTER_AGGREGATE_LAST, [try usurper.cell([0, 0, 0, 9])])) == refused(.mismatch))
    }

    @Test func everyAlteredByteEndsTheGroup() throws {
        let group = try cells([1, 2, 3])
        for position in group[2].indices {
            var bad = group
            bad[2][position] ^= 1
            #expect(ask(request(Self.sum, Self.whole, bad)).status != CLOISTER_OK.rawValue, "byte \(position)")
        }
    }

    @Test func framing() throws {
        let good = request(Self.sum, Self.whole, try cells([1, 2, 3]))
        for count in good.indices { #expect(ask(Array(good.prefix(count))) == refused(.badRequest)) }
        #expect(ask(good + [0]) == refused(.badRequest))
        #expect(ask(request(Self.sum, Self.whole, [])) == refused(.badRequest))
        for function in [0, 7, .max] as [UInt32] {
            #expect(ask(request(function, Self.whole, try cells([1, 2, 3]))) == refused(.badRequest))
        }
        for flags in [4, 7, .max] as [UInt32] { #expect(ask(request(Self.sum, flags, try cells([1, 2, 3]))) == refused(.badRequest)) }
        for count in [2, 4, .max] as [UInt32] {
            #expect(ask(request(Self.sum, Self.whole, try cells([1, 2, 3]), count: count)).status != CLOISTER_OK.rawValue)
        }
        var generator = SeededGenerator(seed: 9)
        for _ in 0..<2000 {
            var bad = good
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                bad[Int.random(in: bad.indices, using: &generator)] ^= 1 << UInt8.random(in: 0...7, using: &generator)
            }
            if Bool.random(using: &generator) { bad.removeLast(Int.random(in: 1..<bad.count, using: &generator)) }
            let isGood = bad.dropFirst(4) == good.dropFirst(4) && AggregateFunction(rawValue: UInt32(bad[0])) != nil
            #expect(isGood || ask(bad).bytes.isEmpty)
        }
    }

    @Test func bigNumbersDivideAndTakeRoots() throws {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<3000 {
            let a = UInt128.random(in: 0...UInt128.max, using: &generator) >> UInt128.random(in: 0...127, using: &generator)
            let b = max(1, UInt128.random(in: 0...UInt128.max, using: &generator) >> UInt128.random(in: 0...127, using: &generator))
            let divided = try #require(Magnitude(a).divided(by: Magnitude(b)))
            #expect(divided.quotient == Magnitude(a / b) && divided.remainder == Magnitude(a % b), "\(a) / \(b)")
            let product = Magnitude(a) * Magnitude(b)
            #expect(product.divided(by: Magnitude(b))?.quotient == Magnitude(a))
            #expect((Magnitude(a) * Magnitude(a)).squareRoot == Magnitude(a))
            #expect((Magnitude(a) * Magnitude(a) + Magnitude(a)).squareRoot == Magnitude(a))
            #expect(Magnitude(max(a, b)) - Magnitude(min(a, b)) == Magnitude(max(a, b) - min(a, b)))
        }
        #expect(Magnitude(5).divided(by: Magnitude()) == nil)
    }
}
