import CarillonTestSupport
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import CarillonRedis

/// A cluster's client on real nodes.
@Suite(.serialized) struct RedisClusterTests {
    /// What lives on the event loop.
    final class Parts {
        let cluster: RedisCluster
        let observer = ObserverLog()

        init(_ seeds: [Int], _ eventLoop: any EventLoop) {
            cluster = RedisCluster(
                eventLoop: eventLoop,
                configuration: .test(port: 1),
                seeds: seeds.map { .tcp(host: "127.0.0.1", port: $0) },
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
                observer: observer
            )
            cluster.start()
        }
    }

    struct Link: Sendable {
        let eventLoop: any EventLoop
        let parts: NIOLoopBound<Parts>
        let client: RedisClient

        static func open(_ seeds: [Int]) async throws -> Link {
            let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
            let link = try await eventLoop.submit {
                let parts = Parts(seeds, eventLoop)
                return Link(
                    eventLoop: eventLoop,
                    parts: NIOLoopBound(parts, eventLoop: eventLoop),
                    client: RedisClient(parts.cluster)
                )
            }.get()
            try await link.becomesWhole()
            return link
        }

        func run<Value: Sendable>(_ body: @escaping @Sendable (Parts) -> Value) async throws -> Value {
            try await eventLoop.submit { body(parts.value) }.get()
        }

        func becomesWhole(_ connections: Int = 1) async throws {
            try await wait(until: "the cluster can be used", within: .seconds(30)) {
                try await run { $0.cluster.isWhole && $0.observer.connectedCount >= connections }
            }
        }

        func close() async throws {
            try await eventLoop.flatSubmit { parts.value.cluster.close(immediately: true) }.get()
        }
    }

    private func with(
        replicas: Int = 0,
        nodeTimeout: Int = 1_000,
        _ body: (Link, ClusterGroup) async throws -> Void
    ) async throws {
        let group = try await ClusterGroup.start(replicas: replicas, nodeTimeout: nodeTimeout)
        let link = try await Link.open([group.primaries[0].port])
        do { try await body(link, group) } catch {
            await group.stop()
            throw error
        }
        try await link.close()
        await group.stop()
    }

    private func key(_ number: Int) -> RedisKey { RedisKey("key:", "\(number)") }

    @Test func everyKeyGoesToItsNode() async throws {
        try await with { link, group in
            let sets = (0..<300).map { RedisCommand("SET", .key(key($0)), .text("\($0)")) }
            #expect(try await link.client.pipeline(sets).allSatisfy { $0 == .status("OK") })
            let values = try await link.client.pipeline((0..<300).map { RedisCommand("GET", .key(key($0))) })
            #expect(values.map(\.string) == (0..<300).map { "\($0)" })
            let nodes = await link.client.nodes()
            #expect(nodes.count == 3 && nodes == nodes.sorted())
            var sizes: [Int64] = []
            for node in nodes {
                sizes.append(try await link.client.pipeline([RedisCommand("DBSIZE")], on: node)[0].integer ?? 0)
            }
            #expect(sizes.reduce(0, +) == 300 && sizes.allSatisfy { $0 > 50 })
            // Nothing was sent elsewhere: the map was known.
            for primary in group.primaries {
                let stats = try await WireRedis(port: primary.port)(["INFO", "errorstats"]).string ?? ""
                #expect(!stats.contains("MOVED"))
            }
        }
    }

    /// What nobody told the client by its key, such as a command whose key is plain text, finds its way all the same.
    @Test func aRedirectionIsFollowed() async throws {
        try await with { link, _ in
            for number in 0..<20 {
                let reply = try await link.client.call("SET", .text("text:\(number)"), "x")
                #expect(reply == .status("OK"))
            }
        }
    }

