internal import CellCrypto
package import Diagnostics
internal import Foundation

/// What opens a vault. Move-only, overwritten when it goes.
package struct Passphrase: ~Copyable, Sendable {
    package static let byteLimit = 1024
    let secret: SecretBytes

    /// Throws `passphraseUnavailable` if it is empty or longer than 1024 bytes.
    package init(copying bytes: Span<UInt8>) throws(CloisterError) {
        guard bytes.count > 0 else { throw CloisterError(.passphraseUnavailable, "the passphrase is empty") }
        guard bytes.count <= Self.byteLimit else {
            throw CloisterError(.passphraseUnavailable, "the passphrase is longer than \(Self.byteLimit) bytes")
        }
        secret = try SecretBytes(copying: bytes)
    }
}

/// Where a passphrase comes from.
package enum PassphraseSource: Sendable, Equatable {
    package static let environmentVariable = "CLOISTER_VAULT_PASSPHRASE"

    /// A file that only its owner can read; one line end at its end is left out.
    case file(String)
    /// The variable `CLOISTER_VAULT_PASSPHRASE`.
    case environment
    /// Asked at the terminal, without echo.
    case prompt

    /// The file if one is configured, else the environment if the variable is set, else the terminal.
    package static func choose(
        file: String?, environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> PassphraseSource {
        if let file { return .file(file) }
        return environment[environmentVariable] == nil ? .prompt : .environment
    }

    /// Throws `passphraseUnavailable`, or `unsafePermissions` for a file that others can touch. `confirm` asks twice, for
    /// a new vault.
    package func read(
        environment: [String: String] = ProcessInfo.processInfo.environment, confirm: Bool = false
    ) throws(CloisterError) -> Passphrase {
        var bytes: [UInt8]
        switch self {
        case .file(let path):
            bytes = try Self.readFile(path)
        case .environment:
            guard let text = environment[Self.environmentVariable] else {
                throw CloisterError(.passphraseUnavailable, "\(Self.environmentVariable) is not set")
            }
            bytes = Array(text.utf8)
        case .prompt:
            bytes = try Self.ask("Vault passphrase: ")
            if confirm {
                var again = try Self.ask("The same again: ")
                let same = constantTimeEqual(bytes.span, again.span)
                cleanse(&again)
                guard same else { throw CloisterError(.passphraseUnavailable, "the two passphrases differ") }
            }
        }
        defer { cleanse(&bytes) }
        return try Passphrase(copying: bytes.span)
    }

    private static func readFile(_ path: String) throws(CloisterError) -> [UInt8] {
        var bytes: [UInt8]
        do {
            bytes = try PrivateFile.readAll(path, limit: Passphrase.byteLimit + 2)
        } catch {
            switch error {
            case .openToOthers:
                throw CloisterError(
                    .unsafePermissions, "the passphrase file can be used by others than its owner", hint: "chmod 600", location: path)
            case .tooLong: throw CloisterError(.passphraseUnavailable, "the passphrase file is too long", location: path)
            case .notRegular: throw CloisterError(.passphraseUnavailable, "the passphrase file is not a regular file", location: path)
            default: throw CloisterError(.passphraseUnavailable, "the passphrase file can't be read", location: path)
            }
        }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        return bytes
    }

    private static func ask(_ prompt: String) throws(CloisterError) -> [UInt8] {
        guard let line = Terminal.readLine(prompt: prompt, limit: Passphrase.byteLimit) else {
            throw CloisterError(
                .passphraseUnavailable, "there is no terminal to ask for the passphrase",
                hint: "name a passphrase file, or set \(environmentVariable)")
        }
        return line
    }
}
