import CellCrypto
import CellFormat
import EnclaveABI
@testable import EnclaveEvaluator
import Testing

/// A request of MATCH.
func match(_ kind: UInt32, _ value: [UInt8], _ pattern: [UInt8]) -> [UInt8] {
    let numbers = [kind, UInt32(value.count), UInt32(pattern.count)]
    return numbers.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } } + value + pattern
}

@Suite struct MatchTests {
    let keys = KeyTable()
    let evaluator: Evaluator
    let sealer: Sealer
    let operands: CellWriter
    static let like = CLOISTER_LIKE.rawValue

    init() throws {
        evaluator = Evaluator(Enclave(keys: keys, tunnel: NoTunnel()))
        sealer = try Sealer(7)
        operands = try CellWriter()
        #expect(keys.insert([(sealer.cipher, KeyOperations.all)]))
    }

    func ask(_ request: [UInt8]) -> Answer { evaluator.evaluate(opcode: CLOISTER_OP_MATCH.rawValue, request: request.span) }
    func refused(_ refusal: Refusal) -> Answer { Answer(status: refusal.status) }

    func value(_ text: String, _ type: LogicalType = .text, role: CellRole = .stored) throws -> [UInt8] {
        try sealer.cell(Array(text.utf8), type, role: role)
    }
    func pattern(_ text: String, _ type: LogicalType = .text) throws -> [UInt8] {
        try sealer.cell(Array(text.utf8), type, role: .operand, by: operands)
    }

    @Test func kindsAndTypes() throws {
        for (kind, text, glob, expected) in [
            (CLOISTER_LIKE, "Babe Ruth", "Babe%", 1), (CLOISTER_LIKE, "Babe Ruth", "babe%", 0), (CLOISTER_ILIKE, "Babe Ruth", "bABE%", 1),
            (CLOISTER_PREFIX, "Babe%", "Babe%", 1), (CLOISTER_PREFIX, "Babe Ruth", "Babe%", 0), (CLOISTER_PREFIX, "a", "ab", 0),
        ] {
            for type in [LogicalType.text, .varchar, .bpchar] {
                let answer = ask(match(kind.rawValue, try value(text, type), try pattern(glob, type)))
                #expect(answer == Answer(value: Int32(expected)), "\(kind) \(type) \(text) \(glob)")
            }
        }
        // The trailing blanks of a bpchar count for LIKE; starts_with takes it as text, which has none.
        #expect(ask(match(Self.like, try value("a ", .bpchar), try pattern("a", .bpchar))) == Answer(value: 0))
        #expect(ask(match(CLOISTER_PREFIX.rawValue, try value("a ", .bpchar), try pattern("a ", .bpchar))) == Answer(value: 0))
        #expect(ask(match(CLOISTER_PREFIX.rawValue, try value("a ", .varchar), try pattern("a ", .varchar))) == Answer(value: 1))
    }

    @Test func aPatternIsCompiledAnewWhenItOrTheKindChanges() throws {
        let text = try value("ABC")
        let (first, second) = (try pattern("a%"), try pattern("b%"))
        for _ in 0..<3 {
            #expect(ask(match(CLOISTER_ILIKE.rawValue, text, first)).value == 1)
            #expect(ask(match(Self.like, text, first)).value == 0)
            #expect(ask(match(CLOISTER_ILIKE.rawValue, text, second)).value == 0)
        }
        let usurper = try Sealer(7)
        #expect(keys.insert([(usurper.cipher, KeyOperations.all)]))
        #expect(ask(match(CLOISTER_ILIKE.rawValue, text, first)) == refused(.badCell))
    }

