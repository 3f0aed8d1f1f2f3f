internal import AdminConnection
internal import Configuration
internal import Diagnostics
internal import Foundation

/// `cloister dev`: brings a stack up, down, and tells what runs.
///
/// `up` is a list of steps, each of which looks whether it is done already: a second `up` completes an interrupted first,
/// restarts what is missing and otherwise changes nothing.
struct DevStack {
    let folder: DevFolder
    let interruption = Interruption()
    /// Services in the order of their start.
    static let services = ["postgres", "tee", "proxy"]

    // MARK: - up

    func up(port: Int, configuration file: String?) throws {
        let given = try file.map { try Configuration(contentsOf: $0) }
        let programs = try DevPrograms()
        let cluster = try DevCluster(folder: folder)
        try cluster.checkExtension()
        let lock = try begin()
        defer { lock.release() }
        try cluster.checkReachable()

        var state = try folder.loadState() ?? newState(port: port)
        state.processes.removeAll { !$0.isRunning }
        let ranBefore = Self.services.filter { state.process($0) != nil }
        if state.port != port {
            if ranBefore.contains("proxy") {
                throw CloisterError(
                    .devPort, "the stack runs with its proxy on port \(state.port)",
                    hint: "run 'cloister dev down' first, or name that port",
                    location: folder.path)
            }
            state.port = port
        }
        let columns = try given ?? previousConfiguration()
        do {
            let changed = try start(&state, columns, programs: programs, cluster: cluster)
            if !changed, ranBefore == Self.services {
                say("cloister dev: already running in \(folder.path), proxy on port \(port)")
            } else {
                say("cloister dev: ready; proxy on port \(port), server on port \(state.directPort)")
            }
            say("cloister dev: . \(folder.env)")
        } catch {
            stop(&state, Self.services.filter { !ranBefore.contains($0) })
            try? folder.save(state)
            throw error
        }
    }

    /// Takes DIR: makes it, or checks that it is ours; one command at a time works on it.
    private func begin() throws(CloisterError) -> FolderLock {
        if !folder.isMade { try folder.make() }
        guard let lock = FolderLock(folder.file("lock")) else {
            throw CloisterError(.devFolder, "another 'cloister dev' works on this folder", location: folder.path)
        }
        return lock
    }

    private func newState(port: Int) throws(CloisterError) -> DevState {
        var state = DevState(port: port, directPort: 0)
        for role in [DevFolder.superuser, DevFolder.user, DevFolder.proxyRole] { state.passwords[role] = Self.randomWord() }
        try folder.save(state)
        return state
    }

    /// The columns of the last `up`, or none.
    private func previousConfiguration() throws -> Configuration {
        guard FileManager.default.fileExists(atPath: folder.configFile) else {
            return Configuration(file: folder.configFile, service: nil, columns: [])
        }
        return try Configuration(contentsOf: folder.configFile)
    }

    /// Starts what does not run; returns whether anything was started or changed.
    private func start(
        _ state: inout DevState, _ configuration: Configuration, programs: DevPrograms, cluster: DevCluster
    ) throws -> Bool {
        var changed = false
        if state.process("proxy") == nil, Ports.free(state.port) == nil {
            throw CloisterError(.devPort, "port \(state.port) of 127.0.0.1 is taken", hint: "name another with --port")
        }
        if state.process("postgres") == nil {
            if !state.isMade {
                say("cloister dev: making a cluster in \(folder.data)")
                try cluster.make(state: state)
            }
            // The port of last time, if it is still free: clients may remember it.
            guard let port = (state.directPort > 0 ? Ports.free(state.directPort) : nil) ?? Ports.free() else {
                throw CloisterError(.devPort, "no port is free for the server")
            }
            state.directPort = port
            try record(try cluster.start(port: port), in: &state)
            changed = true
        }
        try wait("postgres", state, seconds: 60) { _ = try cluster.connect(state, user: DevFolder.superuser, database: "postgres") }
        if !state.isMade {
            try cluster.makeDatabase(state)
            state.isMade = true
            try folder.save(state)
        }

        if state.process("tee") == nil {
            say("cloister dev: launching the enclave")
            state.measurement = try programs.measurement()
            try record(try programs.startTEE(folder: folder, serverUser: cluster.serverUser), in: &state)
            changed = true
        }
        try wait("tee", state, seconds: 30) { if !programs.isReady(folder: folder) { throw NotReady("the enclave does not listen yet") } }

        let keys = try DevKeys(folder: folder, cluster: cluster, state: state)
        if try keys.makeMissing(configuration.columns) { changed = true }
        state.memory = try keys.memory(folder: folder, measurement: state.measurement)
        if state.memory == .mlock { say("cloister dev: this kernel has no memfd_secret: root can read the enclave's memory") }
        try folder.save(state)
        let text = DevConfig.render(
            columns: configuration.columns, limits: configuration.limits, catalog: configuration.catalog,
            sessions: configuration.sessions, types: configuration.types, state: state, folder: folder)
        if FileManager.default.contents(atPath: folder.configFile) != Data(text.utf8) {
            try folder.write(Data(text.utf8), to: folder.configFile)
            changed = true
        }
        try folder.write(Data((state.passwords[DevFolder.proxyRole] ?? "").utf8), to: folder.proxyPassword)
        if changed { stop(&state, ["proxy"]) }
        if state.process("proxy") == nil {
            try record(try programs.startProxy(folder: folder), in: &state)
            changed = true
        }
        try folder.write(Data(DevConfig.environment(state).utf8), to: folder.env)
        let released = try keys.released(for: configuration.columns)
        try wait("proxy", state, seconds: 30) {
            guard Ports.answers(state.port) else { throw NotReady("the proxy does not listen yet") }
            guard released() else { throw NotReady("the enclave does not hold the keys yet") }
            // A whole session through the proxy: startup, authentication, a statement.
            let user = DevFolder.user
            let options = AdminOptions(
                host: "127.0.0.1", port: state.port, user: user, password: state.passwords[user].map { AdminPassword($0) },
                database: DevFolder.database)
            try AdminConnection(options).query("SELECT 1", milliseconds: 5000)
        }
        return changed
    }

