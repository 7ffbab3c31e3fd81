import CarillonDomain
import CarillonMetrics
import CarillonRedis
import CarillonTestSupport
import NIOCore
import Testing

@testable import CarillonStore

@Suite struct BusTests {
    private let alice = User.test(1, "alice").key

    private func entry(_ name: String) -> EntryReference {
        EntryReference(streamID: StreamID("7-1")!, notificationID: NotificationID(name))
    }

    /// A sender of pod `b`.
    private func sender(_ link: StoreLink) async throws -> (link: StoreLink, sender: NIOLoopBound<BusSender>) {
        let other = try await StoreLink.open(link.process) {
            $0.podID = "b"
            $0.runID = "run-b"
        }
        let sender = try await other.run { parts in
            NIOLoopBound(BusSender(store: parts.store, eventLoop: other.eventLoop), eventLoop: other.eventLoop)
        }
        return (other, sender)
    }

    /// Waits for the replies to what was sent to these pods: they come before those to what is asked of the same keys later.
    private func areAnswered(_ link: StoreLink, _ pods: [String]) async throws {
        for pod in pods { _ = try await link.client.call("EXISTS", .key(RedisKey("notif:bus:", pod))) }
    }

    @Test func whatIsSaidIsHeardInOrder() async throws {
        try await StoreLink.with { link in
            try await BusEar.with(link) { ear in
                let (other, sender) = try await sender(link)
                try await other.run { _ in
                    let payload = ByteBuffer(string: "{\"a\": 1}")
                    sender.value.send(
                        .pushed(
                            alice,
                            id: .zero,
                            predecessor: nil,
                            notificationID: NotificationID("n"),
                            payload: payload
                        ),
                        to: ["a", "nobody"]
                    )
                    sender.value.send(.read(alice, entry("r")), to: ["a"])
                    sender.value.send(.autoCleared(alice, entry("c")), to: ["a"])
                }
                try await ear.hears("push 1-alice 0-0 ? n {\"a\": 1}", "read 1-alice 7-1 r", "cleared 1-alice c")
                try await other.run { _ in sender.value.send(.read(alice, entry("s")), to: ["a"]) }
                try await wait(until: "Redis has done it", within: .seconds(30)) {
                    try await ear.words().last == "read 1-alice 7-1 s"
                }
                // One entry for each tick; a bus that is not there is not made.
                #expect(try await link.redis("XLEN", "notif:bus:a") == .integer(3))
                #expect(try await link.redis("EXISTS", "notif:bus:nobody") == .integer(0))
                #expect(link.metrics.busEntriesReceived.value >= 2)
                #expect(link.metrics.busGaps.value == 0)
                try await other.run { _ in sender.value.resync() }
                try await wait(until: "Redis has done it", within: .seconds(30)) {
                    try await ear.words().last == "missed"
                }
                #expect(try await ear.words().suffix(2) == ["there b", "missed"])
                try await other.close()
            }
        }
    }

    private func say(
        _ link: StoreLink,
        _ number: String,
        _ lines: String,
        from sender: String = "x/1",
        version: String = "1"
    ) async throws {
        try await link.redis("XADD", "notif:bus:a", "*", "v", version, "from", sender, "n", number, "d", lines)
    }

    @Test func everyNumberThatIsNotTheNextTellsAGap() async throws {
        try await StoreLink.with { link in
            try await BusEar.with(link) { ear in
                try await say(link, "1", "read 1-alice 7-1 one\n")
                try await say(link, "1", "read 1-alice 7-1 one\n")
                try await say(link, "2", "read 1-alice 7-1 two\n")
                try await say(link, "5", "read 1-alice 7-1 five\n")
                try await say(link, "4", "read 1-alice 7-1 four\n")
                try await say(link, "1", "read 1-alice 7-1 other\n", from: "x/2")
                try await say(link, "3", "read 1-alice 7-1 new\n", from: "y/1")
                try await ear.hears(
                    "read 1-alice 7-1 one",
                    "missed",
                    "read 1-alice 7-1 one",
                    "read 1-alice 7-1 two",
                    "missed",
                    "read 1-alice 7-1 five",
                    "missed",
                    "read 1-alice 7-1 four",
                    "read 1-alice 7-1 other",
                    "missed",
                    "read 1-alice 7-1 new"
                )
                #expect(link.metrics.busGaps.value == 4)
            }
        }
    }

