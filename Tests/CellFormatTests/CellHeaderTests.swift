import CellFormat
import Diagnostics
import Testing

@Suite struct CellHeaderTests {
    let key = KeyID(rawValue: 0x0102_0304)!

    /// A cell of the header's algorithm with an empty plaintext.
    private func cell(_ header: CellHeader) -> [UInt8] {
        header.bytes + [UInt8](repeating: 0, count: (header.algorithm == .gcm ? CellHeader.gcmOverhead : CellHeader.sivOverhead) - 8)
    }

    private func isMalformed(_ bytes: [UInt8]) -> Bool {
        do {
            _ = try CellHeader(cell: bytes.span)
            return false
        } catch {
            return error.code == .malformedCell
        }
    }

    @Test func theBytesStandWhereTheSchemaSays() {
        let header = CellHeader(role: .operand, algorithm: .gcm, type: .date, collation: 9, key: key)
        #expect(header.bytes == [1, 0x11, 12, 9, 1, 2, 3, 4])
        #expect(CellHeader(role: .stored, algorithm: .siv, type: .jsonb, key: key).bytes == [1, 0x02, 21, 0, 1, 2, 3, 4])
    }

    @Test func everyHeaderGoesThereAndBack() throws {
        for type in LogicalType.allCases {
            for role in CellRole.allCases {
                let header = CellHeader(role: role, algorithm: .gcm, type: type, collation: 255, key: key)
                let bytes = cell(header)
                #expect(bytes.count == 40)
                #expect(try CellHeader(cell: bytes.span) == header)
            }
            let header = CellHeader(role: .stored, algorithm: .siv, type: type, key: key)
            let bytes = cell(header)
            #expect(bytes.count == 24)
            #expect(try CellHeader(cell: bytes.span) == header)
        }
    }

    @Test func aDeterministicCellIsAlwaysStored() {
        for role in CellRole.allCases {
            #expect(CellHeader(role: role, algorithm: .siv, type: .text, key: key).role == .stored)
        }
    }

    @Test func everythingElseIsMalformed() throws {
        let gcm = cell(CellHeader(role: .stored, algorithm: .gcm, type: .date, key: key))
        let siv = cell(CellHeader(role: .stored, algorithm: .siv, type: .date, key: key))
        for whole in [gcm, siv] {
            #expect(!isMalformed(whole) && !isMalformed(whole + [7, 7]))
            for count in 0..<whole.count { #expect(isMalformed(Array(whole.prefix(count)))) }
        }
        for version in 0...255 where version != 1 { #expect(isMalformed([UInt8(version)] + gcm.dropFirst())) }
        for second in UInt8.min...UInt8.max {
            var changed = gcm
            changed[1] = second
            // stored, operand, result under GCM; stored under SIV: nothing else
            #expect(isMalformed(changed) == ![0x01, 0x11, 0x21, 0x02].contains(second), "\(second)")
        }
        for tag in UInt8.min...UInt8.max {
            var changed = gcm
            changed[2] = tag
            #expect(isMalformed(changed) == !(1...21).contains(tag), "\(tag)")
        }
        for id: [UInt8] in [[0, 0, 0, 0], [0x80, 0, 0, 0], [0xff, 0xff, 0xff, 0xff]] {
            #expect(isMalformed(Array(gcm.prefix(4)) + id + gcm.dropFirst(8)))
        }
        #expect(!isMalformed(Array(gcm.prefix(4)) + [0x7f, 0xff, 0xff, 0xff] + gcm.dropFirst(8)))
    }

    @Test func keyIDsArePositiveAndFitATypmod() {
        #expect(KeyID(rawValue: 0) == nil)
        #expect(KeyID(rawValue: 1)?.rawValue == 1)
        #expect(KeyID(rawValue: 0x7fff_ffff) != nil)
        #expect(KeyID(rawValue: 0x8000_0000) == nil)
        #expect("\(key)" == "key 16909060")
    }
}

@Suite struct LogicalTypeTests {
    /// Tags are on disk: this list only ever grows. OIDs and lengths as in PostgreSQL 15's pg_type.dat.
    static let table: [(LogicalType, UInt8, String, UInt32, Int16)] = [
        (.boolean, 1, "boolean", 16, 1), (.int2, 2, "int2", 21, 2), (.int4, 3, "int4", 23, 4), (.int8, 4, "int8", 20, 8),
        (.float4, 5, "float4", 700, 4), (.float8, 6, "float8", 701, 8), (.numeric, 7, "numeric", 1700, -1), (.text, 8, "text", 25, -1),
        (.varchar, 9, "varchar", 1043, -1), (.bpchar, 10, "bpchar", 1042, -1), (.bytea, 11, "bytea", 17, -1), (.date, 12, "date", 1082, 4),
        (.time, 13, "time", 1083, 8), (.timetz, 14, "timetz", 1266, 12), (.timestamp, 15, "timestamp", 1114, 8),
        (.timestamptz, 16, "timestamptz", 1184, 8), (.interval, 17, "interval", 1186, 16), (.uuid, 18, "uuid", 2950, 16),
        (.inet, 19, "inet", 869, -1), (.json, 20, "json", 114, -1), (.jsonb, 21, "jsonb", 3802, -1),
    ]

    @Test func tagsNamesAndOIDsAreFixed() {
        #expect(Self.table.map(\.0) == LogicalType.allCases)
        for (type, tag, name, oid, size) in Self.table {
            #expect(type.rawValue == tag && type.name == name && type.oid == oid && type.size == size)
            #expect(LogicalType(name: name) == type && LogicalType(oid: oid) == type && LogicalType(rawValue: tag) == type)
        }
        #expect(LogicalType(name: "integer") == nil && LogicalType(name: "Date") == nil && LogicalType(oid: 26) == nil)
    }

    @Test func collationsAreForTextOnly() {
        #expect(LogicalType.allCases.filter(\.isText) == [.text, .varchar, .bpchar])
    }

    @Test func allTypesAreServedAndAllButJSONAreCompared() {
        #expect(LogicalType.supported.count == 21 && LogicalType.supported == LogicalType.allCases)
        #expect(Set(LogicalType.allCases.filter { !$0.isComparable }) == [.json, .jsonb])
    }
}

@Suite struct EncryptedTypeTests {
    let key = KeyID(rawValue: 7)!

    @Test func ddlWritesTheServersType() {
        #expect(EncryptedType(.date, .randomized, key: key).declaration == "pg_catalog.enc_date(7)")
        #expect(EncryptedType(.text, .deterministic, key: key).declaration == "pg_catalog.det_text(7)")
        #expect(EncryptedType(.boolean, .randomized, key: key).serverTypeName == "enc_boolean")
    }

    @Test func headersFollowTheScheme() {
        let randomized = EncryptedType(.text, .randomized, key: key, collation: 3)
        #expect(randomized.header(.operand) == CellHeader(role: .operand, algorithm: .gcm, type: .text, collation: 3, key: key))
        let deterministic = EncryptedType(.text, .deterministic, key: key)
        #expect(deterministic.header(.operand) == CellHeader(role: .stored, algorithm: .siv, type: .text, key: key))
    }

    @Test func everyDifferenceIsADifference() {
        let one = EncryptedType(.text, .randomized, key: key)
        #expect(one != EncryptedType(.varchar, .randomized, key: key))
        #expect(one != EncryptedType(.text, .deterministic, key: key))
        #expect(one != EncryptedType(.text, .randomized, key: KeyID(rawValue: 8)!))
        #expect(one != EncryptedType(.text, .randomized, key: key, collation: 1))
    }
}
