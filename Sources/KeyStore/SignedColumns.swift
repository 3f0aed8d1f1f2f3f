internal import CellCrypto
internal import CellFormat
package import Diagnostics
internal import Foundation

/// The marks of a database as it stores them: one signed row a column, and for each master key one signed manifest that
/// lists the rows under it.
///
/// Trusted with nothing: it comes from the server. A row alone proves that a column was once marked; the manifest proves
/// that these are all, and its counter that it is not older than one already seen (schemas/key-store-v1.md). Rows under master
/// keys that are not trusted are others' (several vaults may serve one database): they count for nothing.
package struct SignedColumns: Sendable, Hashable {
    /// Canonical JSON and a master key's signature of it.
    package struct Row: Sendable, Hashable {
        package var metadata: [UInt8]
        package var masterKey: String
        package var signature: [UInt8]

        package init(metadata: [UInt8], masterKey: String, signature: [UInt8]) {
            self.metadata = metadata
            self.masterKey = masterKey
            self.signature = signature
        }
    }

    package var columns: [Row]
    package var manifests: [Row]

    package init(columns: [Row] = [], manifests: [Row] = []) {
        self.columns = columns
        self.manifests = manifests
    }

    static let columnLabel = Array("cloister column mark v1".utf8)
    static let manifestLabel = Array("cloister column manifest v1".utf8)

    /// The marks, if all of them under a trusted master key are as it has signed them and not older than `seen`.
    ///
    /// Throws `columnMarkSignature`, `malformedColumnMark`, `columnMarksIncomplete` (a row is missing, altered or too many),
    /// `columnMarksRolledBack`.
    package func verify(
        trusted: Set<String>, provider: any MasterKeyProvider, after seen: VerifiedColumns = .none
    ) throws(CloisterError) -> VerifiedColumns {
        var verified = VerifiedColumns.none
        for master in trusted.sorted() {
            let rows = columns.filter { $0.masterKey == master }
            let manifests = manifests.filter { $0.masterKey == master }
            guard let row = manifests.first else {
                guard rows.isEmpty else {
                    throw CloisterError(
                        .columnMarksIncomplete,
                        "the database has marks of columns that master key \(master) has signed, but no manifest of them")
                }
                if let before = seen.manifests[master] { throw Self.rolledBack(before, 0) }
                continue
            }
            guard manifests.count == 1 else {
                throw CloisterError(.malformedColumnMark, "the database shows two manifests of one master key")
            }
            let (manifest, marks) = try Self.verify(row, rows, provider, after: seen.manifests[master])
            verified.manifests[master] = manifest
            for mark in marks {
                if let other = verified.marksByPath[mark.path], !other.agrees(with: mark) {
                    throw CloisterError(.malformedColumnMark, "\(mark.path) is marked in two ways under two master keys")
                }
                verified.marksByPath[mark.path] = mark
            }
        }
        return verified
    }

    private static func verify(
        _ row: Row, _ columns: [Row], _ provider: any MasterKeyProvider, after seen: VerifiedColumns.Manifest?
    ) throws(CloisterError) -> (VerifiedColumns.Manifest, [ColumnMarkMetadata]) {
        try check(row, manifestLabel, provider, "the manifest of marked columns")
        let manifest = try ColumnManifest(json: row.metadata)
        let digest = try DigestAlgorithm.sha256.hash(row.metadata)
        if let seen {
            // Two manifests of one number: one of them belongs to a transaction that the server said had failed.
            guard manifest.series == seen.series,
                manifest.counter > seen.counter || manifest.counter == seen.counter && digest == seen.digest
            else { throw rolledBack(seen, manifest.counter) }
        }
        var marks: [ColumnMarkMetadata] = []
        var found: Set<String> = []
        for row in columns {
            try check(row, columnLabel, provider, "the mark of a column")
            let mark = try ColumnMarkMetadata(json: row.metadata)
            guard manifest.digests[mark.path] == CanonicalJSON.hexadecimal(try DigestAlgorithm.sha256.hash(row.metadata)),
                mark.counter <= manifest.counter, found.insert(mark.path).inserted
            else {
                throw CloisterError(
                    .columnMarksIncomplete, "the signed mark of \(mark.path) is not the one that the manifest lists", location: mark.path)
            }
            marks.append(mark)
        }
        if let missing = manifest.digests.keys.filter({ !found.contains($0) }).min() {
            throw CloisterError(.columnMarksIncomplete, "the database withholds the signed mark of \(missing)", location: missing)
        }
        return (VerifiedColumns.Manifest(series: manifest.series, counter: manifest.counter, digest: digest), marks)
    }

    private static func rolledBack(_ seen: VerifiedColumns.Manifest, _ counter: UInt64) -> CloisterError {
        CloisterError(
            .columnMarksRolledBack,
            "the database shows a manifest of marked columns (number \(counter)) that is not a successor of one seen before (number \(seen.counter))"
        )
    }

    private static func check(_ row: Row, _ label: [UInt8], _ provider: any MasterKeyProvider, _ what: String) throws(CloisterError) {
        do {
            try provider.verify(row.signature, of: label + row.metadata, by: row.masterKey)
        } catch {
            switch error.code {
            case .columnKeySignature:
                throw CloisterError(.columnMarkSignature, "the signature of \(what) by master key \(row.masterKey) does not verify")
            case .masterKeyMissing:
                throw CloisterError(
                    .columnMarkSignature, "\(what) is signed by master key \(row.masterKey), which is trusted but not in this vault")
            default: throw error
            }
        }
    }

    /// The rows after a change, with the manifests that it touches signed anew, their counters one higher.
    ///
    /// - Parameters:
    ///   - verified: what `verify` made of `self`.
    ///   - marks: replace those of the same path; their counters are set here.
    ///   - removed: paths.
    ///   - masterKey: signs the new marks. Where others are removed, the master key that had signed them signs again.
    package func changed(
        _ verified: VerifiedColumns, marking marks: [ColumnMarkMetadata], removing removed: Set<String> = [], under masterKey: String,
        of provider: any MasterKeyProvider
    ) throws(CloisterError) -> SignedColumns {
        var new = self
        let replaced = removed.union(marks.map(\.path))
        for master in Set(verified.manifests.keys).union([masterKey]).sorted() {
            let counter = (verified.manifests[master]?.counter ?? 0) + 1
            var rows: [Row] = []
            var digests: [String: String] = [:]
            var isTouched = master == masterKey && !marks.isEmpty
            for row in columns where row.masterKey == master {
                let mark = try ColumnMarkMetadata(json: row.metadata)
                if replaced.contains(mark.path) {
                    isTouched = true
                    continue
                }
                rows.append(row)
                digests[mark.path] = CanonicalJSON.hexadecimal(try DigestAlgorithm.sha256.hash(row.metadata))
            }
            guard isTouched else { continue }
            if master == masterKey {
                for mark in marks {
                    let metadata = try mark.signed(at: counter).json
                    rows.append(
                        Row(metadata: metadata, masterKey: master, signature: try provider.sign(Self.columnLabel + metadata, with: master)))
                    digests[mark.path] = CanonicalJSON.hexadecimal(try DigestAlgorithm.sha256.hash(metadata))
                }
            }
            let series: String
            if let known = verified.manifests[master] {
                series = known.series
            } else {
                series = CanonicalJSON.hexadecimal(try SecureRandom.bytes(16))
            }
            let manifest = try ColumnManifest(series: series, counter: counter, digests: digests).json
            new.columns.removeAll { $0.masterKey == master }
            new.columns += rows
            new.manifests.removeAll { $0.masterKey == master }
            new.manifests.append(
                Row(metadata: manifest, masterKey: master, signature: try provider.sign(Self.manifestLabel + manifest, with: master)))
        }
        return new
    }
}