    /// Slots move under load, and every counter counts on without a step left out or made twice, in order.
    @Test func slotsThatMoveLoseNothing() async throws {
        try await with { link, group in
            let number = 7
            let text = "key:\(number)"
            let slot = Int(HashSlot.of(Array(text.utf8)))
            let port = try #require(try await group.port(serving: text))
            let source = try #require(group.primaries.first { $0.port == port })
            let target = try #require(group.primaries.first { $0.port != port })
            let areDone = Atomic(false)
            async let moves: Void = {
                defer { areDone.store(true, ordering: .relaxed) }
                for round in 0..<6 {
                    let (from, to) = round.isMultiple(of: 2) ? (source, target) : (target, source)
                    try await group.move(slot: slot, from: from, to: to)
                }
            }()
            var sent = 0
            while !areDone.load(ordering: .relaxed) {
                let commands = (0..<50).map { RedisCommand("RPUSH", .key(key(number)), .text("\(sent + $0)")) }
                let replies = try await link.client.pipeline(commands)
                #expect(replies.compactMap(\.integer) == (sent + 1...sent + 50).map(Int64.init))
                sent += 50
            }
            try await moves
            let list = try await link.client.call("LRANGE", .key(key(number)), 0, -1).array?.compactMap(\.string) ?? []
            #expect(list == (0..<sent).map(String.init))
        }
    }

