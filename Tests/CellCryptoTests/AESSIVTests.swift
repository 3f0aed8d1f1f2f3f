@testable import CellCrypto
import Diagnostics
import Testing

/// RFC 5297 appendix A, and Wycheproof aes_siv_cmac_test.json (github.com/C2SP/wycheproof, Apache-2.0), 512-bit keys;
/// among them the empty plaintexts and the empty associated data that libcrypto 3.0's own SIV gets wrong.
@Suite struct AESSIVTests {
    struct Vector: Sendable, CustomStringConvertible {
        var source, key: String
        var data: [String]
        var plaintext, sealed: String
        var description: String { source }
    }

    static let valid: [Vector] = [
        Vector(
            source: "RFC 5297 A.1", key: "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
            data: ["101112131415161718191a1b1c1d1e1f2021222324252627"], plaintext: "112233445566778899aabbccddee",
            sealed: "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c"),
        Vector(
            source: "RFC 5297 A.2", key: "7f7e7d7c7b7a79787776757473727170404142434445464748494a4b4c4d4e4f",
            data: [
                "00112233445566778899aabbccddeeffdeaddadadeaddadaffeeddccbbaa99887766554433221100", "102030405060708090a0",
                "09f911029d74e35bd84156c5635688c0",
            ],
            plaintext: "7468697320697320736f6d6520706c61696e7465787420746f20656e6372797074207573696e67205349562d414553",
            sealed: """
                7bdb6e3b432667eb06f4d14bff2fbd0fcb900f2fddbe404326601965c889bf17dba77ceb094fa663b7a3f748ba8af829ea64ad544a272e9c485b62a3fd5c0d
                """),
        Vector(
            source: "Wycheproof 296: empty message, empty data",
            key:
                "bc7635c1fd566aa8357fd103714bfaee1c9e5b3c578b3980401a981030254a54b1756a8c96e600b7252fd0aab12f39d115d256b3f3e7c2c41a7fece72ba7c3c4",
            data: [""], plaintext: "", sealed: "44b1c6fe8a8c07dee5377b161f283c31"),
        Vector(
            source: "Wycheproof 297: empty message",
            key:
                "aff6388fdd2908e0c3b610e3dcd410c8146a268d6befd5c45ffdd23508b5b311cc3a9d8f838f456436b289018682151dd57d8d65d1a823c06eca8ab8ee01da01",
            data: ["d0bb2949a411e22d32964526"], plaintext: "", sealed: "e288d802a0e56ed7544a2e5775459389"),
        Vector(
            source: "Wycheproof 299: empty message",
            key:
                "0b6aaf05f9b5221e539940cd83cb29d2bcc7a0aa472d8fc67bedd0108869394e33c9f233d4b2cc9c6a59e8ce9cd268a0f3f2857e08fe1eb329ef347dace1557d",
            data: ["76aade95964f074c693886f245fa57f9"], plaintext: "", sealed: "f1ad6ea998a2a438acaf90bad0cb9f9f"),
        Vector(
            source: "Wycheproof 302: one block",
            key:
                "c25cafc6018b98dfbb79a40ec89c575a4f88c4116489bba27707479800c0130235334a45dbe8d8dae3da8dcb45bbe5dce031b0f68ded544fda7eca30d6749442",
            data: ["deeb0ccf3aef47a296ed1ca8f4ae5907"], plaintext: "beec61030fa3d670337196beade6aeaa",
            sealed: "5865208eab9163db85cab9f96d846234a2626aae22f5c17c9aad4b501f4416e4"),
        Vector(
            source: "Wycheproof 304: three blocks",
            key:
                "97bfd0f3e9bb8167bbb55f4cdc14529d8307c0ec2c3fe8bc88522d05c1261ba460c9cb4116f630edd74d413ec417324c6e29b566fb2dd3df18e07b53b1f9f83b",
            data: ["1cda342c166ea208df5c56bcf995a59b"],
            plaintext: "48ef10ccb1978b53ae73167abe1cc538fa80da3f5df93e3d5c4e9a9ad1f213504f22a694b98a35ad67620af9d8a29fc7",
            sealed: """
                d55c5d0af0260dc1123adb5d7869201f8ccee46deb66dd695c593cde1d7645c72796e42a1733b6705753631b9b626991ddbd28473ce75cfdc4c14d20e66f212d
                """),
        Vector(
            source: "Wycheproof 305: one byte",
            key:
                "e2c5662bb18fbb411d0304e4241db073fe60a4704fee290073513038a22b4cd542580b2b4edbc37e3de01c0cb61abcad46986cdc491ce9e5ae5af223ff58b953",
            data: ["fab912dec29a34aabfaef176"], plaintext: "0d", sealed: "1c6969ecb15741a9959b7a8492250e391a"),
        Vector(
            source: "Wycheproof 308: four bytes",
            key:
                "6d43cfc930a1e0051f607d0c4a76ad5bec77d9f98bbd9ae5e56a1d65fcf1bf68c7780f727bfe690497bae478afbc4ebf7a89943ee146f72d352940794ff202f4",
            data: ["c2b75c998f4cac28b4b69dfb"], plaintext: "1d25f833", sealed: "0d1e1981da44a7d9eda60e48e7ae4f8505d8ba98"),
        Vector(
            source: "Wycheproof 319: fifteen bytes",
            key:
                "2a93a0c37797bee0c344b9ceed1a609813d8c5ee686d260f3aa6fc2f66dc59f400479d1dfe04e89e6df608a3f699ff1cb4e9bf24a78fb2dfddaa0011a2e40208",
            data: ["6ae54f41ac52baf2f89abe8e"], plaintext: "3fc3bf53bb485c9edcb1d25adb4ca0",
            sealed: "2d344a54038a857f47e0c77eb0834538aaf01e61a8ac82c0012f9dac6f15ef"),
        Vector(
            source: "Wycheproof 320: seventeen bytes",
            key:
                "139383f3f82dc78e0b380027f9e5fcd2ed23716404be5c554452e4dc73d237026594491820c6b8297185cc1fa84f49a5c7d7cd05c5de090ff1c3397bc2740437",
            data: ["d39da73ffc03ad0a9213ffc7"], plaintext: "48604944a80fadf50d55b87727934458c8",
            sealed: "a9cf73951cb39823777f35c96c845169476e2ec2317cb6b8dd8b6172fdceabff9d"),
        Vector(
            source: "Wycheproof 322: thirty-one bytes",
            key:
                "c0f4bede68c6ed5ad14918e2ddeced692dfd5419c04204d5b96f4ca47078b07028c6fb87b1b490d875f070bbe4d790f65e5df19947f02c9d3a4e493b542d0291",
            data: ["b411e4d2facca67ea4a9f2a1"], plaintext: "2f358d4534559ac99dd71798b7925705d6f013f6b848ffe01cc86cef09d88f",
            sealed: "d27ae26dfe02e3eedf544e1b452cb0f0c9303a4e4819318315ae08839bcce558e4741817ec08dae406bbfc09f59aa9"),
    ]

