import CellCrypto
import CellFormat
import Diagnostics
import Foundation
@testable import KeyStore
import Testing

/// A folder that is deleted with the object.
final class Folder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "crypto-keystore-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }

    func write(_ bytes: some Sequence<UInt8>, to name: String, mode: Int = 0o600) throws -> String {
        let path = file(name)
        try Data(bytes).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    var names: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() } }
}

func bytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path))) }

/// Cheap parameters, so that tests are fast.
let cheap = Scrypt.Parameters(log2N: 4, r: 1, p: 1)

func passphrase(_ text: String = "correct horse") throws -> Passphrase { try Passphrase(copying: Array(text.utf8).span) }

/// The code an expression throws, or nil.
func code(_ body: () throws -> Void) -> ErrorCode? {
    do {
        try body()
        return nil
    } catch {
        return (error as? CloisterError)?.code
    }
}

func flipped(_ bytes: [UInt8], at index: Int) -> [UInt8] {
    var bytes = bytes
    bytes[index] ^= 1
    return bytes
}

func copy(_ key: borrowing ColumnKey) -> [UInt8] {
    let bytes = key.bytes
    return bytes.indices.map { bytes[$0] }
}
