import AdminConnection
import Diagnostics
import Foundation
import Testing

@testable import cloister

/// `AdminConnection` and `DevCluster` against a real server, made for this suite and deleted after it.
@Suite struct AdminAgainstServer {
    /// Makes a cluster, hands its connections out, stops and deletes it.
    func withServer(_ body: (_ connect: () throws -> AdminConnection) throws -> Void) throws {
        let folder = DevFolder("/tmp/cloister-unit-\(UUID().uuidString.prefix(8))")
        try folder.make()
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        var state = DevState(port: 1, directPort: try #require(Ports.free()))
        state.passwords = [DevFolder.superuser: "it's \\ a password"]
        let cluster = try DevCluster(folder: folder)
        try cluster.make(state: state)
        let process = try cluster.start(port: state.directPort)
        defer {
            process.send(SIGQUIT)
            while process.isRunning { usleep(10_000) }
            Spawn.reap(process.pid)
        }
        let connect = { try cluster.connect(state, user: DevFolder.superuser, database: "postgres") }
        let deadline = ContinuousClock.now + .seconds(30)
        while (try? connect()) == nil {
            try #require(ContinuousClock.now < deadline && process.isRunning, "\(folder.tail("postgres"))")
            usleep(50_000)
        }
        try body(connect)
    }

    @Test func aConnectionsWholeLife() throws {
        try withServer { connect in
            let connection = try connect()

            // Parameters of every kind come back as they went.
            let bytes = (0...255).map { UInt8($0) }
            let answer = try connection.query(
                "SELECT $1::text, $2::bytea, $3::int8, $4::text, octet_length($2::bytea)",
                [.text("ü'\\"), .bytes(bytes), .integer(-(1 << 40)), .null])
            #expect(answer.rows[0][0] == "ü'\\")
            #expect(answer.bytes(row: 0, column: 1) == bytes)
            #expect(answer.rows[0][2] == "-1099511627776")
            #expect(answer.rows[0][3] == nil && answer.rows[0][4] == "256")
            #expect(try connection.query("SELECT $1::bytea", [.bytes([])]).bytes(row: 0, column: 0) == [])
            #expect(try connection.query("SELECT '\\'::text AS a, 1 AS b").columns == ["a", "b"])
            #expect(try connection.query("SELECT repeat('x', 3000000)").rows[0][0]?.utf8.count == 3_000_000)
            let large = [UInt8](repeating: 7, count: 5_000_000)
            #expect(try connection.query("SELECT octet_length($1::bytea)", [.bytes(large)]).rows[0][0] == "5000000")

            // Errors have the server's state; a message that may quote data is not repeated.
            let syntax = try #require(throws: AdminFailure.self) { try connection.query("SELECT FROM WHERE") }
            #expect(syntax.sqlState == "42601" && syntax.error.code == .adminStatement && !syntax.isConnectionLoss)
            let value = try #require(throws: AdminFailure.self) { try connection.query("SELECT $1::text::int4", [.text("hunter2")]) }
            #expect(value.sqlState == "22P02" && !value.description.contains("hunter2"))
            #expect(try connection.query("SELECT 1").rows == [["1"]])

            // Names are never looked up in a path that others control.
            #expect(try connection.query("SHOW search_path").rows == [["\"\""]] || connection.query("SHOW search_path").rows == [[""]])

            // Notifications of another connection arrive; waiting ends at its time.
            try connection.query("LISTEN channel")
            let other = try connect()
            try other.query("NOTIFY channel, 'one'")
            #expect(try connection.notifications(milliseconds: 5000).map { "\($0.channel) \($0.payload)" } == ["channel one"])
            let start = ContinuousClock.now
            #expect(try connection.notifications(milliseconds: 100) == [])
            #expect(ContinuousClock.now - start >= .milliseconds(100))

            // A deadline ends a statement, and with it the connection.
            let late = try #require(throws: AdminFailure.self) { try connection.query("SELECT pg_sleep(60)", milliseconds: 200) }
            #expect(late.error.code == .adminDeadline && late.isConnectionLoss)

            // A connection that the server ends says so.
            let doomed = try connect()
            let pid = try #require(try doomed.query("SELECT pg_backend_pid()").rows[0][0])
            try other.query("SELECT pg_terminate_backend($1::int4)", [.text(pid)])
            let lost = try #require(throws: AdminFailure.self) {
                try doomed.query("SELECT 1")
                try doomed.query("SELECT 1")
            }
            #expect(lost.isConnectionLoss)
        }
    }

    @Test func theClusterIsPrivate() throws {
        try withServer { connect in
            let connection = try connect()
            #expect(try connection.query("SHOW listen_addresses").rows == [["127.0.0.1"]])
            #expect(try connection.query("SHOW server_encoding").rows == [["UTF8"]])
            #expect(try connection.query("SELECT datcollate FROM pg_database WHERE datname = 'postgres'").rows == [["C.UTF-8"]])
            let rules = try connection.query("SELECT DISTINCT auth_method FROM pg_hba_file_rules").rows
            #expect(rules == [["scram-sha-256"]])
        }
    }
}