    @Test(arguments: valid) func sealsAndOpens(vector: Vector) throws {
        let key = try SIVKey(copying: hex(vector.key).span)
        let data = vector.data.map(hex)
        let plaintext = hex(vector.plaintext)
        let sealed = try AESSIV.seal(plaintext.span, key: key, authenticating: data)
        #expect(sealed == hex(vector.sealed))
        #expect(try AESSIV.open(sealed.span, key: key, authenticating: data).copy() == plaintext)
        for index in sealed.indices {
            let changed = flipped(sealed, at: index)
            #expect(code { _ = try AESSIV.open(changed.span, key: key, authenticating: data) } == .authenticationFailed)
        }
    }

    /// Wycheproof 288 to 295: changed tags, under a 384-bit key.
    @Test(arguments: [
        "68cd5a98690c48931c3d7da2f1583a60", "22d9b0c8f957ce947d75a0d80db808707ab3dd3c6c31a386",
        "680e4b802c1ac6ac5c66a4ab9bc9d164738b595aebf6ee3e7be424bfb51bfdee",
        "43d9f68083a193992c5952587aa688c48b0b5df8332150ff0877d85471d540c4cff1e183", "e94cdb19e88dc9129dbcfc2370d9bbe1",
        "a358314978d64f15fcf421598c3989f17ab3dd3c6c31a386", "e98fca01ad9b472ddde7252a1a4850e5738b595aebf6ee3e7be424bfb51bfdee",
        "c258770102201218add8d3d9fb2709458b0b5df8332150ff0877d85471d540c4cff1e183",
    ])
    func aWrongTagIsRefused(sealed: String) throws {
        let key = try SIVKey(
            copying: hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f").span)
        let bytes = hex(sealed)
        #expect(code { _ = try AESSIV.open(bytes.span, key: key, authenticating: [[]]) } == .authenticationFailed)
        // The first bit of every byte of the tag was changed in the first four; changing it back gives the right tag.
        if sealed.hasPrefix("68cd") || sealed.hasPrefix("22d9") || sealed.hasPrefix("680e") || sealed.hasPrefix("43d9") {
            let right = bytes.enumerated().map { $0.offset < 16 ? $0.element ^ 0x80 : $0.element }
            _ = try AESSIV.open(right.span, key: key, authenticating: [[]])
        }
    }

    @Test func componentsOfAssociatedDataCountOneByOne() throws {
        let key = try SIVKey(copying: [UInt8](repeating: 3, count: 64).span)
        let one = try AESSIV.seal([1].span, key: key, authenticating: [[1, 2]])
        let two = try AESSIV.seal([1].span, key: key, authenticating: [[1], [2]])
        let none = try AESSIV.seal([1].span, key: key, authenticating: [])
        let empty = try AESSIV.seal([1].span, key: key, authenticating: [[]])
        #expect(Set([one, two, none, empty]).count == 4)
    }

    @Test func doublingFollowsTheField() {
        // RFC 5297 A.1: dbl() of CMAC(zero) and of the next value.
        let zero = SIVContext.Block(high: 0x0e04_dfaf_c1ef_bf04, low: 0x0140_5828_59bf_073a)
        #expect(zero.doubled == SIVContext.Block(high: 0x1c09_bf5f_83df_7e08, low: 0x0280_b050_b37e_0e74))
        #expect(SIVContext.Block(high: 1 << 63, low: 1 << 63).doubled == SIVContext.Block(high: 1, low: 0x87))
    }
}
