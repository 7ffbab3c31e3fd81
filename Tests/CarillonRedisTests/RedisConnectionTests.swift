import CarillonRedis
import CarillonTestSupport
import NIOCore
import Synchronization
import Testing

/// What a real Redis does only on a bad day.
@Suite struct RedisConnectionTests {
    @Test func waitsUntilLoadingIsOver() async throws {
        let server = try await FakeRedis.start { connection, _ in
            .reply(connection < 3 ? "-LOADING Redis is loading the dataset in memory\r\n" : "+PONG\r\n")
        }
        let link = try await TestLink.open(.test(port: server.port), waiting: false)
        try await wait(until: "a first answer", within: .seconds(30)) {
            try await link.run { $0.connection.lastFailure?.serverCode == "LOADING" || $0.connection.isReady }
        }
        try await link.waitUntilReady()
        #expect(try await link.run { $0.connection.connectionCount } == 1)
        #expect(try await link.run { $0.connection.lastFailure } == nil)
        #expect(try await link.run { $0.observer.disconnections } == [])
        try await link.close()
        try await server.stop()
    }

    @Test func aUserWhoMayNotPingIsSignedIn() async throws {
        let server = try await FakeRedis.start { _, _ in .reply("-NOPERM this user has no permissions\r\n") }
        let link = try await TestLink.open(.test(port: server.port))
        try await link.close()
        try await server.stop()
    }

    @Test func theHandshakeIsOneWriteInOrder() async throws {
        let read = Mutex<[String]>([])
        let server = try await FakeRedis.start { _, text in
            read.withLock { $0.append(text) }
            return .reply("+OK\r\n+OK\r\n-ERR no such name\r\n+PONG\r\n")
        }
        var configuration = RedisConfiguration.test(port: server.port)
        configuration.username = "u"
        configuration.password = "p"
        configuration.database = 2
        configuration.clientName = "n"
        let link = try await TestLink.open(configuration)
        let expected =
            "*3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n$1\r\np\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n2\r\n"
            + "*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$1\r\nn\r\n" + FakeRedis.ping
        #expect(read.withLock { $0 } == [expected])
        try await link.close()
        try await server.stop()
    }

    @Test func aSilentServerIsGivenUp() async throws {
        let server = try await FakeRedis.start { connection, _ in connection == 1 ? .silence : .reply("+PONG\r\n") }
        var configuration = RedisConfiguration.test(port: server.port)
        configuration.connectTimeout = .milliseconds(150)
        let link = try await TestLink.open(configuration)
        #expect(try await link.run { $0.connection.connectionCount } == 1)
        try await link.close()
        try await server.stop()
    }

    @Test(arguments: ["HTTP/1.1 400 Bad Request\r\n", "+PONG\r\n+one too many\r\n"])
    func nonsenseBreaksTheConnection(answer: String) async throws {
        let once = FakeRedis.Once()
        let server = try await FakeRedis.start { _, text in
            .reply(text != FakeRedis.ping && once.first() ? answer : "+PONG\r\n")
        }
        let link = try await TestLink.open(.test(port: server.port))
        try await link.run { parts in
            parts.connection.send("ECHO", arguments: 1, to: parts.recorder, tag: 1) { $0.bulk("x") }
        }
        try await link.waitUntilReady(connectionCount: 2)
        #expect(try await link.run { $0.observer.disconnections.map(\.code) } == [.protocolViolation])
        let expected: [Recorder.Event] =
            answer.hasPrefix("+") ? [.reply(.status("PONG"), tag: 1)] : [.failure(.protocolViolation, tag: 1)]
        #expect(try await link.events() == expected)
        try await link.close()
        try await server.stop()
    }

