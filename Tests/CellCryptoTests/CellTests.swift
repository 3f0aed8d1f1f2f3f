@testable import CellCrypto
import CellFormat
import Diagnostics
import Testing

@Suite struct CellTests {
    let date = EncryptedType(.date, .randomized, key: key7)
    let text = EncryptedType(.text, .deterministic, key: key7)

    @Test(arguments: [0, 1, 4, 15, 16, 17, 1000])
    func randomizedCellOpensToWhatWasSealed(length: Int) throws {
        let cipher = try cipher()
        let writer = try CellWriter()
        let plaintext = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
        for role in CellRole.allCases {
            let cell = try writer.seal(plaintext.span, role: role, type: date, with: cipher)
            #expect(cell.count == length + CellHeader.gcmOverhead)
            let opened = try cipher.open(cell.span)
            #expect(opened.header == date.header(role))
            #expect(opened.plaintext.copyBytes() == plaintext)
        }
    }

    @Test(arguments: [0, 1, 15, 16, 17, 31, 32, 1000])
    func deterministicCellOpensToWhatWasSealed(length: Int) throws {
        let cipher = try cipher()
        let plaintext = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
        let cell = try cipher.sealDeterministic(plaintext.span, type: text)
        #expect(cell.count == length + CellHeader.sivOverhead)
        #expect(cell == (try cipher.sealDeterministic(plaintext.span, type: text)))
        let opened = try cipher.open(cell.span)
        #expect(opened.header == text.header(.stored))
        #expect(opened.plaintext.copyBytes() == plaintext)
    }

    @Test func everyChangedByteGivesTheOneError() throws {
        let cipher = try cipher()
        let plaintext: [UInt8] = [0, 0, 1, 2]
        let randomized = try CellWriter().seal(plaintext.span, role: .stored, type: date, with: cipher)
        let deterministic = try cipher.sealDeterministic(plaintext.span, type: text)
        for cell in [randomized, deterministic] {
            _ = try cipher.open(cell.span)
            for index in cell.indices {
                for bit in 0..<8 {
                    var changed = cell
                    changed[index] ^= 1 << UInt8(bit)
                    let error = #expect(throws: CloisterError.self) { _ = try cipher.open(changed.span) }
                    #expect(error?.code == .cellRefused)
                    #expect(error?.description == CloisterError.cellRefused.description)
                }
            }
        }
    }

    @Test func everyShorterOrLongerCellGivesTheOneError() throws {
        let cipher = try cipher()
        for cell in [
            try CellWriter().seal([1, 2, 3, 4].span, role: .stored, type: date, with: cipher),
            try cipher.sealDeterministic([1, 2, 3, 4].span, type: text),
        ] {
            for count in 0..<cell.count {
                let cut = Array(cell.prefix(count))
                #expect(code { _ = try cipher.open(cut.span) } == .cellRefused)
            }
            let longer = cell + [0]
            #expect(code { _ = try cipher.open(longer.span) } == .cellRefused)
        }
    }

    @Test func anotherKeyRefuses() throws {
        let cell = try CellWriter().seal([1].span, role: .stored, type: date, with: cipher(1))
        let other = try cipher(2)
        #expect(code { _ = try other.open(cell.span) } == .cellRefused)
        let sameKeyOtherID = try cipher(1, id: key8)
        #expect(code { _ = try sameKeyOtherID.open(cell.span) } == .cellRefused)
    }

    @Test func aRefusedCellLeavesNothingInTheBuffer() throws {
        let cipher = try cipher()
        let opener = CellOpener()
        let plaintext = [UInt8](repeating: 0x55, count: 40)
        for cell in [
            try CellWriter().seal(plaintext.span, role: .stored, type: date, with: cipher),
            try cipher.sealDeterministic(plaintext.span, type: text),
        ] {
            var buffer = [UInt8](repeating: 0, count: 40)
            let changed = flipped(cell, at: cell.count - 1)
            let refusal = code {
                var span = buffer.mutableSpan
                _ = try opener.open(changed.span, with: cipher, into: &span)
            }
            #expect(refusal == .cellRefused)
            #expect(!buffer.contains(0x55))
        }
    }