    @Test func onlyAnOperandIsAPattern() throws {
        let stored = try value("a%")
        for other in [stored, try value("a%", role: .result)] { #expect(ask(match(Self.like, stored, other)) == refused(.mismatch)) }
        #expect(ask(match(Self.like, try value("a", role: .result), try pattern("a%"))) == refused(.mismatch))
        // Two constants meet if one writer made them.
        #expect(ask(match(Self.like, try pattern("ab"), try pattern("a%"))) == Answer(value: 1))
        #expect(ask(match(Self.like, try value("ab", role: .operand), try pattern("a%"))) == refused(.mismatch))
    }

    @Test func typeKeyCollationAndAlgorithm() throws {
        let other = try Sealer(8)
        #expect(keys.insert([(other.cipher, KeyOperations.all)]))
        let text = try value("a")
        #expect(ask(match(Self.like, text, try pattern("a", .varchar))) == refused(.mismatch))
        #expect(ask(match(Self.like, text, try other.cell([97], .text, role: .operand))) == refused(.mismatch))
        #expect(ask(match(Self.like, text, try sealer.cell([97], .text, role: .operand, collation: 12))) == refused(.mismatch))
        let number: [UInt8] = [0, 0, 0, 1]
        for type in LogicalType.allCases where !type.isText {
            let pair = (try sealer.cell(number, type), try sealer.cell(number, type, role: .operand))
            #expect(ask(match(Self.like, pair.0, pair.1)) == refused(.mismatch))
        }
        let deterministic = try sealer.cipher.sealDeterministic([97].span, type: EncryptedType(.text, .deterministic, key: sealer.id))
        #expect(ask(match(Self.like, deterministic, deterministic)) == refused(.mismatch))
    }

    @Test func thePolicyIsLookedAtFirst() throws {
        let (text, glob) = (try value("a"), try pattern("a"))
        for (operations, allowed) in [(KeyOperations.match, true), ([.compare, .hash], false), ([], false)] {
            #expect(keys.insert([(sealer.cipher, operations)]))
            #expect(ask(match(Self.like, text, glob)) == (allowed ? Answer(value: 1) : refused(.forbidden)))
        }
        // Before anything is opened: what would not verify is forbidden all the same.
        var bad = text
        bad[bad.count - 1] ^= 1
        #expect(ask(match(Self.like, bad, glob)) == refused(.forbidden))
    }

    @Test func everyAlteredByteOfEitherSideIsRefused() throws {
        let (text, glob) = (try value("some text"), try pattern("%text"))
        #expect(ask(match(Self.like, text, glob)) == Answer(value: 1))
        for position in text.indices {
            var bad = text
            bad[position] ^= 1
            #expect(ask(match(Self.like, bad, glob)).status != CLOISTER_OK.rawValue, "value, byte \(position)")
            #expect(ask(match(Self.like, text, glob)) == Answer(value: 1))
        }
        for position in glob.indices {
            var bad = glob
            bad[position] ^= 1
            #expect(ask(match(Self.like, text, bad)).status != CLOISTER_OK.rawValue, "pattern, byte \(position)")
            #expect(ask(match(Self.like, text, glob)) == Answer(value: 1))
        }
    }

    @Test func framing() throws {
        let (text, glob) = (try value("a"), try pattern("a"))
        let whole = match(Self.like, text, glob)
        for count in whole.indices { #expect(ask(Array(whole.prefix(count))) == refused(.badRequest)) }
        #expect(ask(whole + [0]) == refused(.badRequest))
        for kind in [0, 4, .max] as [UInt32] { #expect(ask(match(kind, text, glob)) == refused(.badRequest)) }
        #expect(ask(match(Self.like, [], [])) == refused(.badCell))
        for lengths in [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0xf8, 0xff, 0xff, 0xff, 0, 0, 0, 0]] as [[UInt8]] {
            #expect(ask(whole.prefix(4) + lengths + whole.dropFirst(12)) == refused(.badRequest))
        }
    }

    @Test func aDanglingEscape() throws {
        #expect(ask(match(Self.like, try value("ab"), try pattern("a\\"))) == refused(.badPattern))
        #expect(ask(match(CLOISTER_PREFIX.rawValue, try value("a\\b"), try pattern("a\\"))) == Answer(value: 1))
    }

    /// Requests near to a good one: cut, grown, flipped, with lengths that lie. None may end the process or be answered,
    /// unless all that differs is the kind of match.
    @Test func mutatedRequests() throws {
        var generator = SeededGenerator(seed: 5)
        let good = [
            match(Self.like, try value("some text"), try pattern("%x_")), match(2, try value("", .varchar), try pattern("", .varchar)),
        ]
        for _ in 0..<5000 {
            var request = good.randomElement(using: &generator) ?? []
            for _ in 0..<Int.random(in: 1...3, using: &generator) where !request.isEmpty {
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: request.removeLast(Int.random(in: 1...request.count, using: &generator))
                case 1: request.append(.random(in: 0...255, using: &generator))
                case 2: request[Int.random(in: 0..<min(12, request.count), using: &generator)] = .random(in: 0...255, using: &generator)
                default: request[Int.random(in: 0..<request.count, using: &generator)] ^= 1 << UInt8.random(in: 0...7, using: &generator)
                }
            }
            let isGood = good.contains { $0.dropFirst(4) == request.dropFirst(4) }
            #expect(isGood || ask(request).status != CLOISTER_OK.rawValue)
        }
    }
}
