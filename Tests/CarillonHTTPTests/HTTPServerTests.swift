import CarillonDomain
import CarillonHTTP
import CarillonTestSupport
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing

@Suite struct HTTPServerTests {
    private static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func server(
        _ address: String,
        notice: Duration = .zero,
        drain: Duration = .seconds(5)
    ) -> (HTTPServer, FakeNotify.Log) {
        let log = FakeNotify.Log()
        var configuration = HTTPConfiguration(address: ListenAddress(address)!)
        configuration.noticeTime = notice
        configuration.drainTimeout = drain
        let server = HTTPServer(
            configuration: configuration,
            eventLoop: MultiThreadedEventLoopGroup.singleton.next(),
            routes: RouteServices(admin: FakeAdmin(), inbox: FakeInbox(), health: FakeHealth(), metrics: FakeMetrics()),
            observer: AnswerLog(),
            logger: Self.silent
        ) {
            HTTPServer.LoopServices(notify: FakeNotify(log), upgrades: FakeUpgrades())
        }
        return (server, log)
    }

    @Test(arguments: [":0", "127.0.0.1:0", "localhost:0", "0.0.0.0:0"])
    func listens(address: String) async throws {
        let (server, _) = server(address)
        let port = try await server.bind()
        try await withThrowingTaskGroup { group in
            group.addTask { try await server.run() }
            let client = try await WireClient(port: port)
            try await client.send("GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try await client.answer().status == 200)
            group.cancelAll()
        }
    }

    @Test func addressInUse() async throws {
        let (first, _) = server("127.0.0.1:0")
        let port = try await first.bind()
        let (second, _) = server("127.0.0.1:\(port)")
        let error = await #expect(throws: HTTPServerError.self) { try await second.bind() }
        #expect(error?.code == .addressInUse)
        #expect(error?.description == "SERVER_ADDR 127.0.0.1:\(port) is in use by another process")
        await withThrowingTaskGroup { group in
            group.addTask { try await first.run() }
            group.cancelAll()
        }
    }

    @Test(
        arguments: [
            (":8080", nil, 8080), ("127.0.0.1:1", "127.0.0.1", 1), ("[::1]:8080", "::1", 8080),
            ("localhost:0", "localhost", 0),
        ] as [(String, String?, Int)]
    )
    func addresses(text: String, host: String?, port: Int) {
        #expect(ListenAddress(text) == ListenAddress(host: host, port: port))
        #expect(ListenAddress(text)?.description == text)
    }

    @Test(arguments: [
        "", "8080", "x", ":", "x:", ":65536", ":-1", ":+1", "::1:80", "[]:80", "[::1]", "a b:80", "host:80a",
    ])
    func noAddresses(text: String) {
        #expect(ListenAddress(text) == nil)
    }

    @Test func gracefulShutdown() async throws {
        // An address of its own: the port may be another test's as soon as it is free.
        let host = "127.0.0.3"
        let (server, log) = server("\(host):0")
        let port = try await server.bind()
        let group = ServiceGroup(services: [server], logger: Self.silent)
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { try await group.run() }
            let idle = try await WireClient(port: port, host: host)
            let kept = try await WireClient(port: port, host: host)
            let partial = try await WireClient(port: port, host: host)
            try await kept.send("GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try await kept.answer()["connection"] == nil)
            let request = post("late")
            try await partial.send(String(request.dropLast(2)))
            try await partial.send(String(request.suffix(2)))
            #expect(try await partial.answer()["connection"] == nil)
            try await partial.send(String(request.dropLast(2)))
            // The second of two is answered in a later turn of the loop than the one in which the unfinished request was read.
            for _ in 0..<2 {
                try await kept.send("GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(try await kept.answer().status == 200)
            }

            await group.triggerGracefulShutdown()
            try await idle.waitForClose()
            try await kept.waitForClose()
            // A process that another test starts holds copies of all descriptors until it runs its own program.
            try await wait(until: "the port is closed", within: .seconds(5)) {
                (try? await WireClient(port: port, host: host)) == nil
            }
            #expect(!partial.isClosed)
            try await partial.send(String(request.suffix(2)))
            let answer = try await partial.answer()
            #expect(answer.status == 202)
            #expect(answer["connection"] == "close")
            try await partial.waitForClose()
            try await tasks.waitForAll()
        }
        #expect(log.bodies == ["late", "late"])
    }

    @Test func shutdownGivesNotice() async throws {
        let (server, log) = server("127.0.0.1:0", notice: .seconds(600))
        let port = try await server.bind()
        let group = ServiceGroup(services: [server], logger: Self.silent)
        await withThrowingTaskGroup { tasks in
            tasks.addTask { try await group.run() }
            await #expect(throws: Never.self) {
                let idle = try await WireClient(port: port)
                // An answer shows that the server has accepted it; where it knows of nobody, it stops at once.
                try await idle.send(post("zero"))
                _ = try await idle.answer()
                await group.triggerGracefulShutdown()
                try await wait(until: "answers end their connections") {
                    let client = try await WireClient(port: port)
                    try await client.send("GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
                    return try await client.answer()["connection"] == "close"
                }
                #expect(!idle.isClosed)
                try await idle.send(post("one") + post("two"))
                #expect(try await idle.answer()["connection"] == nil)
                #expect(try await idle.answer()["connection"] == "close")
                try await idle.waitForClose()
            }
            tasks.cancelAll()
        }
        #expect(log.bodies == ["zero", "one", "two"])
    }

    @Test func shutdownGivesNoNoticeToNobody() async throws {
        let (server, _) = server("127.0.0.1:0", notice: .seconds(600))
        try await server.bind()
        let group = ServiceGroup(services: [server], logger: Self.silent)
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { try await group.run() }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    @Test func shutdownDoesNotWaitForever() async throws {
        let (server, log) = server("127.0.0.1:0", drain: .milliseconds(50))
        let port = try await server.bind()
        let group = ServiceGroup(services: [server], logger: Self.silent)
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { try await group.run() }
            let stuck = try await WireClient(port: port)
            try await stuck.send(post("hold"))
            try await wait(until: "it is served") { log.bodies == ["hold"] }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            try await stuck.waitForClose()
        }
    }
}