    /// Commands of one lane take effect in order although their keys lie on different nodes, and nothing that follows is carried out
    /// where one had no reply.
    @Test func lanesKeepTheOrderOverNodes() async throws {
        final class Steps: RedisReceiver {
            var events: [Int] = []
            var failures: [Int] = []
            func received(_ reply: RedisReply, tag: Int) { events.append(tag) }
            func failed(_ error: RedisError, tag: Int) { failures.append(tag) }
            func lane(of tag: Int) -> Int? { tag / 100 }
        }
        try await with { link, group in
            let steps = NIOLoopBoundBox.makeBoxSendingValue(Steps(), eventLoop: link.eventLoop)
            try await link.run { parts in
                for lane in 0..<3 {
                    for step in 0..<40 {
                        parts.cluster.send("INCR", arguments: 1, to: steps.value, tag: lane * 100 + step) {
                            $0.key(RedisKey("key:", "\(lane * 100 + step)"))
                        }
                    }
                }
            }
            try await wait(until: "all have an answer") { try await link.run { _ in steps.value.events.count == 120 } }
            let events = try await link.run { _ in steps.value.events }
            for lane in 0..<3 { #expect(events.filter { $0 / 100 == lane } == (0..<40).map { lane * 100 + $0 }) }

            // A node dies with a command on its way: later ones of the lane are not carried out, those of others are.
            let dead = group.primaries[2]
            dead.pause()
            let name = try #require(
                try await { () -> String? in
                    for number in 0..<100 where try await group.port(serving: "dead:\(number)") == dead.port {
                        return "\(number)"
                    }
                    return nil
                }()
            )
            let living = try #require(
                try await { () -> String? in
                    for number in 0..<100 where try await group.port(serving: "living:\(number)") != dead.port {
                        return "\(number)"
                    }
                    return nil
                }()
            )
            try await link.run { parts in
                parts.cluster.send("SET", arguments: 2, to: steps.value, tag: 500) { arguments in
                    arguments.key(RedisKey("dead:", name))
                    arguments.bulk("xx" as StaticString)
                }
                parts.cluster.send("SET", arguments: 2, to: steps.value, tag: 501) { arguments in
                    arguments.key(RedisKey("living:", living))
                    arguments.bulk("xx" as StaticString)
                }
            }
            dead.kill()
            try await wait(until: "both have failed", within: .seconds(20)) {
                try await link.run { _ in steps.value.failures == [500, 501] }
            }
            #expect(try await WireRedis(port: group.primaries[0].port)(["CLUSTER", "INFO"]).string != nil)
        }
    }

    @Test func aDeadPrimaryIsReplacedByItsReplica() async throws {
        try await with(replicas: 1) { link, group in
            let ok = try await link.client.pipeline((0..<60).map { RedisCommand("SET", .key(key($0)), "x") })
            #expect(ok == Array(repeating: .status("OK"), count: 60))
            for (primary, replica) in zip(group.primaries, group.replicas) {
                try await primary.isReplicated(to: [replica])
            }
            group.primaries[1].kill()
            try await link.becomesWhole(2)
            let values = try await link.client.pipeline((0..<60).map { RedisCommand("GET", .key(key($0))) })
            #expect(values == Array(repeating: .bytes(Array("x".utf8)), count: 60))
            #expect(try await link.run { $0.observer.disconnections.count } == 1)
        }
    }

    /// A primary that stands still is left as soon as the others have replaced it, long before its replies are overdue.
    @Test func aPrimaryThatStandsStillIsLeft() async throws {
        try await with(replicas: 1) { link, group in
            let ok = try await link.client.pipeline((0..<60).map { RedisCommand("SET", .key(key($0)), "x") })
            #expect(ok == Array(repeating: .status("OK"), count: 60))
            for (primary, replica) in zip(group.primaries, group.replicas) {
                try await primary.isReplicated(to: [replica])
            }
            group.primaries[1].pause()
            // Commands to it are on their way until then, and fail.
            await #expect(throws: RedisError.self) {
                try await link.client.pipeline((0..<60).map { RedisCommand("INCR", .key(RedisKey("count:", "\($0)"))) })
            }
            try await wait(until: "all keys can be used", within: .seconds(20)) {
                let values = try? await link.client.pipeline((0..<60).map { RedisCommand("GET", .key(key($0))) })
                return values?.allSatisfy { $0.string == "x" } == true
            }
            group.primaries[1].resume()
        }
    }

    @Test func aNodeThatComesIsUsed() async throws {
        try await with { link, group in
            let new = try await ClusterGroup.startNode()
            try await group.meet(new)
            try await group.serves(group.primaries + [new])
            let slot = Int(HashSlot.of(Array("key:1".utf8)))
            let port = try #require(try await group.port(serving: "key:1"))
            #expect(try await link.client.call("SET", .key(key(1)), "1") == .status("OK"))
            try await group.move(slot: slot, from: try #require(group.primaries.first { $0.port == port }), to: new)
            #expect(try await link.client.call("INCR", .key(key(1))) == .integer(2))
            try await wait(until: "it is known", within: .seconds(20)) { await link.client.nodes().count == 4 }
            #expect(try await link.run { $0.observer.disconnections.isEmpty })
            await new.stop()
        }
    }

    /// A connection that follows a key goes where its slot goes.
    @Test func aKeyIsFollowed() async throws {
        try await with { link, group in
            let name = "key:3"
            let connection = try await link.run { parts in
                let connection = RedisConnection(
                    eventLoop: parts.cluster.eventLoop,
                    configuration: .test(port: 1),
                    locator: parts.cluster.locator(of: RedisKey("key:", "3")),
                    logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
                )
                connection.start()
                return NIOLoopBound(connection, eventLoop: parts.cluster.eventLoop)
            }
            let client = try await link.run { _ in RedisClient(connection.value) }
            try await wait(until: "it can be used", within: .seconds(20)) {
                (try? await client.call("SET", .text(name), "x")) != nil
            }
            let port = try #require(try await group.port(serving: name))
            let source = try #require(group.primaries.first { $0.port == port })
            let target = try #require(group.primaries.first { $0.port != port })
            try await group.move(slot: Int(HashSlot.of(Array(name.utf8))), from: source, to: target)
            try await wait(until: "it is where the key is", within: .seconds(20)) {
                (try? await client.call("GET", .text(name)))?.string == "x"
            }
            try await link.eventLoop.flatSubmit { connection.value.close(immediately: true) }.get()
        }
    }

    @Test func whatIsSettledIsSeenElsewhere() async throws {
        try await with { link, _ in
            let seen = link.eventLoop.makePromise(of: Int.self)
            try await link.run { parts in
                let recorder = Recorder()
                for number in 0..<50 {
                    parts.cluster.send("INCR", arguments: 1, to: recorder, tag: number) {
                        $0.key(RedisKey("key:", "5"))
                    }
                }
                parts.cluster.settled(RedisKey("key:", "5")) { seen.succeed(recorder.events.count) }
            }
            #expect(try await seen.futureResult.get() == 50)
        }
    }

    @Test func withoutANodeNothingIsSent() async throws {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let parts = try await eventLoop.submit { NIOLoopBound(Parts([1], eventLoop), eventLoop: eventLoop) }.get()
        let client = try await eventLoop.submit { RedisClient(parts.value.cluster) }.get()
        await #expect(throws: RedisError(.unavailable)) { try await client.call("GET", .key(key(1))) }
        await #expect(throws: RedisError(.unavailable)) { try await client.call("PING") }
        #expect(
            try await eventLoop.submit { !parts.value.cluster.isReady && parts.value.cluster.lastFailure != nil }.get()
        )
        try await eventLoop.flatSubmit { parts.value.cluster.close(immediately: true) }.get()
    }
}
