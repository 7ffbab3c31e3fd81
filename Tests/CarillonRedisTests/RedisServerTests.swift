import CarillonRedis
import CarillonTestSupport
import NIOCore
import NIOPosix
import Testing

/// Against a real redis-server.
@Suite struct RedisServerTests {
    @Test func aShortTickIsOneWrite() async throws {
        let redis = try await RedisProcess.start()
        let link = try await TestLink.open(.test(redis))
        let readsBefore = try await reads(link.client)
        let writesBefore = try await link.run { $0.observer.roundTrips.count }
        try await link.run { parts in
            for tag in 0..<250 { parts.connection.send("PING", arguments: 0, to: parts.recorder, tag: tag) }
        }
        let events = try await link.waitForEvents(250)
        #expect(events == (0..<250).map { .reply(.status("PONG"), tag: $0) })
        #expect(try await link.run { $0.observer.roundTrips.count } - writesBefore == 1)
        // One read for the 250 and one for the INFO that tells of it.
        #expect(try await reads(link.client) - readsBefore == 2)
        #expect(try await link.run { $0.observer.roundTrips.allSatisfy { $0 > 0 } })
        try await link.close()
        await redis.stop()
    }

    /// Redis begins when 4 KiB are there; then after twice as much each time, and at the tick's end.
    @Test func aLongTickIsAFewWrites() async throws {
        let redis = try await RedisProcess.start()
        let link = try await TestLink.open(.test(redis))
        let writesBefore = try await link.run { $0.observer.roundTrips.count }
        let text = String(repeating: "x", count: 1_000)
        try await link.run { parts in
            for tag in 0..<100 {
                parts.connection.send("ECHO", arguments: 1, to: parts.recorder, tag: tag) { $0.bulk(text) }
            }
        }
        let events = try await link.waitForEvents(100)
        #expect(events == (0..<100).map { .reply(.bytes(Array(text.utf8)), tag: $0) })
        // 4, 8, 16, 32 and the rest of 102 KiB.
        #expect(try await link.run { $0.observer.roundTrips.count } - writesBefore == 5)
        try await link.close()
        await redis.stop()
    }

    private func reads(_ client: RedisClient) async throws -> Int {
        let info = try #require(try await client.call("INFO", "stats").string)
        let line = info.split(whereSeparator: \.isNewline).first { $0.hasPrefix("total_reads_processed:") }
        return try #require(line.flatMap { Int($0.dropFirst("total_reads_processed:".count)) })
    }

    @Test func aHundredThousandCommandsInOrder() async throws {
        let redis = try await RedisProcess.start()
        let link = try await TestLink.open(.test(redis))
        try await link.run { parts in
            for tag in 0..<100_000 {
                parts.connection.send("ECHO", arguments: 1, to: parts.recorder, tag: tag) { $0.integer(tag) }
            }
        }
        let events = try await link.waitForEvents(100_000)
        #expect(events == (0..<100_000).map { .reply(.bytes(Array("\($0)".utf8)), tag: $0) })
        #expect(try await link.run { $0.connection.pendingReplies } == 0)
        try await link.close()
        await redis.stop()
    }

    @Test func receiversMaySendFromInsideAReply() async throws {
        let redis = try await RedisProcess.start()
        let link = try await TestLink.open(.test(redis))
        try await link.run { parts in
            parts.recorder.onEvent = { [unowned parts] _ in
                let tag = parts.recorder.events.count
                guard tag < 100 else { return }
                parts.connection.send("ECHO", arguments: 1, to: parts.recorder, tag: tag) { $0.integer(tag) }
            }
            parts.connection.send("ECHO", arguments: 1, to: parts.recorder, tag: 0) { $0.integer(0) }
        }
        let events = try await link.waitForEvents(100)
        #expect(events == (0..<100).map { .reply(.bytes(Array("\($0)".utf8)), tag: $0) })
        try await link.run { $0.recorder.onEvent = nil }
        try await link.close()
        await redis.stop()
    }