    @Test func whatCannotBeUnderstoodMayHaveBeenImportant() async throws {
        try await StoreLink.with { link in
            try await BusEar.with(link) { ear in
                try await say(link, "1", "hello\n")
                try await say(link, "2", "probe\n", version: "2")
                try await link.redis("XADD", "notif:bus:a", "*", "some", "thing")
                try await say(link, "\(UInt64.max)", "resync\n")
                try await say(link, "0", "read 1-alice 7-1 next\n")
                try await say(link, "1", "read 1-alice 7-1 last\n")
                try await ear.hears(
                    "missed",
                    "missed",
                    "missed",
                    "missed",
                    "there x",
                    "missed",
                    "read 1-alice 7-1 next",
                    "read 1-alice 7-1 last"
                )
            }
        }
    }

    @Test func onlyWhatComesAfterTheHelloIsHeard() async throws {
        try await StoreLink.with { link in
            try await say(link, "1", "read 1-alice 7-1 earlier\n")
            try await BusEar.with(link) { ear in
                try await say(link, "1", "read 1-alice 7-1 later\n")
                try await ear.hears("read 1-alice 7-1 later")
            }
        }
    }

    @Test func whatIsSaidWhileNobodyListensIsHeardLater() async throws {
        try await StoreLink.with { link in
            try await BusEar.with(link) { ear in
                try await say(link, "1", "read 1-alice 7-1 before\n")
                try await ear.hears("read 1-alice 7-1 before")
                try await ear.run { $0.blocking.reconnect(because: "the test wants it") }
                try await say(link, "2", "read 1-alice 7-1 meanwhile\n")
                try await wait(until: "it listens again", within: .seconds(30)) {
                    try await ear.run { parts in
                        parts.reader.probe()
                        return parts.log.words.contains("read 1-alice 7-1 meanwhile")
                    }
                }
                #expect(try await ear.words().contains("missed"))
            }
        }
    }

    @Test(arguments: ["exhausted", "list"])
    func aBusThatTakesNothingIsMadeAnew(how: String) async throws {
        try await StoreLink.with { link in
            try await BusEar.with(link) { ear in
                if how == "exhausted" {
                    try await link.redis("XADD", "notif:bus:a", "\(UInt64.max)-\(UInt64.max)", "x", "y")
                } else {
                    try await link.redis("DEL", "notif:bus:a")
                    try await link.redis("LPUSH", "notif:bus:a", "x")
                }
                try await wait(until: "it says its hello", within: .seconds(30)) {
                    try await ear.run { $0.reader.probe() }
                    let last = try? await link.redis("XREVRANGE", "notif:bus:a", "+", "-", "COUNT", "1").array?.first
                    return last?.array?[1].table["d"] == "probe\n"
                }
                try await say(link, "1", "read 1-alice 7-1 n\n")
                try await wait(until: "it hears", within: .seconds(30)) {
                    try await ear.words().contains("read 1-alice 7-1 n")
                }
            }
        }
    }

    @Test func aDeletedBusIsMadeAnew() async throws {
        try await StoreLink.with { link in
            try await BusEar.with(link) { ear in
                try await link.redis("DEL", "notif:bus:a")
                try await ear.run { $0.reader.probe() }
                try await ear.hears("missed")
                try await wait(until: "Redis has done it", within: .seconds(30)) {
                    try await link.redis("EXISTS", "notif:bus:a") == .integer(1)
                }
                try await say(link, "1", "read 1-alice 7-1 n\n")
                try await ear.hears("missed", "read 1-alice 7-1 n")
                #expect(try await ear.run { $0.reader.isHearing })
            }
        }
    }

