import CellFormat
@testable import EnclaveEvaluator
import Testing

func bytes(hex: String) -> [UInt8] {
    let digits = hex.utf8.map { $0 < 58 ? $0 - 48 : $0 - 87 }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

@Suite struct ValueOrderTests {
    static func order(_ a: [UInt8], _ b: [UInt8], _ type: LogicalType) throws -> Int32 {
        try ValueOrder.compare(a.span, b.span, type: type)
    }

    static func normalized(_ value: [UInt8], _ type: LogicalType) throws -> [UInt8] {
        var output: [UInt8] = []
        try ValueOrder.normalize(value.span, type: type, into: &output)
        return output
    }

    @Test func everyServedTypeHasATable() {
        #expect(Set(postgreSQLOrder.keys) == Set(LogicalType.supported.map(\.name)))
    }

    @Test(arguments: LogicalType.supported)
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

    @Test(arguments: LogicalType.supported)
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
    ])
    func bytesThatAreNoValueAreRefused(type: LogicalType, hex: String) throws {
        let bad = bytes(hex: hex)
        let good = bytes(hex: try #require(postgreSQLOrder[type.name])[1][0])
        #expect(throws: Refusal.badCell) { try Self.order(bad, good, type) }
        #expect(throws: Refusal.badCell) { try Self.order(good, bad, type) }
        #expect(throws: Refusal.badCell) { try Self.normalized(bad, type) }
    }

    @Test(arguments: Set(LogicalType.allCases).subtracting(LogicalType.supported).sorted { $0.rawValue < $1.rawValue })
    func reservedTypesAreNotServed(type: LogicalType) {
        #expect(throws: Refusal.mismatch) { try Self.order([], [], type) }
        #expect(throws: Refusal.mismatch) { try Self.normalized([], type) }
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
