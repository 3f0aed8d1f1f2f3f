import Diagnostics
import Foundation
import FuzzSupport
import NIOCore
import PGWire
import Testing

/// Every reader, on valid messages with bytes changed, cut off, doubled: it gives a value or an error, and nothing else.
@Suite struct FuzzTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Corpus")

    /// Corpus/*.hex: seeds and past finds, one frame body a line.
    static func corpus() throws -> [[UInt8]] {
        try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil).sorted { $0.path < $1.path }
            .flatMap { try String(contentsOf: $0, encoding: .utf8).split(separator: "\n") }
            .filter { !$0.hasPrefix("#") }
            .map { line in
                let digits = Array(line.utf8)
                return stride(from: 0, to: digits.count - 1, by: 2).compactMap {
                    UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)
                }
            }
    }

    private func readAll(_ bytes: [UInt8]) {
        let buffer = ByteBuffer(bytes: bytes)
        let limits = Limits()
        var packet = buffer
        _ = try? StartupPacket.read(from: &packet, limits: limits)
        _ = try? FrameHeader(peeking: buffer, limits: limits)
        _ = try? QueryMessage(body: buffer)
        if let parse = try? ParseMessage(body: buffer) {
            #expect((try? ParseMessage(body: body(parse.write).body)) == parse)
        }
        if let bind = try? BindMessage(body: buffer) {
            #expect((try? BindMessage(body: body(bind.write).body)) == bind)
        }
        _ = try? BindMessage.resultFormats(body: buffer)
        _ = BindMessage.names(peeking: buffer)
        _ = try? DescribeTarget(body: buffer)
        _ = try? ExecuteMessage(body: buffer)
        _ = try? AuthenticationRequest(body: buffer)
        _ = try? ParameterStatus(body: buffer)
        if let rows = try? RowDescription(body: buffer) {
            #expect((try? RowDescription(body: body(rows.write).body)) == rows)
        }
        _ = try? ParameterDescription(body: buffer)
        if let row = try? DataRow(body: buffer) {
            #expect((try? DataRow(body: body(row.write).body)) == row)
        }
        _ = try? CopyResponse(body: buffer)
        _ = try? ErrorFields(body: buffer)
        _ = try? TransactionStatus(body: buffer)
    }

    @Test func corpusIsReplayed() throws {
        let corpus = try Self.corpus()
        #expect(corpus.count >= 12)
        for bytes in corpus { readAll(bytes) }
    }

    @Test(arguments: [1, 2, 3, 4]) func mutationsNeverCrash(seed: UInt64) throws {
        let corpus = try Self.corpus()
        fuzz(seed: seed, inputs: 3_000) { generator in
            guard var bytes = generator.pick(corpus) else { return }
            generator.mutate(&bytes)
            readAll(bytes)
        }
    }
}
