/// Text compared, hashed and lowered as PostgreSQL does it under an ICU collation: a thin layer over ICU, which is linked
/// into the enclave with its data and reads no file.
///
/// What must not be here: keys, cells, anything but text in UTF-8. The C library is touched in `Unsafe/` only.
package import CellFormat

/// The collators of one worker thread, opened when first needed. Not Sendable.
package final class Collators {
    /// A collator of a language holds some kilobytes.
    private static let limit = 32
    private var opened: [Collation: Collator] = [:]

    package init() {}

    /// Of a cell's collation id; nil for "C" and for ids that name nothing.
    package func collator(_ id: UInt8) -> Collator? {
        guard let collation = Collation(rawValue: id), collation != .c else { return nil }
        if let known = opened[collation] { return known }
        guard let collator = Collator(collation) else { return nil }
        if opened.count >= Self.limit { opened.removeAll() }
        opened[collation] = collator
        return collator
    }
}

extension Collation {
    /// Whether equal means equal bytes, as under PostgreSQL's deterministic collations.
    package var isDeterministic: Bool { strength == .tertiary }
}