    @Test func repliesOfEveryKind() async throws {
        let redis = try await RedisProcess.start()
        let link = try await TestLink.open(.test(redis))
        let values = try await link.client.pipeline([
            RedisCommand("SET", "k", "v\u{0}\r\n"), RedisCommand("GET", "k"), RedisCommand("GET", "absent"),
            RedisCommand("INCR", "n"), RedisCommand("INCR", "k"),
            RedisCommand("XADD", "s", "5-1", "nid", "u"), RedisCommand("XRANGE", "s", "-", "+"),
            RedisCommand("EVAL", "return {1, false, {'a', redis.error_reply('WRONG x')}}", 0),
        ])
        #expect(
            values == [
                .status("OK"), .bytes(Array("v\u{0}\r\n".utf8)), .null, .integer(1),
                .error("ERR value is not an integer or out of range"), .bytes(Array("5-1".utf8)),
                .array([
                    .array([.bytes(Array("5-1".utf8)), .array([.bytes(Array("nid".utf8)), .bytes(Array("u".utf8))])])
                ]),
                .array([.integer(1), .null, .array([.bytes(Array("a".utf8)), .error("WRONG x")])]),
            ]
        )
        #expect(try await link.run { $0.observer.failures.count } == 1)
        let error = await #expect(throws: RedisError.self) { try await link.client.call("LPUSH", "k", "x") }
        #expect(error?.serverCode == "WRONGTYPE")
        #expect(error?.outcomeUnknown == false)
        try await link.run { parts in
            parts.connection.send("LPUSH", arguments: 2, to: parts.recorder, tag: 9) {
                $0.key(RedisKey("k"))
                $0.bulk("x" as String)
            }
        }
        guard case .failure(.server(let message), tag: 9) = try await link.waitForEvents(1)[0] else {
            Issue.record("an error reply is a failure")
            return
        }
        #expect(message.hasPrefix("WRONGTYPE "))
        try await link.close()
        await redis.stop()
    }

    @Test func largeRepliesAndCommands() async throws {
        let redis = try await RedisProcess.start()
        let link = try await TestLink.open(.test(redis))
        for size in [1_000_000, 10_000_000, 100] {
            let payload = ByteBuffer(repeating: 120, count: size)
            #expect(try await link.client.call("ECHO", .bytes(payload)) == .bytes(Array(buffer: payload)))
        }
        try await link.close()
        await redis.stop()
    }

    @Test func unixSocketUserAndDatabase() async throws {
        let redis = try await RedisProcess.start(
            ["--user", "ana", "on", ">se:c@ret", "~*", "&*", "+@all", "--user", "default", "off"]
        )
        var configuration = RedisConfiguration(endpoint: .unix(path: redis.unixSocket))
        configuration.username = "ana"
        configuration.password = "se:c@ret"
        configuration.database = 3
        configuration.clientName = "carillon-test"
        let link = try await TestLink.open(configuration)
        let info = try #require(try await link.client.call("CLIENT", "INFO").string)
        #expect(info.contains(" name=carillon-test ") && info.contains(" db=3 ") && info.contains(" user=ana "))
        #expect(info.contains(redis.unixSocket))
        try await link.close()
        await redis.stop()
    }

    @Test func aRefusedNameIsNoObstacle() async throws {
        let redis = try await RedisProcess.start(["--requirepass", "right"])
        var configuration = RedisConfiguration(endpoint: .tcp(host: "localhost", port: redis.port))
        configuration.password = "right"
        configuration.clientName = "two words"
        let link = try await TestLink.open(configuration)
        #expect(try await link.client.call("CLIENT", "GETNAME") != .bytes(Array("two words".utf8)))
        try await link.close()
        await redis.stop()
    }

    @Test func aWrongPasswordIsNamedAndMadeGood() async throws {
        let redis = try await RedisProcess.start(["--requirepass", "right"])
        var configuration = RedisConfiguration.test(redis)
        configuration.password = "wrong"
        let wrong = try await TestLink.open(configuration, waiting: false)
        try await wait(until: "the password is refused", within: .seconds(30)) {
            try await wrong.run { $0.connection.lastFailure?.serverCode == "WRONGPASS" }
        }
        let error = await #expect(throws: RedisError.self) { try await wrong.client.call("PING") }
        #expect(error?.code == .unavailable)
        #expect(error?.detail.hasPrefix("AUTH was refused: WRONGPASS ") == true)
        #expect(error?.description.contains("wrong") == false)

        configuration.password = "right"
        let right = try await TestLink.open(configuration)
        #expect(try await right.client.call("CONFIG", "SET", "requirepass", "wrong") == .status("OK"))
        try await wrong.waitUntilReady()
        try await wrong.close()
        try await right.close()
        await redis.stop()
    }

    @Test func noPasswordAndNoSuchDatabaseAreNamed() async throws {
        let redis = try await RedisProcess.start(["--requirepass", "right"])
        var configuration = RedisConfiguration.test(redis)
        let anonymous = try await TestLink.open(configuration, waiting: false)
        try await wait(until: "a password is asked for", within: .seconds(30)) {
            try await anonymous.run { $0.connection.lastFailure?.serverCode == "NOAUTH" }
        }
        configuration.password = "right"
        configuration.database = 16
        let lost = try await TestLink.open(configuration, waiting: false)
        try await wait(until: "the database is refused", within: .seconds(30)) {
            try await lost.run { $0.connection.lastFailure?.description.hasPrefix("SELECT was refused: ERR") == true }
        }
        #expect(try await lost.run { $0.connection.connectionCount } == 0)
        try await anonymous.close()
        try await lost.close()
        await redis.stop()
    }

    @Test func aKilledConnectionFailsWhatIsOutstandingAndComesBack() async throws {
        let redis = try await RedisProcess.start()
        let link = try await TestLink.open(.test(redis))
        let other = try await TestLink.open(.test(redis))
        let id = try #require(try await link.client.call("CLIENT", "ID").integer)
        try await link.run { parts in
            parts.connection.send("BLPOP", arguments: 2, to: parts.recorder, tag: 1) {
                $0.bulk("nothing" as String)
                $0.integer(0)
            }
            parts.connection.send("PING", arguments: 0, to: parts.recorder, tag: 2)
        }
        try await wait(until: "the command blocks", within: .seconds(30)) {
            try await other.client.call("CLIENT", "LIST", "ID", .integer(id)).string?.contains("cmd=blpop") == true
        }
        _ = try await other.client.call("CLIENT", "KILL", "ID", .integer(id))
        #expect(
            try await link.waitForEvents(2) == [.failure(.connectionLost, tag: 1), .failure(.connectionLost, tag: 2)]
        )
        try await link.waitUntilReady(connectionCount: 2)
        #expect(try await link.run { $0.observer.connectedCount } == 2)
        #expect(try await link.run { $0.observer.disconnections.map(\.code) } == [.connectionLost])
        #expect(try await link.client.call("PING") == .status("PONG"))
        try await link.close()
        try await other.close()
        await redis.stop()
    }

    @Test func aStalledServerTimesOut() async throws {
        let redis = try await RedisProcess.start()
        var configuration = RedisConfiguration.test(redis)
        configuration.commandTimeout = .milliseconds(300)
        configuration.connectTimeout = .milliseconds(300)
        let link = try await TestLink.open(configuration)
        redis.pause()
        let clock = ContinuousClock()
        let started = clock.now
        await #expect(throws: RedisError(.timeout)) { try await link.client.call("PING") }
        #expect(clock.now - started >= .milliseconds(300))
        await #expect(throws: RedisError(.unavailable)) { try await link.client.call("PING") }
        redis.resume()
        try await link.waitUntilReady(connectionCount: 2)
        try await wait(until: "an answer", within: .seconds(30)) {
            (try? await link.client.call("PING")) == .status("PONG")
        }
        try await link.close()
        await redis.stop()
    }

    /// A loop that was held up finds both the reply and the timer due; the reply must win.
    @Test(arguments: [1, 2, 3])
    func aHeldUpLoopDoesNotBlameRedis(times: Int) async throws {
        let redis = try await RedisProcess.start()
        var configuration = RedisConfiguration.test(redis)
        configuration.commandTimeout = .milliseconds(200)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let link = try await TestLink.open(configuration, on: group.next())
        try await link.run { parts in
            parts.connection.send("PING", arguments: 0, to: parts.recorder, tag: 1)
            // The next tick, after the write; each one again before the loop looks at its sockets.
            Self.holdUp(parts.connection.eventLoop, times: times)
        }
        let events = try await link.waitForEvents(1)
        let errors = try await link.run { $0.recorder.errors }
        #expect(events == [.reply(.status("PONG"), tag: 1)], "\(errors)")
        try await link.close()
        try await group.shutdownGracefully()
        await redis.stop()
    }

    private static func holdUp(_ eventLoop: any EventLoop, times: Int) {
        guard times > 0 else { return }
        eventLoop.execute {
            let end = NIODeadline.now() + .milliseconds(500)
            while NIODeadline.now() < end {}
            holdUp(eventLoop, times: times - 1)
        }
    }

    @Test func serviceResumesAfterARestart() async throws {
        let redis = try await RedisProcess.start()
        let link = try await TestLink.open(.test(redis))
        redis.kill()
        #expect(redis.pid == 0)
        try await wait(until: "the loss is noticed", within: .seconds(30)) {
            try await !link.run { $0.connection.isReady }
        }
        await #expect(throws: RedisError(.unavailable)) { try await link.client.call("PING") }
        try await redis.restart()
        try await link.waitUntilReady(connectionCount: 2)
        #expect(try await link.client.call("PING") == .status("PONG"))
        try await link.close()
        await redis.stop()
    }

    @Test(arguments: [9, 10, 11])
    func atMostSoManyRepliesAreAwaited(commands: Int) async throws {
        let redis = try await RedisProcess.start()
        var configuration = RedisConfiguration.test(redis)
        configuration.maximumPendingReplies = 10
        let link = try await TestLink.open(configuration)
        try await link.run { parts in
            for tag in 0..<commands { parts.connection.send("PING", arguments: 0, to: parts.recorder, tag: tag) }
        }
        let events = try await link.waitForEvents(commands)
        let refused: [Recorder.Event] = commands > 10 ? [.failure(.overloaded, tag: 10)] : []
        #expect(events == refused + (0..<min(10, commands)).map { .reply(.status("PONG"), tag: $0) })
        #expect(try await link.client.call("PING") == .status("PONG"))
        try await link.close()
        await redis.stop()
    }

    @Test(arguments: [99, 100, 101])
    func atMostSoManyBytesAreHeldBack(bytes: Int) async throws {
        let redis = try await RedisProcess.start()
        var configuration = RedisConfiguration.test(redis)
        configuration.maximumOutgoingBytes = 100
        let link = try await TestLink.open(configuration)
        // 14 bytes of PING, 21 around the text, which has two digits of length.
        let text = String(repeating: "x", count: bytes - 14 - 21)
        try await link.run { parts in
            parts.connection.send("PING", arguments: 0, to: parts.recorder, tag: 1)
            parts.connection.send("ECHO", arguments: 1, to: parts.recorder, tag: 2) { $0.bulk(text) }
        }
        let events = try await link.waitForEvents(2)
        let pong = Recorder.Event.reply(.status("PONG"), tag: 1)
        #expect(
            events
                == (bytes > 100
                    ? [.failure(.overloaded, tag: 2), pong] : [pong, .reply(.bytes(Array(text.utf8)), tag: 2)])
        )
        try await link.close()
        await redis.stop()
    }

    @Test func closingAwaitsWhatWasSent() async throws {
        let redis = try await RedisProcess.start()
        let link = try await TestLink.open(.test(redis))
        let done = try await link.run { parts in
            parts.connection.send("BLPOP", arguments: 2, to: parts.recorder, tag: 1) {
                $0.bulk("nothing" as String)
                $0.bulk("0.1" as StaticString)
            }
            let done = parts.connection.close()
            parts.connection.send("PING", arguments: 0, to: parts.recorder, tag: 2)
            return done
        }
        try await done.get()
        #expect(try await link.events() == [.failure(.unavailable, tag: 2), .reply(.null, tag: 1)])
        #expect(try await link.run { $0.observer.disconnections } == [])
        try await link.close()
        await redis.stop()
    }

    @Test func closingDoesNotWaitForEver() async throws {
        let redis = try await RedisProcess.start()
        var configuration = RedisConfiguration.test(redis)
        configuration.commandTimeout = .milliseconds(200)
        let link = try await TestLink.open(configuration)
        redis.pause()
        try await link.run { parts in
            parts.connection.send("PING", arguments: 0, to: parts.recorder, tag: 1)
            _ = parts.connection.close()
        }
        #expect(try await link.waitForEvents(1) == [.failure(.timeout, tag: 1)])
        try await link.close()
        #expect(try await link.run { $0.connection.connectionCount } == 1)
        await redis.stop()
    }

    @Test func closingAtOnceFailsWhatIsOutstanding() async throws {
        let redis = try await RedisProcess.start()
        let link = try await TestLink.open(.test(redis))
        try await link.run { parts in
            parts.connection.send("BLPOP", arguments: 2, to: parts.recorder, tag: 1) {
                $0.bulk("nothing" as String)
                $0.integer(0)
            }
        }
        try await link.run { parts in
            parts.connection.send("PING", arguments: 0, to: parts.recorder, tag: 2)
            _ = parts.connection.close(immediately: true)
        }
        #expect(try await link.waitForEvents(2) == [.failure(.connectionLost, tag: 1), .failure(.unavailable, tag: 2)])
        await redis.stop()
    }
}
