internal import Configuration
internal import Diagnostics
internal import Foundation

extension ErrorCode {
    /// DIR is not one that `dev up` made, or can't be used.
    static let devFolder = ErrorCode("CL1040", sqlState: "58000")
    /// A port is taken, or the stack runs on another one.
    static let devPort = ErrorCode("CL1041", sqlState: "58000")
    /// A program or file of the installation is missing.
    static let devMissing = ErrorCode("CL1042", sqlState: "58000")
    /// A service ended, or was not ready in time.
    static let devService = ErrorCode("CL1043", sqlState: "58000")
    /// A signal ended the command; what it had started was stopped.
    static let devInterrupted = ErrorCode("CL1044", sqlState: "57014")
}

/// What `dev up` keeps about a stack, in `DIR/dev.json`: also the mark that DIR is ours.
struct DevState: Codable {
    var version = 1
    var port: Int
    var directPort: Int
    /// Whether the cluster, its roles and the database are complete.
    var isMade = false
    /// `sha384:…` of the enclave that runs (or ran last).
    var measurement: String?
    /// How that enclave holds its secrets; nil: memfd_secret.
    var memory: ProtectedMemory?
    var passwords: [String: String] = [:]
    var processes: [ProcessRecord] = []

    func process(_ name: String) -> ProcessRecord? { processes.first { $0.name == name && $0.isRunning } }
}

/// The files of one stack. Secrets are mode 0600; `data` belongs to the user who runs PostgreSQL.
struct DevFolder {
    static let database = "app"
    static let user = "app"
    static let superuser = "postgres"
    static let proxyRole = "cloister_proxy"
    static let masterKey = "dev"

    /// Absolute, without symbolic links.
    let path: String

    init(_ path: String) {
        // The folder may not exist yet: its parent's links are resolved.
        let url = URL(filePath: path).standardizedFileURL
        let parent = url.deletingLastPathComponent().resolvingSymlinksInPath()
        let whole = parent.appending(path: url.lastPathComponent).resolvingSymlinksInPath().path(percentEncoded: false)
        self.path = whole.count > 1 && whole.hasSuffix("/") ? String(whole.dropLast()) : whole
    }

    func file(_ name: String) -> String { path + "/" + name }
    var stateFile: String { file("dev.json") }
    var data: String { file("data") }
    /// The simulated platform's keys.
    var platform: String { file("platform") }
    var run: String { file("run") }
    var configFile: String { file("cloister.yaml") }
    var env: String { file("env") }
    var vault: String { file("keys.sqlite") }
    var passphrase: String { file("passphrase") }
    var proxyPassword: String { file("proxy-password") }
    var enclaveSocket: String { file("run/enclave.sock") }
    func log(_ service: String) -> String { file("log/\(service).log") }

    var isMade: Bool { FileManager.default.fileExists(atPath: stateFile) }

    func loadState() throws(CloisterError) -> DevState? {
        guard let data = FileManager.default.contents(atPath: stateFile) else { return nil }
        guard let state = try? JSONDecoder().decode(DevState.self, from: data), state.version == 1 else {
            throw CloisterError(.devFolder, "the state file is not one of this version", location: stateFile)
        }
        return state
    }

    func save(_ state: DevState) throws(CloisterError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        guard let data = try? encoder.encode(state) else { throw CloisterError(.devFolder, "the state cannot be encoded") }
        try write(data, to: stateFile)
    }

    /// Writes a file of mode 0600 so that nobody sees half of it.
    func write(_ data: Data, to file: String, mode: Int = 0o600) throws(CloisterError) {
        let temporary = file + ".new"
        try? FileManager.default.removeItem(atPath: temporary)
        guard FileManager.default.createFile(atPath: temporary, contents: data, attributes: [.posixPermissions: mode]),
            Files.rename(temporary, to: file)
        else { throw CloisterError(.devFolder, "the file cannot be written", location: file) }
    }

    /// Makes DIR, or takes an empty one; refuses what others made.
    func make() throws(CloisterError) {
        if FileManager.default.fileExists(atPath: path) {
            guard (try? URL(filePath: path).resourceValues(forKeys: [.isDirectoryKey]).isDirectory) == true else {
                throw CloisterError(.devFolder, "the path is not a folder", location: path)
            }
            let content = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? ["?"]
            guard content.isEmpty else {
                throw CloisterError(
                    .devFolder, "the folder is not empty and was not made by 'cloister dev up'", hint: "name a new or an empty folder",
                    location: path)
            }
        }
        // Sockets' paths are bounded by sockaddr_un (108 bytes with the final zero).
        let longest = run + "/.s.PGSQL.65535.lock"
        guard longest.utf8.count < 108 else {
            throw CloisterError(
                .devFolder, "the folder's path is too long: its Unix sockets would exceed 107 bytes", hint: "name a shorter path",
                location: path)
        }
        do {
            // PostgreSQL's user passes through DIR; it can't list it, and the files in it are for their owner alone.
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
            try FileManager.default.setAttributes([.posixPermissions: 0o711], ofItemAtPath: path)
            for folder in ["log", "run"] {
                try FileManager.default.createDirectory(
                    atPath: file(folder), withIntermediateDirectories: true,
                    attributes: [.posixPermissions: folder == "run" ? 0o711 : 0o700])
            }
        } catch {
            throw CloisterError(.devFolder, "the folder cannot be made", location: path)
        }
    }

    /// Deletes DIR; the caller has stopped its processes.
    func purge() throws(CloisterError) {
        guard isMade else {
            throw CloisterError(.devFolder, "the folder was not made by 'cloister dev up': it is left alone", location: path)
        }
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            throw CloisterError(.devFolder, "the folder cannot be deleted completely", location: path)
        }
    }

    /// The last lines of a service's log, for an error.
    func tail(_ service: String, lines: Int = 12) -> String {
        guard let data = FileManager.default.contents(atPath: log(service)) else { return "(no log)" }
        let text = String(decoding: data.suffix(16_384), as: UTF8.self)
        return text.split(separator: "\n").suffix(lines).joined(separator: "\n")
    }
}
