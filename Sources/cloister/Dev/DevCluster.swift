internal import AdminConnection
internal import Diagnostics
internal import Foundation

/// The private PostgreSQL of a stack: made with initdb, run as a user that is not root.
struct DevCluster {
    let folder: DevFolder
    let binaries: String
    /// The commands that make a program run as PostgreSQL's user: empty when this user already is not root.
    let asServerUser: [String]
    let serverUser: String

    /// Finds PostgreSQL 15 and the user to run it as.
    init(folder: DevFolder) throws(CloisterError) {
        self.folder = folder
        let candidates = [Tool.output(["/usr/bin/env", "pg_config", "--bindir"]), "/usr/lib/postgresql/15/bin"].compactMap { $0 }
        guard let found = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0 + "/initdb") }) else {
            throw CloisterError(.devMissing, "PostgreSQL's initdb was not found", hint: "run 'make setup'")
        }
        binaries = found
        if geteuid() == 0 {
            serverUser = "postgres"
            guard Tool.output(["/usr/bin/env", "id", "-u", "postgres"]) != nil else {
                throw CloisterError(.devMissing, "there is no user 'postgres' to run the server as", hint: "run 'make setup'")
            }
            asServerUser = ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]
        } else {
            serverUser = NSUserName()
            asServerUser = []
        }
    }

    /// PostgreSQL's environment: nothing of the caller's PG* or locale reaches it.
    static let environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"]

    /// The extension must be installed where this PostgreSQL looks.
    func checkExtension() throws(CloisterError) {
        guard let share = Tool.output([binaries + "/pg_config", "--sharedir"]),
            FileManager.default.fileExists(atPath: share + "/extension/cloister.control")
        else { throw CloisterError(.devMissing, "PostgreSQL has no extension 'cloister'", hint: "run 'make build'") }
    }

    /// The server's user must reach DIR through all its parents.
    func checkReachable() throws(CloisterError) {
        guard !asServerUser.isEmpty else { return }
        var folder = ""
        for part in self.folder.path.split(separator: "/") {
            folder += "/" + part
            guard Tool.run(asServerUser + ["/usr/bin/test", "-x", folder]).status == 0 else {
                throw CloisterError(
                    .devFolder, "user '\(serverUser)', who runs the server, may not pass through \(folder)",
                    hint: "choose a folder under /tmp or /var/tmp, or allow it with 'chmod o+x \(folder)'", location: self.folder.path)
            }
        }
    }

    /// initdb with a random superuser password, and the stack's settings.
    func make(state: DevState) throws(CloisterError) {
        let password = folder.file("run/superuser-password")
        try folder.write(Data((state.passwords[DevFolder.superuser] ?? "").utf8), to: password)
        defer { try? FileManager.default.removeItem(atPath: password) }
        try? FileManager.default.removeItem(atPath: folder.data)
        for (path, mode) in [(folder.data, "0700"), (folder.run, "0711")] {
            try tool(["/usr/bin/install", "-d", "-m", mode] + (asServerUser.isEmpty ? [] : ["-o", serverUser]) + [path], "making \(path)")
        }
        if !asServerUser.isEmpty { try tool(["/usr/bin/chown", serverUser, password], "handing over the password file") }
        try tool(
            asServerUser + [
                binaries + "/initdb", "-D", folder.data, "-U", DevFolder.superuser, "--auth=scram-sha-256", "--pwfile=\(password)",
                "--locale=C.UTF-8", "--encoding=UTF8", "--no-instructions",
            ], "initdb")
    }

    /// What the stack changes in postgresql.conf, on the command line: ports may differ from one start to the next.
    func settings(port: Int) -> [String] {
        [
            "port=\(port)", "listen_addresses=127.0.0.1", "unix_socket_directories=\(folder.run)",
            "cloister.socket=\(folder.enclaveSocket)",
            "log_line_prefix=%m [%p] %q%u@%d ", "logging_collector=off", "log_destination=stderr",
        ].flatMap { ["-c", $0] }
    }

    func start(port: Int) throws(CloisterError) -> ProcessRecord {
        let arguments = asServerUser + [binaries + "/postgres", "-D", folder.data] + settings(port: port)
        return try Tool.start("postgres", arguments, environment: Self.environment, folder: folder)
    }

    func connect(_ state: DevState, user: String, database: String) throws(AdminFailure) -> AdminConnection {
        try AdminConnection(
            AdminOptions(
                host: "127.0.0.1", port: state.directPort, user: user, password: state.passwords[user].map { AdminPassword($0) },
                database: database))
    }

    /// Roles, database and extension: each made if it is missing, so that an interrupted run is completed by the next.
    func makeDatabase(_ state: DevState) throws {
        let server = try connect(state, user: DevFolder.superuser, database: "postgres")
        for role in [DevFolder.user, DevFolder.proxyRole] {
            let exists = try server.query("SELECT FROM pg_catalog.pg_roles WHERE rolname = $1", [.text(role)]).rows.count == 1
            // A role's password can't be a parameter. Sent over loopback; scram hides it in the catalog.
            let password = AdminConnection.quoted(literal: state.passwords[role] ?? "")
            try server.query("\(exists ? "ALTER" : "CREATE") ROLE \(role) LOGIN PASSWORD \(password)")
        }
        if try server.query("SELECT FROM pg_catalog.pg_database WHERE datname = $1", [.text(DevFolder.database)]).rows.isEmpty {
            try server.query("CREATE DATABASE \(DevFolder.database) OWNER \(DevFolder.user)")
        }
        let database = try connect(state, user: DevFolder.superuser, database: DevFolder.database)
        try database.query("CREATE EXTENSION IF NOT EXISTS cloister")
        // What statements about keys and encrypted columns need (keys.ddl).
        try database.query("GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA cloister TO \(DevFolder.proxyRole)")
    }

    private func tool(_ arguments: [String], _ what: String) throws(CloisterError) {
        let ran = Tool.run(arguments, environment: Self.environment)
        guard ran.status == 0 else {
            let last = ran.output.split(separator: "\n").suffix(4).joined(separator: "; ")
            throw CloisterError(.devService, "\(what) failed: \(last)", location: folder.path)
        }
    }
}

/// Running programs.
enum Tool {
    /// Runs a program to its end; both outputs together. Status -1: it could not be started.
    static func run(_ arguments: [String], environment: [String: String]? = nil) -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: arguments[0])
        process.arguments = Array(arguments.dropFirst())
        if let environment { process.environment = environment }
        process.currentDirectoryURL = URL(filePath: "/")
        process.standardInput = FileHandle.nullDevice
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        do { try process.run() } catch { return (-1, "\(arguments[0]) cannot be started") }
        let output = (try? pipe.fileHandleForReading.readToEnd()) ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    /// What a program printed, without the last line's end; nil if it failed.
    static func output(_ arguments: [String]) -> String? {
        let ran = run(arguments)
        return ran.status == 0 ? ran.output.trimmingCharacters(in: .whitespacesAndNewlines) : nil
    }

    /// Starts a service in the background, its output in its log.
    static func start(
        _ name: String, _ arguments: [String], environment: [String: String], folder: DevFolder
    ) throws(CloisterError) -> ProcessRecord {
        switch Spawn.detached(arguments, environment: environment, log: folder.log(name)) {
        case .success(let pid):
            guard let record = ProcessRecord(name: name, pid: pid) else {
                throw CloisterError(.devService, "\(name) ended at once:\n\(folder.tail(name))", location: folder.log(name))
            }
            return record
        case .failure(let error):
            throw CloisterError(.devService, "\(name) cannot be started: \(error.code)", location: arguments[0])
        }
    }
}