    /// Keeps a started process before anything else can fail.
    private func record(_ process: ProcessRecord, in state: inout DevState) throws(CloisterError) {
        state.processes.removeAll { $0.name == process.name }
        state.processes.append(process)
        try folder.save(state)
    }

    /// Why a service is not ready yet.
    private struct NotReady: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    /// Repeats `check` until it does not throw; fails when a service ends, time runs out or a signal arrives.
    private func wait(_ service: String, _ state: DevState, seconds: Double, until check: () throws -> Void) throws(CloisterError) {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while true {
            if let signal = interruption.received {
                throw CloisterError(.devInterrupted, "ended by signal \(signal); what this command had started was stopped")
            }
            // Those already started must still run; the list has them in the order of their start.
            for process in state.processes where !process.isRunning {
                throw CloisterError(
                    .devService, "\(process.name) ended; its log's last lines are\n\(folder.tail(process.name))",
                    location: folder.log(process.name))
            }
            do {
                return try check()
            } catch {
                guard ContinuousClock.now < deadline else {
                    throw CloisterError(
                        .devService,
                        "\(service) was not ready within \(Int(seconds)) s: \(error); its log's last lines are\n\(folder.tail(service))",
                        location: folder.log(service))
                }
            }
            usleep(50_000)
        }
    }

    // MARK: - down, status

    func down(purge: Bool) throws {
        guard folder.isMade else {
            if purge, FileManager.default.fileExists(atPath: folder.path) { try folder.purge() }
            say("cloister dev: nothing in \(folder.path)")
            return
        }
        let lock = try begin()
        defer { lock.release() }
        guard var state = try folder.loadState() else { return }
        let running = Self.services.filter { state.process($0) != nil }
        stop(&state, Self.services)
        try folder.save(state)
        if purge {
            try folder.purge()
            say("cloister dev: stopped \(running.isEmpty ? "nothing" : running.joined(separator: ", ")); deleted \(folder.path)")
        } else {
            say(running.isEmpty ? "cloister dev: nothing ran" : "cloister dev: stopped \(running.joined(separator: ", "))")
        }
    }

    /// Prints one line per service; returns whether all run.
    func status() throws -> Bool {
        guard let state = try folder.loadState() else {
            throw CloisterError(.devFolder, "no stack was made here", hint: "run 'cloister dev up'", location: folder.path)
        }
        var all = true
        for name in Self.services {
            let process = state.process(name)
            let place = name == "postgres" ? "port \(state.directPort)" : name == "proxy" ? "port \(state.port)" : folder.enclaveSocket
            say("\(name.padding(toLength: 9, withPad: " ", startingAt: 0)) \(process.map { "pid \($0.pid), \(place)" } ?? "does not run")")
            all = all && process != nil
        }
        return all
    }

    /// Stops the named services, last started first: asks, waits, and then insists. Only processes of the record.
    private func stop(_ state: inout DevState, _ names: [String]) {
        for name in Self.services.reversed() where names.contains(name) {
            guard let process = state.processes.first(where: { $0.name == name }) else { continue }
            // PostgreSQL: SIGINT is the fast shutdown, SIGQUIT the immediate one (pg_ctl's manual page).
            process.send(name == "postgres" ? SIGINT : SIGTERM)
            if !ended(process, seconds: name == "postgres" ? 60 : 10) {
                process.send(name == "postgres" ? SIGQUIT : SIGKILL)
                _ = ended(process, seconds: 10)
            }
            state.processes.removeAll { $0.name == name && !$0.isRunning }
        }
    }

    private func ended(_ process: ProcessRecord, seconds: Double) -> Bool {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while process.isRunning {
            guard ContinuousClock.now < deadline else { return false }
            usleep(20_000)
        }
        Spawn.reap(process.pid)
        return true
    }

    /// 26 letters and digits: more than 128 bits.
    static func randomWord() -> String {
        let letters = Array("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")
        var generator = SystemRandomNumberGenerator()
        return String((0..<26).map { _ in letters[Int.random(in: 0..<letters.count, using: &generator)] })
    }
}
