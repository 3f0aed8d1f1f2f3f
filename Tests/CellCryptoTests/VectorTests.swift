@testable import CellCrypto
import CellFormat
import Diagnostics
import Foundation
import Testing

/// schemas/vectors/cell-v1.json: cells by an independent implementation (scripts/make-vectors.py).
struct CellVectors: Decodable, Sendable {
    struct Derivation: Decodable, Sendable { var name, cek, info, key: String, length: Int }
    struct Cell: Decodable, Sendable, CustomTestStringConvertible {
        var name, type, scheme, role, cek, plaintext, cell: String
        var tag, collation: UInt8
        var key_id: UInt32
        var writer, counter: String?
        var testDescription: String { name }
    }
    struct Hash: Decodable, Sendable { var name, type, cek, normalized, hash: String, tag, collation: UInt8, key_id: UInt32 }
    struct Refused: Decodable, Sendable { var name, cek, cell: String, key_id: UInt32 }

    var derivations: [Derivation]
    var cells: [Cell]
    var hashes: [Hash]
    var refused: [Refused]

    static let all: CellVectors = {
        let file = URL(filePath: #filePath).appending(path: "../../../schemas/vectors/cell-v1.json").standardized
        do {
            return try JSONDecoder().decode(CellVectors.self, from: Data(contentsOf: file))
        } catch {
            Issue.record("\(file.path): \(error)")
            return CellVectors(derivations: [], cells: [], hashes: [], refused: [])
        }
    }()
}

@Suite struct CellVectorTests {
    let vectors = CellVectors.all

    private func cipher(_ cek: String, _ id: UInt32) throws -> CellCipher {
        try CellCipher(ColumnKey(copying: hex(cek).span), id: try #require(KeyID(rawValue: id)))
    }

    @Test func theFileIsWhole() {
        #expect(vectors.derivations.count >= 8 && vectors.cells.count >= 150 && vectors.hashes.count >= 60 && vectors.refused.count >= 130)
        for type in LogicalType.supported {
            for scheme in EncryptionScheme.allCases {
                #expect(vectors.cells.contains { $0.type == type.name && $0.scheme == scheme.rawValue }, "\(type) \(scheme)")
            }
            for role in CellRole.allCases {
                #expect(vectors.cells.contains { $0.type == type.name && $0.role == "\(role)" }, "\(type) \(role)")
            }
        }
    }

    @Test func keysAreDerivedAsTheOtherImplementationDoes() throws {
        for vector in vectors.derivations {
            let key = try HKDF.deriveSHA256(from: hex(vector.cek).span, salt: Span(), info: hex(vector.info).span, count: vector.length)
            #expect(key.copy() == hex(vector.key), "\(vector.name)")
        }
    }

    @Test func theOthersCellsOpenHere() throws {
        let opener = CellOpener(capacity: 4)
        for vector in vectors.cells {
            let cipher = try cipher(vector.cek, vector.key_id)
            let cell = hex(vector.cell)
            for opened in [try cipher.open(cell.span), try opener.open(cell.span, with: cipher)] {
                #expect(opened.plaintext.copyBytes() == hex(vector.plaintext), "\(vector.name)")
                #expect(opened.header.type.name == vector.type && opened.header.type.rawValue == vector.tag, "\(vector.name)")
                #expect("\(opened.header.role)" == vector.role && opened.header.collation == vector.collation, "\(vector.name)")
            }
        }
    }

    @Test func theSameCellsAreSealedHere() throws {
        for vector in vectors.cells {
            let cipher = try cipher(vector.cek, vector.key_id)
            let type = EncryptedType(
                try #require(LogicalType(name: vector.type)), try #require(EncryptionScheme(rawValue: vector.scheme)), key: cipher.id,
                collation: vector.collation)
            let plaintext = hex(vector.plaintext)
            let cell: [UInt8]
            if let writer = vector.writer, let counter = vector.counter {
                let role = try #require(CellRole.allCases.first { "\($0)" == vector.role })
                let number = try #require(UInt64(counter))
                cell = try CellWriter(id: hex(writer).span.bigEndian(at: 0), counter: number)
                    .seal(plaintext.span, role: role, type: type, with: cipher)
            } else {
                cell = try cipher.sealDeterministic(plaintext.span, type: type)
            }
            #expect(cell == hex(vector.cell), "\(vector.name)")
        }
    }

    @Test func valuesHashAsTheyDoThere() throws {
        for vector in vectors.hashes {
            let cipher = try cipher(vector.cek, vector.key_id)
            let type = try #require(LogicalType(name: vector.type))
            let hash = try cipher.hash(hex(vector.normalized).span, type: type, collation: vector.collation)
            #expect(hash == UInt64(vector.hash, radix: 16), "\(vector.name)")
        }
    }

    @Test func nothingThatMustNotOpenOpens() throws {
        for vector in vectors.refused {
            let cipher = try cipher(vector.cek, vector.key_id)
            let cell = hex(vector.cell)
            #expect(code { _ = try cipher.open(cell.span) } == .cellRefused, "\(vector.name)")
        }
    }

    /// Each refused cell was made from one that opens: the vectors refuse for the reason they name.
    @Test func theRefusedCellsAreNearMisses() throws {
        let flips = vectors.refused.filter { $0.name.hasSuffix("flipped") }
        #expect(flips.count > 90)
        for vector in flips {
            let words = vector.name.split(separator: " ")
            let index = try #require(words.dropLast().last.flatMap { Int($0) })
            var cell = hex(vector.cell)
            cell[index] ^= 1 << UInt8(index % 8)
            _ = try cipher(vector.cek, vector.key_id).open(cell.span)
        }
    }
}