    @Test func aTypeOfAnotherSchemeOrKeyIsNotSealed() throws {
        let cipher = try cipher()
        let writer = try CellWriter()
        #expect(code { _ = try writer.seal([1].span, role: .stored, type: text, with: cipher) } == .unsuitableParameter)
        #expect(code { _ = try cipher.sealDeterministic([1].span, type: date) } == .unsuitableParameter)
        let elsewhere = EncryptedType(.date, .randomized, key: key8)
        #expect(code { _ = try writer.seal([1].span, role: .stored, type: elsewhere, with: cipher) } == .unsuitableParameter)
    }

    @Test func hashIsEqualForEqualValuesOnly() throws {
        let cipher = try cipher()
        let one = try cipher.hash([1, 2].span, type: .text, collation: 0)
        #expect(one == (try cipher.hash([1, 2].span, type: .text, collation: 0)))
        #expect(one == (try CellOpener().hash([1, 2].span, type: .text, collation: 0, with: cipher)))
        #expect(one != (try cipher.hash([1, 3].span, type: .text, collation: 0)))
        #expect(one != (try cipher.hash([1, 2].span, type: .bytea, collation: 0)))
        #expect(one != (try cipher.hash([1, 2].span, type: .text, collation: 1)))
        let other = try cipher9()
        #expect(one != (try other.hash([1, 2].span, type: .text, collation: 0)))
    }

    private func cipher9() throws -> CellCipher { try cipher(9) }
}

@Suite struct CellWriterTests {
    let date = EncryptedType(.date, .randomized, key: key7)

    private func counter(_ cell: [UInt8]) -> UInt64 { cell.span.bigEndian(at: 16) }
    private func writer(_ cell: [UInt8]) -> UInt64 { cell.span.bigEndian(at: 8) }

    @Test func countersRiseByOneOverAllKeys() throws {
        let writer = try CellWriter()
        let seven = try cipher()
        let eight = try cipher(2, id: key8)
        let cells = [
            try writer.seal([1].span, role: .stored, type: date, with: seven),
            try writer.seal([1].span, role: .stored, type: EncryptedType(.date, .randomized, key: key8), with: eight),
            try writer.seal([1].span, role: .operand, type: date, with: seven),
        ]
        #expect(cells.map(counter) == [0, 1, 2])
        #expect(Set(cells.map(self.writer)) == [writer.id])
    }

    @Test func aNewWriterIDIsDrawnWhenTheLimitIsReached() throws {
        let cipher = try cipher()
        let writer = try CellWriter(limit: 3)
        var nonces: Set<[UInt8]> = []
        var writers: [UInt64] = []
        for _ in 0..<7 {
            let cell = try writer.seal([5].span, role: .stored, type: date, with: cipher)
            nonces.insert(Array(cell[8..<24]))
            writers.append(self.writer(cell))
            #expect(try cipher.open(cell.span).plaintext.copyBytes() == [5])
        }
        #expect(nonces.count == 7)
        #expect(Set(writers).count == 3)
        #expect(writers[0] == writers[2] && writers[2] != writers[3] && writers[3] == writers[5] && writers[5] != writers[6])
    }

    @Test func theLimitIsTwoToTheThirtyTwoAndNeverMore() throws {
        #expect(CellWriter.cellLimit == 4_294_967_296)
        let writer = try CellWriter(limit: .max)
        try writer.reserve(4_294_967_296)
        let before = writer.id
        let cipher = try cipher()
        _ = try writer.seal([1].span, role: .stored, type: date, with: cipher)
        try writer.reserve(4_294_967_296)
        #expect(writer.id != before)
    }

    @Test func reservedCellsShareAWriter() throws {
        let cipher = try cipher()
        let writer = try CellWriter(limit: 4)
        for _ in 0..<3 { _ = try writer.seal([1].span, role: .stored, type: date, with: cipher) }
        try writer.reserve(2)
        let cells = try (0..<2).map { _ in try writer.seal([1].span, role: .operand, type: date, with: cipher) }
        #expect(Set(cells.map(self.writer)).count == 1)
    }

    @Test func twoWritersDiffer() throws {
        let cipher = try cipher()
        let a = try CellWriter().seal([1].span, role: .stored, type: date, with: cipher)
        let b = try CellWriter().seal([1].span, role: .stored, type: date, with: cipher)
        #expect(writer(a) != writer(b))
        #expect(a.suffix(17) != b.suffix(17))
    }
}

