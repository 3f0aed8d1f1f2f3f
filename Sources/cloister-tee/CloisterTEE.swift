internal import ArgumentParser
internal import Attestation
internal import Diagnostics
internal import TEEPlatform

/// cloister-tee: launches, measures, guards and vouches for cloister-enclave.
@main
struct CloisterTEE: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cloister-tee",
        abstract: "The simulated TEE platform: launches, measures and guards the enclave, and signs its reports.",
        subcommands: [Run.self, Measure.self], defaultSubcommand: Measure.self)

    struct Measure: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the measurement of an enclave's file.")
        @Option(name: .customLong("measure"), help: "The enclave's executable.") var measure: String?
        @Argument(help: "The enclave's executable.") var file: String?

        func run() throws {
            guard let path = measure ?? file else { throw ValidationError("give the enclave's file, or the subcommand run") }
            print(try SealedImage(path: path).measurement)
        }
    }

    struct Run: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Run the enclave until SIGTERM.")
        @Option(help: "The enclave's executable.") var enclave: String
        @Option(help: "Where the enclave listens for PostgreSQL's backends.") var socket: String
        @Option(help: "Folder of the platform's keys; made at the first start.") var stateDir: String
        @Option(help: "Backends served at once.") var maxSlots: Int?
        @Option(help: "Evaluator threads (default: 2, or 1 on one core).") var workers: Int?
        @Option(help: "Upper bound of an idle worker's spin, in µs.") var spinUs: Int?
        @Option(help: "Size of the protected region, in MiB (default 64).") var regionMib: Int?
        @Option(help: "Mode of the socket, octal (default 0666; --peer-user says who may use it).") var socketMode: String?
        @Option(help: "Owner of the socket.") var socketOwner: String?
        @Option(help: "Group of the socket.") var socketGroup: String?
        @Option(help: "Serve only this user (besides root and the enclave's own).") var peerUser: String?
        @Flag(help: "Take locked ordinary memory where memfd_secret is missing; the report says so.") var allowMlock = false
        @Flag(help: "Set the debug flag in reports.") var debug = false
        @Flag(help: "End when the enclave ends.") var noRestart = false

        func run() throws {
            let identity = try PlatformIdentity.open(stateDir, now: HostClock.now)
            let image = try SealedImage(path: enclave)
            var arguments = ["--socket", socket]
            for (name, value) in [
                ("--max-slots", maxSlots), ("--workers", workers), ("--spin-us", spinUs), ("--region-mib", regionMib),
            ] {
                if let value { arguments += [name, "\(value)"] }
            }
            if let socketMode { arguments += ["--socket-mode", socketMode] }
            if let socketOwner { arguments += ["--socket-uid", "\(try Self.id(HostNames.user(socketOwner), socketOwner))"] }
            if let socketGroup { arguments += ["--socket-gid", "\(try Self.id(HostNames.group(socketGroup), socketGroup))"] }
            if let peerUser { arguments += ["--peer-uid", "\(try Self.id(HostNames.user(peerUser), peerUser))"] }
            if allowMlock { arguments.append("--allow-mlock") }

            let supervisor = Supervisor(
                identity: identity, image: image,
                options: Supervisor.Options(
                    arguments: arguments, socket: socket, isDebug: debug || Self.isDebugBuild, restarts: !noRestart,
                    allowsOrdinaryMemory: allowMlock))
            let wasStopped = try supervisor.run { event in
                switch event {
                case .ready(let measurement, let platform, let enclave):
                    FileDescriptorOutput.standardOutput("ready measurement=\(measurement) pid=\(platform) enclave=\(enclave)\n")
                case .limitReached(let limit):
                    Self.complain("backend \(limit.peer) reached the limit of \(limit.limit) operations under key \(limit.key)")
                case .disabled(let error):
                    Self.complain("\(error); the environment is disabled until cloister-tee is started anew")
                case .ended(let error, let relaunch):
                    Self.complain("\(error)" + (relaunch.map { "; starting it again in \($0) ms" } ?? ""))
                }
            }
            if !wasStopped { throw ExitCode(70) }
        }

        private static var isDebugBuild: Bool {
            #if DEBUG
            true
            #else
            false
            #endif
        }

        private static func id(_ found: Int64?, _ name: String) throws -> Int64 {
            guard let found else { throw ValidationError("there is no user or group \(name)") }
            return found
        }

        private static func complain(_ message: String) {
            FileDescriptorOutput.standardError("cloister-tee: \(message)\n")
        }
    }
}