    @Test func repliesThatStopHalfwayFailInOrder() async throws {
        let once = FakeRedis.Once()
        let server = try await FakeRedis.start { _, text in
            text != FakeRedis.ping && once.first() ? .replyAndClose("+one\r\n$5\r\nhal") : .reply("+PONG\r\n")
        }
        let link = try await TestLink.open(.test(port: server.port))
        try await link.run { parts in
            for tag in 1...3 {
                parts.connection.send("GET", arguments: 1, to: parts.recorder, tag: tag) { $0.bulk("x") }
            }
        }
        #expect(
            try await link.waitForEvents(3) == [
                .reply(.status("one"), tag: 1), .failure(.connectionLost, tag: 2), .failure(.connectionLost, tag: 3),
            ]
        )
        try await link.waitUntilReady(connectionCount: 2)
        #expect(try await link.run { $0.observer.disconnections.map(\.code) } == [.connectionLost])
        #expect(try await link.run { $0.observer.failures.map(\.code) } == [.connectionLost, .connectionLost])
        try await link.close()
        try await server.stop()
    }

    @Test func whatNeverLeftIsSafeToRepeat() async throws {
        let server = try await FakeRedis.start { _, _ in .stopReading }
        var configuration = RedisConfiguration.test(port: server.port)
        configuration.commandTimeout = .milliseconds(300)
        let link = try await TestLink.open(configuration)
        // More than the kernel's buffers take, so that the channel is full when the second command comes.
        try await link.run { parts in
            let large = ByteBuffer(repeating: 120, count: 32 * 1_024 * 1_024)
            parts.connection.send("ECHO", arguments: 1, to: parts.recorder, tag: 1) { $0.bulk(large) }
        }
        try await link.run { parts in
            parts.connection.send("ECHO", arguments: 1, to: parts.recorder, tag: 2) { $0.bulk("small") }
        }
        #expect(try await link.waitForEvents(2) == [.failure(.timeout, tag: 1), .failure(.unavailable, tag: 2)])
        try await link.close()
        try await server.stop()
    }

    @Test func nothingIsEverAnsweredWithinSend() async throws {
        let link = try await TestLink.open(.test(port: BuiltProgram.freePort()), waiting: false)
        let heardWithinSend = try await link.run { parts in
            for tag in 1...3 { parts.connection.send("PING", arguments: 0, to: parts.recorder, tag: tag) }
            return parts.recorder.events.count
        }
        #expect(heardWithinSend == 0)
        #expect(try await link.waitForEvents(3) == (1...3).map { .failure(.unavailable, tag: $0) })
        try await link.close()
    }

    @Test func anAbsentServerIsNamedInTheFailure() async throws {
        let port = try BuiltProgram.freePort()
        let link = try await TestLink.open(.test(port: port), waiting: false)
        try await wait(until: "the failure", within: .seconds(30)) {
            try await link.run { $0.connection.lastFailure != nil }
        }
        let error = await #expect(throws: RedisError.self) { try await link.client.call("PING") }
        #expect(error?.code == .unavailable)
        #expect(error?.detail.contains("refused") == true, "\(error?.description ?? "")")
        try await link.close()
    }

    @Test func closingWhileConnectingIsFinal() async throws {
        let server = try await FakeRedis.start { _, _ in .reply("+PONG\r\n") }
        let link = try await TestLink.open(.test(port: server.port), starting: false, waiting: false)
        try await link.run { parts in
            parts.connection.start()
            _ = parts.connection.close()
            parts.connection.start()
            parts.connection.send("PING", arguments: 0, to: parts.recorder, tag: 0)
        }
        #expect(try await link.waitForEvents(1) == [.failure(.unavailable, tag: 0)])
        #expect(try await link.run { $0.connection.connectionCount } == 0)
        try await link.close()
        try await server.stop()
    }

    @Test func aPartlySentPipelineIsOfUnknownOutcome() async throws {
        let server = try await FakeRedis.start { _, _ in .reply("+PONG\r\n") }
        var configuration = RedisConfiguration.test(port: server.port)
        configuration.maximumPendingReplies = 1
        let link = try await TestLink.open(configuration)
        await #expect(throws: RedisError(.connectionLost)) {
            try await link.client.pipeline([RedisCommand("PING"), RedisCommand("PING")])
        }
        #expect(try await link.client.pipeline([]) == [])
        try await link.close()
        try await server.stop()
    }
}
