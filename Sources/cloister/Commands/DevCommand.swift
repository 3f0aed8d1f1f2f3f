internal import ArgumentParser
internal import Foundation

/// `cloister dev up|down|status`: a private server, enclave and proxy in one folder.
struct DevCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev", abstract: "A private PostgreSQL with enclave and proxy, in one folder.",
        subcommands: [Up.self, Down.self, Status.self])

    struct Folder: ParsableArguments {
        @Option(name: .long, help: "The stack's folder.")
        var dir: String
    }

    struct Up: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "up", abstract: "Make the stack if it is new, start what does not run, return when all is ready.")
        @OptionGroup var folder: Folder
        @Option(name: .long, help: "The port where the proxy listens.")
        var port: Int = 6432
        @Option(name: .long, help: "A configuration file; only its columns and limits count. Default: the last one's.")
        var config: String?

        func validate() throws {
            guard (1...65_535).contains(port) else { throw ValidationError("--port is a number from 1 to 65535") }
        }

        func run() throws { try DevStack(folder: DevFolder(folder.dir)).up(port: port, configuration: config) }
    }

    struct Down: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "down", abstract: "Stop exactly what 'up' started.")
        @OptionGroup var folder: Folder
        @Flag(name: .long, help: "Delete the folder too: data and keys.")
        var purge = false

        func run() throws { try DevStack(folder: DevFolder(folder.dir)).down(purge: purge) }
    }

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status", abstract: "Tell what runs; exit 3 if a service does not.")
        @OptionGroup var folder: Folder
        // A later `up` may pass its port to all of them; it is the state file's that counts.
        @Option(name: .long, help: .hidden)
        var port: Int?

        func run() throws {
            if !(try DevStack(folder: DevFolder(folder.dir)).status()) { throw ExitCode(3) }
        }
    }
}