    /// It reads from a Redis where nobody speaks, as a connection to a stale replica would.
    @Test func aDeafReaderIsNoticed() async throws {
        let silent = try await RedisProcess.start()
        try await StoreLink.with { link in
            try await BusEar.with(link, on: silent) { ear in
                try await wait(until: "Redis has done it", within: .seconds(30)) {
                    try await ear.run { parts in
                        parts.reader.probe()
                        return !parts.log.words.isEmpty
                    }
                }
                #expect(try await ear.words().first == "missed")
                #expect(link.metrics.busGaps.value >= 1)
                // A connection that once was deaf is not trusted again.
                try await wait(until: "it reads on a new connection", within: .seconds(30)) {
                    try await ear.run { $0.blocking.connectionCount > 1 && $0.blocking.isReady }
                }
            }
        }
        await silent.stop()
    }

    /// Redis refuses the entry while the connection stays: nothing else would ever tell the other pod.
    @Test func anEntryThatWasRefusedIsMadeGood() async throws {
        try await StoreLink.with { link in
            let (other, sender) = try await sender(link)
            try await link.redis("SET", "notif:bus:a", "of another type")
            try await other.run { _ in sender.value.send(.read(alice, entry("r")), to: ["a"]) }
            try await areAnswered(other, ["a"])
            try await link.redis("DEL", "notif:bus:a")
            try await link.redis("XADD", "notif:bus:a", "*", "hello", "a")
            for _ in 0..<3 {
                try await other.run { _ in sender.value.repair() }
                try await areAnswered(other, ["a"])
            }
            let entries = try await link.redis("XRANGE", "notif:bus:a", "-", "+").array ?? []
            #expect(entries.dropFirst().map { $0.array?[1].table["d"] } == ["resync\n"])
            try await other.close()
        }
    }

    @Test func laterVersionsCostALookAtTheUserTheyName() async throws {
        try await StoreLink.with { link in
            try await BusEar.with(link) { ear in
                try await say(link, "1", "tidings 1-alice of any kind\n", version: "99")
                try await say(link, "2", "archived 1-alice 7-1 n\n")
                try await say(link, "1", "restarted\n", from: "a/b/run")
                try await ear.hears("changed 1-alice", "changed 1-alice", "there a/b", "restarted a/b")
            }
        }
    }

    @Test func aSenderForgetsPodsThatAreGone() async throws {
        try await StoreLink.with { link in
            let (other, sender) = try await sender(link)
            try await other.run { _ in sender.value.send(.probe, to: ["a", "b"]) }
            try await wait(until: "Redis has done it", within: .seconds(30)) { other.metrics.busEntriesSent.value == 2 }
            try await areAnswered(other, ["a", "b"])
            try await other.run { _ in sender.value.resync() }
            try await areAnswered(other, ["a", "b"])
            #expect(other.metrics.busEntriesSent.value == 2)
            try await link.redis("XADD", "notif:bus:a", "*", "hello", "a")
            try await other.run { _ in sender.value.send(.probe, to: ["a"]) }
            try await wait(until: "Redis has done it", within: .seconds(30)) {
                try await link.redis("XLEN", "notif:bus:a") == .integer(2)
            }
            let entry = try await link.redis("XREVRANGE", "notif:bus:a", "+", "-", "COUNT", "1").array?[0].array?[1]
            #expect(entry?.table == ["v": "1", "from": "b/run-b", "n": "2", "d": "probe\n"])
            try await other.close()
        }
    }

    @Test func aBusIsCapped() async throws {
        try await StoreLink.with { link in
            try await link.redis("CONFIG", "SET", "stream-node-max-entries", "10")
            let other = try await StoreLink.open(link.process) { $0.busMaxLength = 20 }
            let sender = try await other.run { parts in
                NIOLoopBound(BusSender(store: parts.store, eventLoop: other.eventLoop), eventLoop: other.eventLoop)
            }
            try await link.redis("XADD", "notif:bus:a", "*", "hello", "a")
            for _ in 0..<100 {
                try await other.run { _ in sender.value.send(.probe, to: ["a"]) }
            }
            try await wait(until: "Redis has done it", within: .seconds(30)) {
                other.metrics.busEntriesSent.value == 100
            }
            try await areAnswered(other, ["a"])
            #expect((20...30).contains(try await link.redis("XLEN", "notif:bus:a").integer ?? 0))
            try await other.close()
        }
    }
}
