import Glibc

/// Reads files of the host's time zone database (/usr/share/zoneinfo, as Debian's PostgreSQL does).
enum ZoneFiles {
    static let root = "/usr/share/zoneinfo"
    /// Far above any zone (the largest are under 4 kB).
    static let maximumSize = 64 << 10

    /// The file of a zone named by its path components, matched in any case as PostgreSQL does; nil if there is none. A
    /// component is only ever compared with directory entries, and entries that begin with a dot are never taken, so no
    /// name leads out of the root.
    static func read(_ components: [[UInt8]]) -> [UInt8]? {
        guard (1...8).contains(components.count) else { return nil }
        var path = root
        for component in components {
            guard let entry = find(component, in: path) else { return nil }
            path += "/" + entry
        }
        return contents(of: path)
    }

    private static func find(_ name: [UInt8], in directory: String) -> String? {
        // SAFETY: the stream is opened and closed here; `d_name` is NUL-terminated and read before the next `readdir`.
        guard let stream = unsafe opendir(directory) else { return nil }
        defer { unsafe closedir(stream) }
        while let entry = unsafe readdir(stream) {
            let candidate = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if candidate.hasPrefix(".") { continue }
            if candidate.utf8.lazy.map(\.lowercased).elementsEqual(name.lazy.map(\.lowercased)) { return candidate }
        }
        return nil
    }

    private static func contents(of path: String) -> [UInt8]? {
        // SAFETY: the stream is opened and closed here; `fread` writes at most `maximumSize` bytes into the array's own
        // storage, which lives through the call.
        guard let file = unsafe fopen(path, "rb") else { return nil }
        defer { unsafe fclose(file) }
        var bytes = [UInt8](repeating: 0, count: maximumSize)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe fread($0.baseAddress, 1, $0.count, file) }
        guard count > 0, count < maximumSize else { return nil }
        return Array(bytes[..<count])
    }
}
