import CellFormat
@testable import EnclaveEvaluator
import Testing

func bytes(hex: String) -> [UInt8] {
    let digits = hex.utf8.map { $0 < 58 ? $0 - 48 : $0 - 87 }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

@Suite struct ValueOrderTests {
    static let compared = LogicalType.allCases.filter(\.isComparable)

    static func order(_ a: [UInt8], _ b: [UInt8], _ type: LogicalType) throws -> Int32 {
        try ValueOrder.compare(a.span, b.span, type: type)
    }

    static func normalized(_ value: [UInt8], _ type: LogicalType) throws -> [UInt8] {
        var output: [UInt8] = []
        try ValueOrder.normalize(value.span, type: type, into: &output)
        return output
    }

    @Test func everyServedTypeHasATable() {
        #expect(Set(postgreSQLOrder.keys) == Set(Self.compared.map(\.name)))
    }

    @Test(arguments: compared)
    func comparesAsPostgreSQLDoes(type: LogicalType) throws {
        let groups = try #require(postgreSQLOrder[type.name])
        let values = groups.enumerated().flatMap { rank, group in group.map { (rank, bytes(hex: $0)) } }
        for (aRank, a) in values {
            for (bRank, b) in values {
                let expected: Int32 = aRank < bRank ? -1 : aRank == bRank ? 0 : 1
                #expect(try Self.order(a, b, type) == expected, "\(type): \(a) against \(b)")
            }
        }
    }

    @Test(arguments: compared)
    func equalValuesNormalizeAlikeAndOthersDoNot(type: LogicalType) throws {
        let groups = try #require(postgreSQLOrder[type.name])
        let forms = try groups.map { group in Set(try group.map { try Self.normalized(bytes(hex: $0), type) }) }
        #expect(forms.allSatisfy { $0.count == 1 })
        #expect(Set(forms.flatMap { $0 }).count == groups.count)
        for group in groups {
            // The form is a value of the type, equal to what it stands for, and its own form.
            let value = bytes(hex: group[0])
            let form = try Self.normalized(value, type)
            #expect(try Self.order(value, form, type) == 0)
            #expect(try Self.normalized(form, type) == form)
        }
    }

    @Test func everyNaNIsTheSame() throws {
        let quiet = bytes(hex: "7ff8000000000000")
        for other in ["fff8000000000000", "7ff0000000000001", "ffffffffffffffff"].map(bytes(hex:)) {
            #expect(try Self.order(quiet, other, .float8) == 0)
            #expect(try Self.normalized(other, .float8) == quiet)
        }
        #expect(try Self.order(quiet, bytes(hex: "7ff0000000000000"), .float8) == 1)
    }

    @Test(arguments: [
        // digits, weight, sign, scale -> normalised
        ("0003000000000003" + "0000" + "0001" + "0000", "0001ffff00000004" + "0001"),  // 0.0001 with zeros on both sides
        ("0002000100000002" + "0001" + "0000", "0001000100000000" + "0001"),  // 10000.00
        ("0001000040000000" + "0000", "0000000000000000"),  // -0
        ("0001ffff00000004" + "0bb8", "0001ffff00000001" + "0bb8"),  // 0.3000 -> 0.3
        ("0000000500000009", "0000000000000000"),  // zero with a weight and a scale
        ("00000000c0000020", "00000000c0000000"),  // NaN with a scale
        ("00000000d0000020", "00000000d0000000"),
        ("00000000f0000020", "00000000f0000000"),
    ])
    func numericsLoseWhatDoesNotCount(form: String, expected: String) throws {
        #expect(try Self.normalized(bytes(hex: form), .numeric) == bytes(hex: expected))
        #expect(try Self.order(bytes(hex: form), bytes(hex: expected), .numeric) == 0)
    }

    @Test(arguments: [
        (LogicalType.boolean, ""), (.boolean, "02"), (.boolean, "0001"), (.int2, "00"), (.int2, "000000"), (.int4, "000000"),
        (.int8, "00000000000000"), (.float8, "0000000000000000ff"), (.date, ""), (.timestamp, "00000000"),
        (.timestamptz, "0000000000000000ff"), (.uuid, "00"), (.uuid, "0000000000000000000000000000000000"),
        (.numeric, ""), (.numeric, "00000000000000"), (.numeric, "0001000000000000"), (.numeric, "00000000000000000001"),
        (.numeric, "00010000000000002710"), (.numeric, "0001000000000000ffff"), (.numeric, "0000000020000000"),
        (.numeric, "00000000ffff0000"), (.numeric, "ffff000000000000"),
        (.float4, "000000"), (.float4, "7ff8000000000000"), (.time, "00000000"), (.timetz, "0000000000000000"),
        (.timetz, "00000000000000000000000000"), (.interval, "000000000000000000000000000000"),
        (.interval, "0000000000000000000000000000000000"), (.inet, ""), (.inet, "020000"), (.inet, "02000004000000"),
        (.inet, "022100047f000001"), (.inet, "022001047f000001"), (.inet, "022000107f000001"), (.inet, "032000047f000001"),
        (.inet, "042000047f000001"), (.inet, "0381001000000000000000000000000000000001"), (.int4, "ff0001000000000000" + "0001"),
        (.int8, "ff00000000d0000020"),
    ])
    func bytesThatAreNoValueAreRefused(type: LogicalType, hex: String) throws {
        let bad = bytes(hex: hex)
        let good = bytes(hex: try #require(postgreSQLOrder[type.name])[1][0])
        #expect(throws: Refusal.badCell) { try Self.order(bad, good, type) }
        #expect(throws: Refusal.badCell) { try Self.order(good, bad, type) }
        #expect(throws: Refusal.badCell) { try Self.normalized(bad, type) }
    }

    @Test(arguments: [LogicalType.json, .jsonb])
    func storedOnlyTypesAreNotCompared(type: LogicalType) {
        #expect(throws: Refusal.mismatch) { try Self.order([], [], type) }
        #expect(throws: Refusal.mismatch) { try Self.normalized([], type) }
    }

    @Test func aMonthIsThirtyDaysAndTheLongestIntervalsStayApart() throws {
        let values = postgreSQLOrder["interval"].map { $0.flatMap { $0 } } ?? []
        let longest = try #require(values.last)
        #expect(try Self.normalized(bytes(hex: longest), .interval) == bytes(hex: longest))
        let shorter = "7ffffffffffffffe" + "7fffffff" + "7fffffff"
        #expect(try Self.order(bytes(hex: shorter), bytes(hex: longest), .interval) == -1)
        let negative = "8000000000000000" + "80000000" + "80000000"
        #expect(try Self.normalized(bytes(hex: negative), .interval) == bytes(hex: negative))
        #expect(
            try Self.normalized(bytes(hex: "ffffffffffffffff" + "00000001" + "00000000"), .interval)
                == bytes(hex: "000000141dd75fff0000000000000000"))
    }

    /// An operand of a wider type than the column's: integers against numerics, float4 against float8.
    @Test func wideOperandsCompareAsNumbers() throws {
        func wide(_ numeric: String) -> [UInt8] { [0xff] + bytes(hex: numeric) }
        let numbers: [(LogicalType, String, String, Int32)] = [
            (.int4, "7fffffff", "0003000200000000" + "001e00000000", -1),  // 3000000000
            (.int4, "00000001", "00020000000000010001" + "1388", -1),  // 1 < 1.5
            (.int4, "00000002", "00020000000000010001" + "1388", 1),
            (.int4, "fffffffe", "00020000400000010001" + "1388", -1),  // -2 < -1.5
            (.int2, "ffff", "00020000400000010001" + "1388", 1),
            (.int2, "7fff", "00020001000000000003" + "0ae0", -1),  // 32784
            (.int8, "7fffffffffffffff", "0005000400000000" + "039a0d2c0170156516b0", -1),  // 2^63
            (.int8, "8000000000000000", "00000000f0000020", 1), (.int8, "7fffffffffffffff", "00000000d0000020", -1),
            (.int8, "0000000000000000", "0000000000000000", 0), (.int8, "ffffffffffffd8f1", "0001000040000000270f", 0),
            (.int4, "00000000", "00000000c0000000", -1),
        ]
        for (type, stored, numeric, expected) in numbers {
            let a = bytes(hex: stored)
            let b = wide(numeric)
            #expect(try ValueOrder.compare(a.span, b.span, type: type, bIsOperand: true) == expected, "\(type) \(stored) \(numeric)")
            #expect(try ValueOrder.compare(b.span, a.span, type: type, aIsOperand: true) == -expected)
            #expect(try ValueOrder.compare(b.span, b.span, type: type, aIsOperand: true, bIsOperand: true) == 0)
            #expect(throws: Refusal.badCell) { try ValueOrder.compare(a.span, b.span, type: type, aIsOperand: true) }
            var form: [UInt8] = []
            try ValueOrder.normalize(b.span, type: type, isOperand: true, into: &form)
            #expect((try Self.normalized(a, type) == form) == (expected == 0))
            #expect(throws: Refusal.badCell) { try Self.normalized(b, type) }
        }
        // 0.1 as float4 is a little more than 0.1 as float8.
        let narrow = bytes(hex: "3dcccccd")
        for (double, expected) in [("3fb999999999999a", 1), ("3fb99999a0000000", 0)] as [(String, Int32)] {
            let b = bytes(hex: double)
            #expect(try ValueOrder.compare(narrow.span, b.span, type: .float4, bIsOperand: true) == expected)
            var form: [UInt8] = []
            try ValueOrder.normalize(b.span, type: .float4, isOperand: true, into: &form)
            #expect((form == narrow) == (expected == 0))
        }
        for broken in ["", "00010000000000002710", "0001000000000000"] {
            let a = bytes(hex: "00000001")
            let b = wide(broken)
            #expect(throws: Refusal.badCell) { try ValueOrder.compare(a.span, b.span, type: .int4, bIsOperand: true) }
        }
    }

    @Test func randomNumericsFormATotalOrder() throws {
        var generator = SystemRandomNumberGenerator()
        func some() -> [UInt8] {
            let count = Int.random(in: 0...3, using: &generator)
            var form: [UInt8] = [0, UInt8(count)]
            let weight = Int16.random(in: -2...2, using: &generator)
            form += [UInt8(truncatingIfNeeded: weight >> 8), UInt8(truncatingIfNeeded: weight)]
            form += [Bool.random(using: &generator) ? 0x40 : 0, 0, 0, 0]
            for _ in 0..<count {
                let digit = [0, 0, 1, 9999, 5000].randomElement(using: &generator) ?? 0
                form += [UInt8(digit >> 8), UInt8(digit & 255)]
            }
            return form
        }
        let values = (0..<60).map { _ in some() }
        for a in values {
            for b in values {
                let ab = try Self.order(a, b, .numeric)
                #expect(try Self.order(b, a, .numeric) == -ab)
                #expect((ab == 0) == (try Self.normalized(a, .numeric) == Self.normalized(b, .numeric)))
                for c in values.prefix(12) where try ab <= 0 && Self.order(b, c, .numeric) <= 0 {
                    #expect(try Self.order(a, c, .numeric) <= 0)
                }
            }
        }
    }
}
