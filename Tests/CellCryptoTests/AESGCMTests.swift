@testable import CellCrypto
import Diagnostics
import Testing

/// NIST CAVP gcmEncryptExtIV256 (96-bit IV, 128-bit tag), the test cases 13 to 16 of the GCM submission, and Wycheproof
/// aes_gcm_test.json (github.com/C2SP/wycheproof, Apache-2.0).
@Suite struct AESGCMTests {
    struct Vector: Sendable, CustomStringConvertible {
        var source, key, nonce, data, plaintext, ciphertext, tag: String
        var description: String { source }
    }

    static let valid: [Vector] = [
        Vector(
            source: "CAVP PTlen 0, count 0", key: "b52c505a37d78eda5dd34f20c22540ea1b58963cf8e5bf8ffa85f9f2492505b4",
            nonce: "516c33929df5a3284ff463d7", data: "", plaintext: "", ciphertext: "", tag: "bdc1ac884d332457a1d2664f168c76f0"),
        Vector(
            source: "CAVP PTlen 0, count 1", key: "5fe0861cdc2690ce69b3658c7f26f8458eec1c9243c5ba0845305d897e96ca0f",
            nonce: "770ac1a5a3d476d5d96944a1", data: "", plaintext: "", ciphertext: "", tag: "196d691e1047093ca4b3d2ef4baba216"),
        Vector(
            source: "CAVP PTlen 128, AADlen 0", key: "31bdadd96698c204aa9ce1448ea94ae1fb4a9a0b3c9d773b51bb1822666b8f22",
            nonce: "0d18e06c7c725ac9e362e1ce", data: "", plaintext: "2db5168e932556f8089a0622981d017d",
            ciphertext: "fa4362189661d163fcd6a56d8bf0405a", tag: "d636ac1bbedd5cc3ee727dc2ab4a9489"),
        Vector(
            source: "CAVP PTlen 128, AADlen 128", key: "92e11dcdaa866f5ce790fd24501f92509aacf4cb8b1339d50c9c1240935dd08b",
            nonce: "ac93a1a6145299bde902f21a", data: "1e0889016f67601c8ebea4943bc23ad6",
            plaintext: "2d71bcfa914e4ac045b2aa60955fad24", ciphertext: "8995ae2e6df3dbf96fac7b7137bae67f",
            tag: "eca5aa77d51d4a0a14d9c51e1da474ab"),
        Vector(
            source: "submission 13", key: String(repeating: "00", count: 32), nonce: "000000000000000000000000", data: "",
            plaintext: "", ciphertext: "", tag: "530f8afbc74536b9a963b4f1c4cb738b"),
        Vector(
            source: "submission 14", key: String(repeating: "00", count: 32), nonce: "000000000000000000000000", data: "",
            plaintext: "00000000000000000000000000000000", ciphertext: "cea7403d4d606b6e074ec5d3baf39d18",
            tag: "d0d1c8a799996bf0265b98b5d48ab919"),
        Vector(
            source: "submission 15", key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
            nonce: "cafebabefacedbaddecaf888", data: "",
            plaintext: """
                d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255
                """,
            ciphertext: """
                522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad
                """,
            tag: "b094dac5d93471bdec1a502270e3cc6c"),
        Vector(
            source: "submission 16", key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
            nonce: "cafebabefacedbaddecaf888", data: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            plaintext: """
                d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39
                """,
            ciphertext: """
                522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662
                """,
            tag: "76fc6ece0f4e1768cddf8853bb2d551b"),
        Vector(
            source: "Wycheproof 89", key: "2ce6b4c15f85fb2da5cc6c269491eef281980309181249ebf2832bd6d0732d0b",
            nonce: "c064fae9173b173fd6f11f34",
            data: """
                498d3075b09fed998280583d61bb36b6ce41f130063b80824d1586e143d349b126b16aa10fe57343ed223d6364ee602257fe313a7fc9bf9088f027795b8dc1d3
                """,
            plaintext: "f8a27a4baf00dc0555d222f2fa4fb42dc666ea3c", ciphertext: "aed58d8a252f740dba4bf6d36773bd5b41234bba",
            tag: "01f93d7456aa184ebb49bea472b6d65d"),
        Vector(
            source: "Wycheproof 92: tag of ones", key: "00112233445566778899aabbccddeeff102132435465768798a9bacbdcedfe0f",
            nonce: "000000000000000000000000", data: "", plaintext: "561008fa07a68f5c61285cd013464eaf",
            ciphertext: "23293e9b07ca7d1b0cae7cc489a973b3", tag: "ffffffffffffffffffffffffffffffff"),
        Vector(
            source: "Wycheproof 93: tag of zeros", key: "00112233445566778899aabbccddeeff102132435465768798a9bacbdcedfe0f",
            nonce: "ffffffffffffffffffffffff", data: "", plaintext: "c6152244cea1978d3e0bc274cf8c0b3b",
            ciphertext: "7cb6fc7c6abc009efe9551a99f36a421", tag: "00000000000000000000000000000000"),
    ]

