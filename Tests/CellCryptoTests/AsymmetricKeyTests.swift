@testable import CellCrypto
import Diagnostics
import Testing

@Suite struct X25519Tests {
    /// RFC 7748 section 6.1: Bob's key and Alice's public key.
    @Test func rfc7748() throws {
        let bob = try X25519PrivateKey(copying: hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb").span)
        #expect(try bob.publicKey == hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"))
        let alice = hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
        #expect(
            try bob.sharedSecret(with: alice.span).copy() == hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"))
    }

    @Test func bothSidesAgree() throws {
        let a = try X25519PrivateKey()
        let b = try X25519PrivateKey()
        let publicA = try a.publicKey
        let publicB = try b.publicKey
        #expect(publicA != publicB)
        #expect(try a.sharedSecret(with: publicB.span).copy() == b.sharedSecret(with: publicA.span).copy())
    }

    /// Points of small order give an all-zero secret: RFC 7748 section 6.1 has them refused.
    @Test(arguments: [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ])
    func aPeerOfSmallOrderIsRefused(point: String) throws {
        let key = try X25519PrivateKey()
        let peer = hex(point)
        #expect(code { _ = try key.sharedSecret(with: peer.span) } == .authenticationFailed)
    }

    @Test func sizesAreChecked() throws {
        let key = try X25519PrivateKey()
        #expect(code { _ = try key.sharedSecret(with: [1, 2, 3].span) } == .unsuitableParameter)
        #expect(code { _ = try X25519PrivateKey(copying: [1].span) } == .unsuitableParameter)
    }
}

@Suite struct Ed25519Tests {
    /// RFC 8032 section 7.1, tests 1 to 3.
    @Test(arguments: [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
            """
            e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b
            """
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
            """
            92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00
            """
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
            """
            6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a
            """
        ),
    ])
    func rfc8032(seed: String, publicKey: String, message: String, signature: String) throws {
        let key = try Ed25519PrivateKey(copying: hex(seed).span)
        let message = hex(message)
        #expect(try key.publicKey.bytes == hex(publicKey))
        #expect(try key.seed().copy() == hex(seed))
        let signed = try key.sign(message.span)
        #expect(signed == hex(signature))
        try key.publicKey.verify(signed.span, of: message.span)
    }

    @Test func anythingChangedIsRefused() throws {
        let key = try Ed25519PrivateKey()
        let publicKey = try key.publicKey
        let message: [UInt8] = [1, 2, 3]
        let signature = try key.sign(message.span)
        for index in signature.indices {
            let changed = flipped(signature, at: index)
            #expect(code { try publicKey.verify(changed.span, of: message.span) } == .authenticationFailed)
        }
        #expect(code { try publicKey.verify(signature.span, of: [1, 2].span) } == .authenticationFailed)
        let cut = Array(signature.dropLast())
        #expect(code { try publicKey.verify(cut.span, of: message.span) } == .authenticationFailed)
        let other = try Ed25519PrivateKey()
        #expect(code { try other.publicKey.verify(signature.span, of: message.span) } == .authenticationFailed)
    }
}

@Suite struct P384Tests {
    /// RFC 6979 A.2.6, SHA-384, "sample".
    @Test func rfc6979SignatureVerifies() throws {
        let point = hex(
            """
            04ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc13
            8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720
            """)
        let signature = hex(
            """
            94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46
            99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8
            """)
        let key = try P384PublicKey(point: point.span)
        try key.verify(signature.span, of: Array("sample".utf8).span)
        #expect(code { try key.verify(signature.span, of: Array("test".utf8).span) } == .authenticationFailed)
    }

    @Test func signsAndVerifies() throws {
        let key = try P384PrivateKey()
        let publicKey = try key.publicKey
        // Many signatures, so that r and s with leading zero bits and bytes come up.
        for number in 0..<200 {
            let message: [UInt8] = [UInt8(number)]
            let signature = try key.sign(message.span)
            #expect(signature.count == 96)
            try publicKey.verify(signature.span, of: message.span)
            let changed = flipped(signature, at: number % 96)
            #expect(code { try publicKey.verify(changed.span, of: message.span) } == .authenticationFailed)
        }
        for wrong in [[UInt8](), [UInt8](repeating: 0, count: 96), [UInt8](repeating: 0xff, count: 96), [UInt8](repeating: 1, count: 95)] {
            #expect(code { try publicKey.verify(wrong.span, of: [1].span) } == .authenticationFailed)
        }
    }

    @Test func pemGoesThereAndBack() throws {
        let key = try P384PrivateKey()
        let pem = try key.pem()
        #expect(String(decoding: pem.copy(), as: UTF8.self).hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
        let same = try P384PrivateKey(pem: pem.bytes)
        #expect(try same.publicKey == key.publicKey)
        let publicPEM = try key.publicKey.pem()
        #expect(String(decoding: publicPEM, as: UTF8.self).hasPrefix("-----BEGIN PUBLIC KEY-----\n"))
        #expect(try P384PublicKey(pem: publicPEM.span) == key.publicKey)
        #expect(code { _ = try P384PrivateKey(pem: publicPEM.span) } == .unsuitableParameter)
        #expect(code { _ = try P384PublicKey(pem: Array("no PEM".utf8).span) } == .unsuitableParameter)
        #expect(code { _ = try P384PublicKey(pem: Span()) } == .unsuitableParameter)
    }

    /// Made with `openssl`: a key on P-256, and an Ed25519 key.
    @Test(arguments: [
        """
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt
        6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==
        -----END PUBLIC KEY-----
        """,
        """
        -----BEGIN PUBLIC KEY-----
        MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        -----END PUBLIC KEY-----
        """,
    ])
    func aKeyOfAnotherKindIsRefused(pem: String) throws {
        #expect(code { _ = try P384PublicKey(pem: Array(pem.utf8).span) } == .unsuitableParameter)
    }

    @Test func onlyPointsOfTheCurveAreTaken() throws {
        let point = try P384PrivateKey().publicKey.point
        #expect(try P384PublicKey(point: point.span).point == point)
        let moved = flipped(point, at: 96)
        #expect(code { _ = try P384PublicKey(point: moved.span) } == .unsuitableParameter)
        let cut = Array(point.dropLast())
        #expect(code { _ = try P384PublicKey(point: cut.span) } == .unsuitableParameter)
    }
}

@Suite struct RandomAndComparisonTests {
    @Test func randomBytesDiffer() throws {
        #expect(try SecureRandom.bytes(32) != SecureRandom.bytes(32))
        #expect(try SecureRandom.bytes(0) == [])
        #expect(try SecureRandom.uint64() != SecureRandom.uint64())
    }

    @Test func constantTimeEqualityIsEquality() {
        func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool { constantTimeEqual(a.span, b.span) }
        #expect(equal([1, 2], [1, 2]))
        #expect(!equal([1, 2], [1, 3]))
        #expect(!equal([1, 2], [1]))
        #expect(equal([], []))
    }

    @Test func cleansingOverwrites() {
        var bytes: [UInt8] = [1, 2, 3]
        cleanse(&bytes)
        #expect(bytes == [0, 0, 0])
    }
}
