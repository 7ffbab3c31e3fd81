import CarillonTestSupport
import Testing

/// Somebody else writes where only pods should: what the bus says is a hint, the user's stream is the truth, and a pod mends its
/// own keys. The times are those of the defaults: an upkeep every 20 s finds nothing in time.
@Suite("Foreign entries")
struct ForeignEntryTests {
    private static let highest = "18446744073709551615"

    @Test("a bus that can take no more entries, or is none, is made anew", arguments: ["exhausted", "another type"])
    func unusableBus(how: String) async throws {
        try await TwoPods.with { pods in
            if how == "exhausted" {
                try await pods.redis("XADD", pods.bus, "\(Self.highest)-\(Self.highest)", "x", "y")
            } else {
                try await pods.redis("DEL", pods.bus)
                try await pods.redis("LPUSH", pods.bus, "x")
            }
            try await pods.expectFlow()
            try await wait(until: "the pod hears again", within: .seconds(8)) {
                try await pods.second.get("/ready").status == 200
            }
            try await pods.expectFlow()
            #expect(try await pods.device.messages().isEmpty)
        }
    }

    @Test("a key of another type where the heartbeats should be is replaced")
    func foreignHeartbeats() async throws {
        try await TwoPods.with { pods in
            try await pods.redis("DEL", "notif:pods:hb")
            try await pods.redis("LPUSH", "notif:pods:hb", "x")
            try await wait(until: "both are in the table again", within: .seconds(5)) {
                (try? await pods.redis("HLEN", "notif:pods:hb")) == .integer(2)
            }
            for pod in [pods.first, pods.second] {
                try await wait(until: "the pod is ready", within: .seconds(5)) {
                    try await pod.get("/ready").status == 200
                }
            }
            try await pods.expectFlow()
        }
    }

    @Test(
        "a number that runs ahead in another pod's name costs a reading, and no hint after it",
        arguments: ["1000", highest]
    )
    func runningNumber(number: String) async throws {
        try await TwoPods.with { pods in
            let entries = try await pods.redis("XREVRANGE", pods.bus, "+", "-").array
            let sender = try #require(
                entries.lazy.map { $0.array[1].pairs }.first { $0["n"] != nil }?["from"]?.string
            )
            try await pods.redis("XADD", pods.bus, "*", "v", "1", "from", sender, "n", number, "d", "joined\n")
            for _ in 0..<5 { try await pods.expectFlow() }
            #expect(try await pods.device.messages().isEmpty)
            #expect(try await pods.second.metric("carillon_bus_gaps_total") >= 1)
        }
    }

    @Test(
        "a hint of an entry that was never stored: the next real one has the devices come back, and nothing is missing"
    )
    func futureHint() async throws {
        try await TwoPods.with { pods in
            let last = try await pods.redis("XREVRANGE", pods.user.stream, "+", "-").array[0].array[0].string ?? ""
            let future = "\((EntryID(last)?.milliseconds ?? 0) + 3_600_000)-0"
            let line =
                "push \(pods.user.key) \(future) \(last) \(newUUID()) {\"message\":\"never stored\",\"created_at\":\"2024-01-01T12:00:00Z\",\"source\":\"elsewhere\"}\n"
            try await pods.redis("XADD", pods.bus, "*", "v", "1", "from", "zz/abc", "n", "1", "d", line)
            #expect(try await pods.device.push()["message"] == .string("never stored"))
            try await expectNewHistory(pods)
        }
    }

    @Test("a stream whose ids have gone back: the next entry has the devices come back, and nothing is missing")
    func lowerIDs() async throws {
        try await TwoPods.with { pods in
            let future = "\(UInt64(4_000_000_000_000))-0"
            _ = try await pods.first.storeByHand(pods.user, id: future, message: "of the future")
            let ahead = try await pods.second.device(pods.user)
            #expect(ahead.replay.last?["message"] == .string("of the future"))
            try await pods.redis("DEL", pods.user.stream)
            try await expectNewHistory(pods)
            #expect(try await ahead.client.closing(within: .seconds(5)).code == 1012)
        }
    }

    /// Posts one notification; the device is told to come back, and then has it.
    private func expectNewHistory(_ pods: TwoPods) async throws {
        try await pods.first.notify(pods.user, message: "stored")
        #expect(try await pods.device.client.closing(within: .seconds(5)).code == 1012)
        let back = try await pods.second.device(pods.user, "&since=4000000000000-0&epoch=\(pods.device.epoch)")
        #expect(back.replay.last?["message"] == .string("stored"))
        try await pods.expectFlow(to: back)
        #expect(try await back.messages().isEmpty)
    }
}