    @Test(arguments: valid) func sealsAndOpens(vector: Vector) throws {
        let key = try GCMKey(copying: hex(vector.key).span)
        let nonce = hex(vector.nonce)
        let data = hex(vector.data)
        let plaintext = hex(vector.plaintext)
        let sealed = try AESGCM.seal(plaintext.span, key: key, nonce: nonce.span, authenticating: data.span)
        #expect(sealed == hex(vector.ciphertext) + hex(vector.tag))
        let opened = try AESGCM.open(sealed.span, key: key, nonce: nonce.span, authenticating: data.span)
        #expect(opened.copy() == plaintext)
    }

    /// Wycheproof 94 to 120: the valid tag is 9ce8fef6d8ab1bf1bf887232eab590dd.
    static let wrongTags = [
        "9de8fef6d8ab1bf1bf887232eab590dd", "9ee8fef6d8ab1bf1bf887232eab590dd", "1ce8fef6d8ab1bf1bf887232eab590dd",
        "9ce9fef6d8ab1bf1bf887232eab590dd", "9ce8fe76d8ab1bf1bf887232eab590dd", "9ce8fef6d9ab1bf1bf887232eab590dd",
        "9ce8fef6daab1bf1bf887232eab590dd", "9ce8fef6d8ab1b71bf887232eab590dd", "9ce8fef6d8ab1bf1be887232eab590dd",
        "9ce8fef6d8ab1bf13f887232eab590dd", "9ce8fef6d8ab1bf1bfa87232eab590dd", "9ce8fef6d8ab1bf1bf887332eab590dd",
        "9ce8fef6d8ab1bf1bf887232ebb590dd", "9ce8fef6d8ab1bf1bf887232e8b590dd", "9ce8fef6d8ab1bf1bf8872326ab590dd",
        "9ce8fef6d8ab1bf1bf887232eab590dc", "9ce8fef6d8ab1bf1bf887232eab590df", "9ce8fef6d8ab1bf1bf887232eab5909d",
        "9ce8fef6d8ab1bf1bf887232eab5905d", "9de8fef6d8ab1bf1be887232eab590dd", "9ce8fe76d8ab1b71bf887232eab590dd",
        "9ce8fef6d8ab1b71bf887232eab5905d", "631701092754e40e40778dcd154a6f22", "00000000000000000000000000000000",
        "ffffffffffffffffffffffffffffffff", "1c687e76582b9b713f08f2b26a35105d", "9de9fff7d9aa1af0be897333ebb491dc",
    ]

    @Test(arguments: wrongTags) func aWrongTagIsRefused(tag: String) throws {
        let key = try GCMKey(copying: hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f").span)
        let nonce = hex("505152535455565758595a5b")
        let ciphertext = hex("b2061457c0759fc1749f174ee1ccadfa")
        let right = ciphertext + hex("9ce8fef6d8ab1bf1bf887232eab590dd")
        _ = try AESGCM.open(right.span, key: key, nonce: nonce.span, authenticating: Span())
        let wrong = ciphertext + hex(tag)
        #expect(code { _ = try AESGCM.open(wrong.span, key: key, nonce: nonce.span, authenticating: Span()) } == .authenticationFailed)
    }

    @Test func anythingElseThatDiffersIsRefused() throws {
        let key = try GCMKey()
        let other = try GCMKey()
        let nonce = [UInt8](repeating: 1, count: 12)
        let otherNonce = [UInt8](repeating: 2, count: 12)
        let sealed = try AESGCM.seal([1, 2, 3].span, key: key, nonce: nonce.span, authenticating: [9].span)
        func refused(_ body: () throws -> Void) { #expect(code(body) == .authenticationFailed) }
        refused { _ = try AESGCM.open(sealed.span, key: other, nonce: nonce.span, authenticating: [9].span) }
        refused { _ = try AESGCM.open(sealed.span, key: key, nonce: otherNonce.span, authenticating: [9].span) }
        refused { _ = try AESGCM.open(sealed.span, key: key, nonce: nonce.span, authenticating: [8].span) }
        refused { _ = try AESGCM.open(sealed.span, key: key, nonce: nonce.span, authenticating: Span()) }
        for count in 0..<sealed.count {
            let cut = Array(sealed.prefix(count))
            refused { _ = try AESGCM.open(cut.span, key: key, nonce: nonce.span, authenticating: [9].span) }
        }
    }

    @Test(arguments: [0, 8, 11, 13, 16]) func aNonceHasTwelveBytes(count: Int) throws {
        let key = try GCMKey()
        let nonce = [UInt8](repeating: 0, count: count)
        #expect(code { _ = try AESGCM.seal([1].span, key: key, nonce: nonce.span, authenticating: Span()) } == .unsuitableParameter)
    }
}
