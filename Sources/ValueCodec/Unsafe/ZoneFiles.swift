import Glibc

/// Reads files of the host's time zone database (/usr/share/zoneinfo, as Debian's PostgreSQL does).
enum ZoneFiles {
    static let root = "/usr/share/zoneinfo"
    /// Far above any zone (the largest are under 4 kB).
    private static let maximumSize = 64 << 10
    /// "America/Argentina/Buenos_Aires" has three levels, "posix/…" adds one.
    private static let maximumDepth = 4

    /// The file of a zone, named in any case as in PostgreSQL; nil if there is none. Names are only looked up among the files
    /// found below the root, so none leads out of it.
    static func read(_ name: [UInt8]) -> [UInt8]? {
        guard let path = paths[String(decoding: name.map(\.lowercased), as: UTF8.self)] else { return nil }
        return contents(of: root + "/" + path)
    }

    /// Every file below the root, by its lower-cased path; listed once.
    private static let paths: [String: String] = {
        var paths: [String: String] = [:]
        collect(below: "", depth: 1, into: &paths)
        return paths
    }()

    private static func collect(below folder: String, depth: Int, into paths: inout [String: String]) {
        // SAFETY: the stream is opened and closed here; `d_name` is NUL-terminated and read before the next `readdir`.
        guard depth <= maximumDepth, let stream = unsafe opendir(root + "/" + folder) else { return }
        defer { unsafe closedir(stream) }
        while let entry = unsafe readdir(stream) {
            let kind = unsafe Int(entry.pointee.d_type)
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name.hasPrefix(".") { continue }
            let path = folder.isEmpty ? name : folder + "/" + name
            if kind == Int(DT_REG) || kind == Int(DT_LNK) || kind == Int(DT_UNKNOWN) { paths[path.lowercased()] = path }
            if kind == Int(DT_DIR) || kind == Int(DT_LNK) || kind == Int(DT_UNKNOWN) {
                collect(below: path, depth: depth + 1, into: &paths)
            }
        }
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