@Suite struct CellOpenerTests {
    let date = EncryptedType(.date, .randomized, key: key7)

    @Test func manyWritersInASmallCache() throws {
        let cipher = try cipher()
        let opener = CellOpener(capacity: 4)
        let cells = try (0..<40).map { number in
            try CellWriter().seal([UInt8(number)].span, role: .stored, type: date, with: cipher)
        }
        for _ in 0..<3 {
            for (number, cell) in cells.enumerated() {
                #expect(try opener.open(cell.span, with: cipher).plaintext.copyBytes() == [UInt8(number)])
            }
        }
    }

    @Test func aCachedWriterKeyDoesNotOpenAnotherCiphersCell() throws {
        let mine = try cipher(1)
        let other = try cipher(2)
        let opener = CellOpener()
        let cell = try CellWriter().seal([1].span, role: .stored, type: date, with: mine)
        _ = try opener.open(cell.span, with: mine)
        #expect(code { _ = try opener.open(cell.span, with: other) } == .cellRefused)
        _ = try opener.open(cell.span, with: mine)
        opener.forgetAll()
        _ = try opener.open(cell.span, with: mine)
    }

    @Test func opensIntoACallersBuffer() throws {
        let cipher = try cipher()
        let opener = CellOpener()
        let cell = try CellWriter().seal([1, 2, 3].span, role: .operand, type: date, with: cipher)
        var buffer = [UInt8](repeating: 0xee, count: 5)
        do {
            var span = buffer.mutableSpan
            let opened = try opener.open(cell.span, with: cipher, into: &span)
            #expect(opened.count == 3)
            #expect(opened.header.role == .operand)
        }
        #expect(buffer == [1, 2, 3, 0xee, 0xee])
        var small = [UInt8](repeating: 0, count: 2)
        let refusal = code {
            var span = small.mutableSpan
            _ = try opener.open(cell.span, with: cipher, into: &span)
        }
        #expect(refusal == .unsuitableParameter)
        #expect(small == [0, 0])
    }

    @Test func oneCipherServesManyThreads() async throws {
        let cipher = try cipher()
        let date = self.date
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    let writer = try CellWriter()
                    for _ in 0..<200 {
                        let cell = try writer.seal([UInt8(task)].span, role: .stored, type: date, with: cipher)
                        #expect(try cipher.open(cell.span).plaintext.copyBytes() == [UInt8(task)])
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}

@Suite struct SecretTypeTests {
    @Test func plaintextRedactsItselfWhereverItIsPrinted() throws {
        let plaintext = try Plaintext(copying: Array("geheim".utf8).span)
        var dumped = ""
        dump(plaintext, to: &dumped)
        dump((1, [plaintext]), to: &dumped)
        for shown in ["\(plaintext)", String(reflecting: plaintext), String(describing: [plaintext]), dumped] {
            #expect(!shown.contains("geheim") && !shown.contains("103") && shown.contains("redacted"))
        }
        #expect(Mirror(reflecting: plaintext).children.isEmpty)
        #expect(plaintext.copyBytes() == Array("geheim".utf8))
    }

    @Test func keysHaveTheirSizes() throws {
        #expect(code { _ = try ColumnKey(copying: [1, 2].span) } == .unsuitableParameter)
        #expect(code { _ = try GCMKey(copying: [1, 2].span) } == .unsuitableParameter)
        #expect(code { _ = try SIVKey(copying: [UInt8](repeating: 0, count: 33).span) } == .unsuitableParameter)
        let key = try ColumnKey()
        let same = try key.duplicate()
        #expect([UInt8](copying: key.bytes) == [UInt8](copying: same.bytes))
        let other = try ColumnKey()
        #expect([UInt8](copying: key.bytes) != [UInt8](copying: other.bytes))
    }

    @Test func aRingHoldsAndReplacesCiphers() throws {
        let ring = KeyRing([key7: try cipher()])
        #expect(ring.cipher(key7)?.id == key7)
        #expect(ring.cipher(key8) == nil)
        ring.replace([key8: try cipher(2, id: key8)])
        #expect(ring.identifiers == [key8])
        ring.insert(try cipher())
        #expect(ring.identifiers == [key7, key8])
        ring.remove(key8)
        #expect(ring.identifiers == [key7])
    }
}
