import CellFormat
import Diagnostics
import Foundation
import Testing
import ValueCodec

/// SplitMix64: the same mutations on every machine.
private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// Every reader of values on texts and binary forms with bytes changed, cut off, put in: a value or an error, and nothing else. What was
/// read is written, and read again as the same value.
@Suite struct FuzzTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Corpus")

    /// Corpus/*.txt: a type and a text in hexadecimal a line.
    static func corpus() throws -> [(type: LogicalType, text: [UInt8])] {
        try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil).sorted { $0.path < $1.path }
            .flatMap { try String(contentsOf: $0, encoding: .utf8).split(separator: "\n") }
            .filter { !$0.hasPrefix("#") }
            .map { line in
                let fields = line.split(separator: " ", omittingEmptySubsequences: false)
                return (try #require(LogicalType(name: String(fields[0]))), unhex(String(fields[1])))
            }
    }

    private static let alphabet = Array("0123456789 -+.:/,eExTZPYMDnaN{}[]\"\\u()_éß".utf8)

    private func mutated(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let index = Int.random(in: 0...bytes.count, using: &random)
            let byte =
                Bool.random(using: &random) ? UInt8.random(in: 0...255, using: &random) : Self.alphabet.randomElement(using: &random) ?? 0
            switch Int.random(in: 0..<5, using: &random) {
            case 0 where index < bytes.count: bytes[index] = byte
            case 1: bytes.insert(byte, at: index)
            case 2 where index < bytes.count: bytes.remove(at: index)
            case 3 where index < bytes.count: bytes.insert(contentsOf: bytes[index...].prefix(12), at: index)
            default: bytes = Array(bytes.prefix(max(index, 1)))
            }
        }
        return bytes
    }

    /// The styles whose output says the whole value.
    private static func sessions() throws -> [SessionSettings] {
        try [
            [("DateStyle", "ISO, MDY"), ("IntervalStyle", "postgres"), ("TimeZone", "America/New_York")],
            [("DateStyle", "ISO, DMY"), ("IntervalStyle", "iso_8601"), ("TimeZone", "Asia/Kolkata"), ("bytea_output", "escape")],
            [("DateStyle", "German, DMY"), ("IntervalStyle", "postgres_verbose"), ("TimeZone", "UTC")],
        ].map { pairs in
            var settings = SessionSettings()
            for (name, value) in pairs { try settings.apply(name, value) }
            return settings
        }
    }

    private func check(_ text: [UInt8], _ type: LogicalType, _ settings: SessionSettings, _ random: inout SeededGenerator) throws {
        guard let value = try? ValueCodec.canonical(fromText: text, type: type, settings: settings) else { return }
        #expect(try ValueCodec.binary(fromCanonical: value, type: type) == value, "\(type) \(text)")
        let shown = try ValueCodec.text(fromCanonical: value, type: type, settings: settings)
        let form = ValueCodec.normalizedForEquality(value, type: type)
        #expect(ValueCodec.normalizedForEquality(form, type: type) == form, "\(type) \(text)")
        do throws(CloisterError) {
            let again = try ValueCodec.canonical(fromText: shown, type: type, settings: settings)
            // NaNs lose their sign on the way, and nothing else anything.
            #expect(again == value || ValueCodec.normalizedForEquality(again, type: type) == form, "\(type) \(text)")
        } catch {
            // "LMT" and other abbreviations; two-digit years in front of a sign are never written.
            #expect(error.code == .unsupportedValue, "\(type) \(text): \(error)")
        }
        _ = try? ValueCodec.limited(
            value, type: type, modifier: Int32.random(in: -5...100_000, using: &random), isExplicit: Bool.random(using: &random))
        if let target = LogicalType.allCases.randomElement(using: &random) {
            for purpose in [ConversionPurpose.assignment, .comparison] {
                _ = try? ValueCodec.convert(canonical: value, from: type, to: target, purpose: purpose, settings: settings)
            }
        }
    }

    @Test func textsAreReadOrRefused() throws {
        var random = SeededGenerator(state: 41)
        let corpus = try Self.corpus()
        for settings in try Self.sessions() {
            for (type, text) in corpus {
                try check(text, type, settings, &random)
                for _ in 0..<60 { try check(mutated(text, &random), type, settings, &random) }
            }
        }
    }

    @Test func binaryFormsAreReadOrRefused() throws {
        var random = SeededGenerator(state: 42)
        let settings = SessionSettings()
        for (type, text) in try Self.corpus() {
            guard let value = try? ValueCodec.canonical(fromText: text, type: type, settings: settings) else { continue }
            for _ in 0..<100 {
                let damaged = mutated(value, &random)
                guard let read = try? ValueCodec.canonical(fromBinary: damaged, type: type) else { continue }
                #expect(try ValueCodec.canonical(fromBinary: read, type: type) == read)
                _ = try ValueCodec.text(fromCanonical: read, type: type, settings: settings)
                _ = ValueCodec.normalizedForEquality(read, type: type)
                for target in LogicalType.allCases {
                    _ = try? ValueCodec.convert(canonical: read, from: type, to: target, purpose: .comparison, settings: settings)
                }
            }
        }
    }

    @Test func arraysAndPatternsAreReadOrRefused() throws {
        var random = SeededGenerator(state: 43)
        for seed in ["{a,\"b c\",NULL}", "{{1,2},{3,4}}", "[0:1][2:2]={{\"\\\\\"},{\"\"}}", "{}"] {
            for _ in 0..<1500 {
                let text = mutated(Array(seed.utf8), &random)
                _ = try? LikePattern.canonical(text, escape: Array(text.prefix(1)))
                guard let array = try? ArrayCodec.elements(ofText: text) else { continue }
                let shown = ArrayCodec.text(elements: array.elements, dimensions: array.dimensions)
                #expect(try ArrayCodec.elements(ofText: shown) == array)
                let binary = ArrayCodec.binary(elements: array.elements, dimensions: array.dimensions, elementOID: 25)
                let read = try ArrayCodec.elements(ofBinary: binary)
                #expect(read.elements == array.elements && read.dimensions == array.dimensions)
                _ = try? ArrayCodec.elements(ofBinary: mutated(binary, &random))
            }
        }
    }

    @Test func constantExpressionsAreComputedOrRefused() throws {
        var random = SeededGenerator(state: 44)
        let settings = try Self.sessions()[0]
        let values = try Self.corpus().compactMap { (type, text) -> TypedValue? in
            guard let value = try? ValueCodec.canonical(fromText: text, type: type, settings: settings) else { return nil }
            return TypedValue(type: Int.random(in: 0..<4, using: &random) == 0 ? nil : type, bytes: value)
        }
        let names = ConstantFunctions.names.sorted()
        let operators = ConstantFunctions.operators.sorted()
        for _ in 0..<20_000 {
            let isOperator = Bool.random(using: &random)
            let name = try #require((isOperator ? operators : names).randomElement(using: &random))
            let arguments = (0..<Int.random(in: 0...4, using: &random)).compactMap { _ in values.randomElement(using: &random) }
            _ = try? ConstantFunctions.evaluate(
                name, isOperator: isOperator, arguments, settings: settings, now: .random(in: -1 << 60...1 << 59, using: &random))
        }
    }
}
