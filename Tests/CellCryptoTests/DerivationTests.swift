@testable import CellCrypto
import Diagnostics
import Testing

@Suite struct DigestTests {
    /// FIPS 180-4 examples.
    @Test func sha2OfABC() throws {
        #expect(
            try DigestAlgorithm.sha256.hash(Array("abc".utf8))
                == hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"))
        #expect(
            try DigestAlgorithm.sha384.hash(Array("abc".utf8))
                == hex("cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"))
        #expect(
            try DigestAlgorithm.sha512.hash(Array("abc".utf8))
                == hex(
                    """
                    ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f
                    """))
        #expect(
            try DigestAlgorithm.sha256.hash([])
                == hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"))
    }

    @Test(arguments: DigestAlgorithm.allCases) func piecesGiveTheSameDigest(algorithm: DigestAlgorithm) throws {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        let digest = try Digest(algorithm)
        for start in stride(from: 0, to: 1000, by: 77) { try digest.update(bytes.span.extracting(start..<min(1000, start + 77))) }
        let result = try digest.finish()
        #expect(result == (try algorithm.hash(bytes)))
        #expect(result.count == algorithm.byteCount)
    }
}

@Suite struct HMACTests {
    /// RFC 4231, test cases 1, 2, 6.
    @Test func rfc4231() throws {
        func check(_ key: [UInt8], _ message: [UInt8], _ expected: String) throws {
            #expect(try HMACSHA256.code(for: message.span, key: key.span) == hex(expected))
        }
        try check(
            [UInt8](repeating: 0x0b, count: 20), Array("Hi There".utf8),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        try check(
            Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        try check(
            [UInt8](repeating: 0xaa, count: 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
        try check([], [], "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }
}

@Suite struct HKDFTests {
    /// RFC 5869, appendix A.1 to A.3.
    @Test func rfc5869() throws {
        func check(_ key: [UInt8], _ salt: [UInt8], _ info: [UInt8], _ count: Int, _ expected: String) throws {
            #expect(try HKDF.deriveSHA256(from: key.span, salt: salt.span, info: info.span, count: count).copy() == hex(expected))
        }
        try check(
            [UInt8](repeating: 0x0b, count: 22), hex("000102030405060708090a0b0c"), hex("f0f1f2f3f4f5f6f7f8f9"), 42,
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")
        try check(
            Array(0x00...0x4f), Array(0x60...0xaf), Array(0xb0...0xff), 82,
            """
            b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87
            """)
        try check(
            [UInt8](repeating: 0x0b, count: 22), [], [], 42,
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8")
    }

    @Test func boundsAreChecked() throws {
        #expect(code { _ = try HKDF.deriveSHA256(from: [1].span, salt: Span(), info: Span(), count: 0) } == .unsuitableParameter)
        #expect(code { _ = try HKDF.deriveSHA256(from: [1].span, salt: Span(), info: Span(), count: 8161) } == .unsuitableParameter)
        #expect(code { _ = try HKDF.deriveSHA256(from: Span(), salt: Span(), info: Span(), count: 32) } == .unsuitableParameter)
        #expect(try HKDF.deriveSHA256(from: [1].span, salt: Span(), info: Span(), count: 8160).count == 8160)
    }
}

@Suite struct ScryptTests {
    /// RFC 7914 section 12 (its fourth vector takes a gibibyte and is left out).
    @Test func rfc7914() throws {
        func check(_ passphrase: String, _ salt: String, _ parameters: Scrypt.Parameters, _ expected: String) throws {
            let key = try Scrypt.derive(
                passphrase: Array(passphrase.utf8).span, salt: Array(salt.utf8).span, parameters: parameters, count: 64)
            #expect(key.copy() == hex(expected))
        }
        try check(
            "", "", .init(log2N: 4, r: 1, p: 1),
            """
            77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906
            """)
        try check(
            "password", "NaCl", .init(log2N: 10, r: 8, p: 16),
            """
            fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640
            """)
        try check(
            "pleaseletmein", "SodiumChloride", .init(log2N: 14, r: 8, p: 1),
            """
            7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887
            """)
    }

    @Test(arguments: [
        Scrypt.Parameters(log2N: 0, r: 8, p: 1), .init(log2N: 21, r: 1, p: 1), .init(log2N: 20, r: 32, p: 1), .init(log2N: 15, r: 0, p: 1),
        .init(log2N: 15, r: 33, p: 1), .init(log2N: 15, r: 8, p: 0), .init(log2N: 15, r: 8, p: 17), .init(log2N: .max, r: .max, p: .max),
    ])
    func parametersBeyondTheBoundsAreRefused(parameters: Scrypt.Parameters) throws {
        #expect(!parameters.areAcceptable)
        #expect(
            code { _ = try Scrypt.derive(passphrase: [1].span, salt: [1].span, parameters: parameters, count: 32) }
                == .unsuitableParameter)
    }
}
