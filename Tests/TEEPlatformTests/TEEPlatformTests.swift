import Attestation
import CellCrypto
import Diagnostics
import Foundation
@testable import TEEPlatform
import Testing

/// A folder of its own, deleted at the end.
final class Scratch: Sendable {
    let path: String
    init() throws {
        path = NSTemporaryDirectory() + "/enclave-tests-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String, _ content: Data) throws -> String {
        try content.write(to: URL(filePath: path + "/" + name))
        return path + "/" + name
    }
}

@Suite struct PlatformIdentityTests {
    let scratch: Scratch
    let folder: String
    let now: UInt64 = 1_800_000_000

    init() throws {
        scratch = try Scratch()
        folder = scratch.path + "/state"
    }

    func mode(_ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: folder + "/" + name)[.posixPermissions] as? Int
    }

    @Test func theFirstStartMakesTheIdentityAndTheNextKeepsIt() throws {
        let first = try PlatformIdentity.open(folder, now: now)
        #expect(first.certificate.isSigned(by: first.root))
        #expect(first.certificate.notBefore < now && now < first.certificate.notAfter)
        #expect(try mode("root-key.pem") == 0o600)
        #expect(try mode("platform-key.pem") == 0o600)
        let second = try PlatformIdentity.open(folder, now: now + 1000)
        #expect(second.certificate == first.certificate)
        #expect(second.root == first.root)
        let pem = try Data(contentsOf: URL(filePath: folder + "/tee-root.pem"))
        #expect(try P384PublicKey(pem: Array(pem).span) == first.root)
    }

    @Test func itsReportsPassThePolicy() throws {
        let identity = try PlatformIdentity.open(folder, now: now)
        let measurement = try #require(Measurement(bytes: [UInt8](repeating: 1, count: 48)))
        let publicKey = [UInt8](repeating: 2, count: 32)
        let request = ReportRequest(
            sequence: 1, region: .memfdSecret, enclaveVersion: 1, nonce: [UInt8](repeating: 3, count: 32),
            data: try AttestationReport.data(for: publicKey))
        let policy = ReleasePolicy(roots: [identity.root], measurements: [measurement])
        let report = try identity.report(for: request, measurement: measurement, isDebug: false, now: now)
        try policy.check(report, nonce: request.nonce, publicKey: publicKey, now: now)
        let debug = try identity.report(for: request, measurement: measurement, isDebug: true, now: now)
        #expect(throws: CloisterError(.debugRefused, "")) {
            try policy.check(debug, nonce: request.nonce, publicKey: publicKey, now: now)
        }
    }

    @Test func certificatesAreRenewedInTime() throws {
        let first = try PlatformIdentity.open(folder, now: now)
        let late = first.certificate.notAfter - 1000
        let second = try PlatformIdentity.open(folder, now: late)
        #expect(second.certificate.notAfter > late + PlatformIdentity.renewalSeconds)
        #expect(second.certificate.publicKey == first.certificate.publicKey && second.root == first.root)
        // Without the root's key the certificate stays as it is.
        try FileManager.default.removeItem(atPath: folder + "/root-key.pem")
        let third = try PlatformIdentity.open(folder, now: second.certificate.notAfter - 1000)
        #expect(third.certificate == second.certificate)
    }

    @Test func exposedKeysAreRefused() throws {
        _ = try PlatformIdentity.open(folder, now: now)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: folder + "/platform-key.pem")
        #expect(throws: CloisterError(.platformState, "")) { _ = try PlatformIdentity.open(folder, now: now) }
    }

    @Test func brokenStateIsToldNotRepaired() throws {
        _ = try PlatformIdentity.open(folder, now: now)
        for name in ["platform-key.pem", "tee-root.pem"] {
            let path = folder + "/" + name
            let content = try Data(contentsOf: URL(filePath: path))
            try Data("nonsense".utf8).write(to: URL(filePath: path))
            #expect(throws: CloisterError(.platformState, "")) { _ = try PlatformIdentity.open(folder, now: now) }
            try content.write(to: URL(filePath: path))
        }
        // A root that does not belong to the root's key.
        let other = try PlatformIdentity.open(scratch.path + "/other", now: now)
        try Data(try other.root.pem()).write(to: URL(filePath: folder + "/tee-root.pem"))
        #expect(throws: CloisterError(.platformState, "")) { _ = try PlatformIdentity.open(folder, now: now) }
    }

    @Test func foldersThatCanNotBeMade() {
        #expect(throws: CloisterError(.platformState, "")) { _ = try PlatformIdentity.open("/proc/none", now: now) }
    }
}

@Suite struct SealedImageTests {
    @Test func measuresWhatSHA384Says() throws {
        let scratch = try Scratch()
        // SHA-384("abc"), FIPS 180-4.
        let path = try scratch.file("image", Data("abc".utf8))
        #expect(
            try SealedImage(path: path).measurement.description
                == "sha384:cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7")
    }

    @Test func largeFilesAndOneChangedByte() throws {
        let scratch = try Scratch()
        var content = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
        let first = try SealedImage(path: scratch.file("a", content)).measurement
        #expect(try first.bytes == DigestAlgorithm.sha384.hash(Array(content)))
        content[200_000] ^= 1
        #expect(try SealedImage(path: scratch.file("b", content)).measurement != first)
    }

    @Test func theFileMayChangeAfterwards() throws {
        let scratch = try Scratch()
        let path = try scratch.file("image", Data("abc".utf8))
        let image = try SealedImage(path: path)
        let before = image.measurement
        _ = try scratch.file("image", Data("abd".utf8))
        #expect(image.measurement == before)
    }

    @Test func missingFiles() {
        #expect(throws: CloisterError(.enclaveLaunch, "")) { _ = try SealedImage(path: "/nowhere/enclave") }
    }
}

@Suite struct BackoffTests {
    @Test func doublesUpToItsLimitAndStartsOverAfterALongLife() {
        var backoff = Backoff()
        #expect((0..<9).map { _ in backoff.next(lifetimeSeconds: 0) } == [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000])
        #expect(backoff.next(lifetimeSeconds: Backoff.longLifeSeconds) == 100)
        #expect(backoff.next(lifetimeSeconds: 1) == 200)
    }

    @Test func names() {
        #expect(HostNames.user("root") == 0)
        #expect(HostNames.user("12345") == 12345)
        #expect(HostNames.group("root") == 0)
        #expect(HostNames.user("no-such-user") == nil)
    }
}