/// The marks of a database, verified.
package struct VerifiedColumns: Sendable, Hashable {
    struct Manifest: Sendable, Hashable {
        /// Which sequence of manifests: drawn at random with the first.
        var series: String
        var counter: UInt64
        /// Of the whole manifest.
        var digest: [UInt8]
    }

    /// By master key.
    var manifests: [String: Manifest]
    var marksByPath: [String: ColumnMarkMetadata]

    package static let none = VerifiedColumns(manifests: [:], marksByPath: [:])

    /// Sorted by path.
    package var marks: [ColumnMarkMetadata] { marksByPath.values.sorted { $0.path < $1.path } }

    package func mark(of path: String) -> ColumnMarkMetadata? { marksByPath[path] }

    /// The manifests' numbers by master key.
    package var counters: [(masterKey: String, counter: UInt64)] {
        manifests.sorted { $0.key < $1.key }.map { ($0.key, $0.value.counter) }
    }
}

/// What the manifest says: canonical JSON.
struct ColumnManifest {
    static let byteLimit = 1 << 24
    let series: String
    let counter: UInt64
    /// Path → SHA-256 of the column's metadata in hexadecimal.
    let digests: [String: String]

    init(series: String, counter: UInt64, digests: [String: String]) throws(CloisterError) {
        func isHexadecimal(_ text: String, _ count: Int) -> Bool {
            text.utf8.count == count && text.utf8.allSatisfy { $0 >= 48 && $0 <= 57 || $0 >= 97 && $0 <= 102 }
        }
        guard isHexadecimal(series, 32), (1..<ColumnMarkMetadata.counterLimit).contains(counter),
            digests.values.allSatisfy({ isHexadecimal($0, 64) })
        else { throw Self.malformed }
        self.series = series
        self.counter = counter
        self.digests = digests
        guard json.count <= Self.byteLimit else { throw CloisterError(.malformedColumnMark, "too many columns are marked") }
    }

    init(json bytes: [UInt8]) throws(CloisterError) {
        struct Column: Decodable { var digest, path: String }
        struct Document: Decodable {
            var columns: [Column]
            var counter: UInt64
            var series: String
            var version: Int
        }
        guard bytes.count <= Self.byteLimit, let document = try? JSONDecoder().decode(Document.self, from: Data(bytes)),
            document.version == 1
        else { throw Self.malformed }
        let digests = Dictionary(document.columns.map { ($0.path, $0.digest) }, uniquingKeysWith: { first, _ in first })
        try self.init(series: document.series, counter: document.counter, digests: digests)
        guard json == bytes else { throw Self.malformed }
    }

    private static let malformed = CloisterError(.malformedColumnMark, "the manifest of marked columns is malformed")

    var json: [UInt8] {
        let columns = digests.sorted { Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8)) }
            .map { "{\"digest\":\"\($0.value)\",\"path\":\(CanonicalJSON.quoted($0.key))}" }.joined(separator: ",")
        return Array("{\"columns\":[\(columns)],\"counter\":\(counter),\"series\":\"\(series)\",\"version\":1}".utf8)
    }
}
