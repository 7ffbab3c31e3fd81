import CarillonChaos
import CarillonTestSupport
import NIOCore
import NIOPosix
import Testing

@Suite struct TCPProxyTests {
    private static let read =
        "*7\r\n$5\r\nXREAD\r\n$5\r\nCOUNT\r\n$1\r\n1\r\n$5\r\nBLOCK\r\n$4\r\n1000\r\n$1\r\nb\r\n$1\r\n0\r\n"

    /// Runs a test between an echoing server and a proxy before it.
    private func withProxy(_ test: (TCPProxy) async throws -> Void) async throws {
        let server = try await EchoServer.start()
        let proxy = try await TCPProxy.start(
            port: BuiltProgram.freePort(),
            target: server.port,
            on: MultiThreadedEventLoopGroup.singleton.next()
        )
        do { try await test(proxy) } catch {
            await proxy.stop()
            await server.stop()
            throw error
        }
        await proxy.stop()
        await server.stop()
    }

    private func soon(_ time: Duration = .seconds(5)) -> ContinuousClock.Instant { .now + time }

    private func send(_ text: String, over stream: WireStream) async throws { try await stream.send(Array(text.utf8)) }

    private func echo(_ text: String, over stream: WireStream) async throws {
        try await send(text, over: stream)
        let answer = try await stream.exactly(text.utf8.count, by: soon(), "the echo of \(text)")
        #expect(String(decoding: answer, as: UTF8.self) == text)
    }

    @Test func passesBytesBothWays() async throws {
        try await withProxy { proxy in
            let stream = try WireStream(port: proxy.port)
            try await echo("hello", over: stream)
            try await echo(String(repeating: "x", count: 300_000), over: stream)
        }
    }

    @Test func theEndOfOneSideEndsTheOther() async throws {
        try await withProxy { proxy in
            let stream = try WireStream(port: proxy.port)
            try await send("last words", over: stream)
            stream.closeWriting()
            _ = try await stream.toEnd(by: soon(), "the end")
        }
    }

    @Test func cutResetsOpenAndNewConnections() async throws {
        try await withProxy { proxy in
            let stream = try WireStream(port: proxy.port)
            try await echo("hello", over: stream)
            await proxy.set(.cut)
            _ = try await stream.toEnd(by: soon(), "the reset")
            let refused = try WireStream(port: proxy.port)
            #expect(try await refused.toEnd(by: soon(), "the reset of a new connection").isEmpty)
            await proxy.set(.pass)
            try await echo("again", over: WireStream(port: proxy.port))
        }
    }

    @Test func killingConnectionsLetsNewOnesThrough() async throws {
        try await withProxy { proxy in
            let stream = try WireStream(port: proxy.port)
            try await echo("hello", over: stream)
            await proxy.killConnections()
            _ = try await stream.toEnd(by: soon(), "the reset")
            try await echo("again", over: WireStream(port: proxy.port))
        }
    }

    @Test func delayCostsLatencyButNotBandwidth() async throws {
        try await withProxy { proxy in
            let stream = try WireStream(port: proxy.port)
            await proxy.set(.delay(.milliseconds(100)))
            let begun = ContinuousClock.now
            let lines = (0..<50).map { "line \($0)\n" }
            for line in lines { try await send(line, over: stream) }
            for line in lines {
                let answer = try await stream.line(by: soon(), line)
                #expect(String(decoding: answer, as: UTF8.self) + "\n" == line)
            }
            let time = ContinuousClock.now - begun
            #expect(time >= .milliseconds(200), "a way and back take 200 ms")
            #expect(time < .seconds(5), "fifty lines under way together do not take fifty times as long")
        }
    }

    @Test func whatWasUnderWayArrivesWhenTheDelayEnds() async throws {
        try await withProxy { proxy in
            let stream = try WireStream(port: proxy.port)
            try await echo("hello", over: stream)
            await proxy.set(.delay(.seconds(60)))
            try await send("one", over: stream)
            await proxy.set(.pass)
            try await send("two", over: stream)
            #expect(try await stream.exactly(6, by: soon(), "both") == Array("onetwo".utf8))
        }
    }

    @Test func aBlackHoleAnswersNothingAndForwardsLate() async throws {
        try await withProxy { proxy in
            let old = try WireStream(port: proxy.port)
            try await echo("hello", over: old)
            await proxy.set(.blackhole(.forwarded))
            let new = try WireStream(port: proxy.port)
            try await send("old", over: old)
            try await send("new", over: new)
            await #expect(throws: WireError.self) {
                _ = try await old.exactly(1, by: soon(.milliseconds(200)), "nothing")
            }
            await proxy.set(.pass)
            #expect(try await old.exactly(3, by: soon(), "late bytes") == Array("old".utf8))
            #expect(try await new.exactly(3, by: soon(), "late bytes") == Array("new".utf8))
        }
    }

    @Test func aBlackHoleThatDropsResetsWhoeverSentSomething() async throws {
        try await withProxy { proxy in
            let talking = try WireStream(port: proxy.port)
            let silent = try WireStream(port: proxy.port)
            try await echo("hello", over: talking)
            try await echo("hello", over: silent)
            await proxy.set(.blackhole(.dropped))
            try await send("lost", over: talking)
            await #expect(throws: WireError.self) {
                _ = try await talking.exactly(1, by: soon(.milliseconds(200)), "nothing")
            }
            await proxy.set(.pass)
            #expect(try await talking.toEnd(by: soon(), "the reset").isEmpty)
            try await echo("still here", over: silent)
        }
    }

    @Test func aDeafLinkAnswersReadsWithNilAndPassesTheRest() async throws {
        try await withProxy { proxy in
            let bus = try WireStream(port: proxy.port)
            let other = try WireStream(port: proxy.port)
            try await echo("PING\r\n", over: bus)
            await proxy.set(.deaf)
            let begun = ContinuousClock.now
            try await send("handshake" + Self.read, over: bus)
            #expect(try await bus.exactly(9, by: soon(), "what came before") == Array("handshake".utf8))
            #expect(try await bus.exactly(5, by: soon(), "nil") == Array("*-1\r\n".utf8))
            #expect(ContinuousClock.now - begun >= .milliseconds(900), "a read waits for a second")
            try await echo("*1\r\n$10\r\nXREADGROUP\r\n", over: other)
            await proxy.set(.pass)
            try await echo(Self.read, over: bus)
        }
    }
}
