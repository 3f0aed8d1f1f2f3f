/// Cells sealed and opened, and the primitives they are made of. The only module that imports OpenSSL (libcrypto 3).
///
/// What is here: `ColumnKey`, `CellCipher`, `CellWriter`, `CellOpener`, `KeyRing` (schemas/cell-v1.md), and small typed
/// primitives for the modules that hold keys (KeyStore, Attestation). What must not be here: sockets, SQL, logging, and
/// any use of a key that its type does not name. Files ending in `_openssl.swift` call libcrypto and live in `Unsafe/`.
package import Diagnostics

extension ErrorCode {
    /// A cell's seal does not verify: altered, cut, of another key, or not a cell at all. Says nothing about where.
    package static let cellRefused = ErrorCode("CL2010", sqlState: "XX001")
    /// libcrypto refused to work: out of memory, no entropy, or a build without the algorithm.
    package static let cryptographyFailed = ErrorCode("CL2011", sqlState: "XX000")
    /// A key, nonce or parameter has a size or form that its algorithm does not take.
    package static let unsuitableParameter = ErrorCode("CL2012", sqlState: "XX000")
    /// A tag or signature over something other than a cell is wrong.
    package static let authenticationFailed = ErrorCode("CL2013", sqlState: "28000")
}

extension CloisterError {
    /// The one error for every cell that does not open. It is constant so that it tells an adversary nothing.
    static let cellRefused = CloisterError(.cellRefused, "the cell was altered or sealed under another key")
    /// The one error for every other wrong tag or signature.
    static let authenticationFailed = CloisterError(.authenticationFailed, "the seal or signature does not verify")

    static func cryptographyFailed(_ step: StaticString) -> CloisterError {
        CloisterError(.cryptographyFailed, "the cryptographic library failed to \(step)")
    }

    static func unsuitable(_ what: StaticString) -> CloisterError { CloisterError(.unsuitableParameter, "\(what)") }
}
