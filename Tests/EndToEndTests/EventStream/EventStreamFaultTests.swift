import CarillonTestSupport
import Testing

/// Event streams when clients, pods or Redis go away.
@Suite("Event streams and faults")
struct EventStreamFaultTests {
    @Test("comments keep a quiet stream alive; who takes nothing for two intervals is let go")
    func heartbeat() async throws {
        try await Pod.with(["PING_INTERVAL": "1s"]) { pod in
            let user = TestUser()
            let reader = try await pod.stream(user)
            try await reader.expect("session.ready")
            let stalled = try await EventReader(
                HTTPConnection(port: pod.server.port, receiveBytes: 4_096),
                "/api/v1/stream?\(user.query)"
            )
            // More than its kernel takes, and less than makes it a slow consumer.
            let filling = String(repeating: "x", count: 200_000)
            for _ in 0..<4 { try await pod.notify(user, message: filling) }
            for _ in 0..<4 { try await reader.expect("notification.push") }
            try await wait(until: "the one that takes nothing is gone", within: .seconds(20)) {
                try await pod.metric("carillon_event_streams") == 1
            }
            #expect(try await pod.metric("carillon_slow_consumer_closes_total") == 0)
            stalled.drop()
            try await pod.notify(user, message: "still here")
            try await reader.expect("notification.push")
            #expect(reader.comments >= 1)
        }
    }

    @Test("a slow reader is cut off, and slows nobody else")
    func slowReader() async throws {
        try await Pod.with(["OUTBOX_BYTES": "65536"]) { pod in
            let user = TestUser()
            let slow = try await EventReader(
                HTTPConnection(port: pod.server.port, receiveBytes: 32_768),
                "/api/v1/stream?\(user.query)"
            )
            try await slow.expect("session.ready")
            let fast = try await pod.stream(user)
            try await fast.expect("session.ready")
            let filling = String(repeating: "x", count: 32_768)
            var posts = 0
            while try await pod.metric("carillon_slow_consumer_closes_total") == 0 {
                try await pod.notify(user, message: "\(posts) \(filling)")
                #expect(try await fast.expect("notification.push")["message"]?.string?.hasPrefix("\(posts) ") == true)
                posts += 1
                try #require(posts < 2_000, "the slow reader is kept")
            }
            // What it was given before comes in order, and it goes on behind that.
            var seen = 0
            do {
                while true {
                    #expect(
                        try await slow.expect("notification.push")["message"]?.string?.hasPrefix("\(seen) ") == true
                    )
                    seen += 1
                }
            } catch WireError.closed {}
            #expect(seen < posts)
            let back = try await pod.stream(user, lastEventID: slow.lastEventID).replay()
            #expect(back.texts.map { Int($0.prefix { $0 != " " }) } == (seen..<posts).suffix(back.count).map { $0 })
        }
    }

    @Test("a replay waits for its reader")
    func lateReader() async throws {
        try await Pod.with(["OUTBOX_BYTES": "65536"]) { pod in
            let user = TestUser()
            let filling = String(repeating: "x", count: 99_999)
            for number in 0..<100 { try await pod.notify(user, message: "\(number) \(filling)") }
            let late = try await EventReader(
                HTTPConnection(port: pod.server.port, receiveBytes: 32_768),
                "/api/v1/stream?\(user.query)"
            )
            #expect(try await late.replay().count == 100)
        }
    }

    @Test("a stopping pod says when to come back and ends the stream, also to those who come now")
    func drain() async throws {
        try await Pod.with(["DRAIN_SECONDS": "2"]) { pod in
            var readers: [EventReader] = []
            for _ in 0..<4 {
                readers.append(try await pod.stream(TestUser()))
                try await readers.last?.expect("session.ready")
            }
            let connection = try pod.http()
            async let status = pod.server.terminate(within: .seconds(15))
            try await readers[0].end()
            let late = try await EventReader(connection, "/api/v1/stream?\(TestUser().query)")
            // Browsers give up for good after any other status.
            #expect(late.status == 200)
            try await late.end()
            for reader in readers[1...] { try await reader.end() }
            for reader in readers + [late] { #expect((100...1_000).contains(reader.retry ?? 0)) }
            #expect(try await status == 0)
        }
    }

    @Test("Redis away and back: the stream stays, and what was missed comes")
    func redisAway() async throws {
        try await Pod.with(redis: ["--appendonly", "yes", "--appendfsync", "always"]) { pod in
            let user = TestUser()
            let reader = try await pod.stream(user)
            try await reader.expect("session.ready")
            pod.redisProcess.kill()
            try await wait(until: "the pod notices") { try await pod.get("/health").status == 503 }
            let waiting = try await pod.stream(user)
            try await pod.redisProcess.restart()
            _ = try await pod.storeByHand(user, message: "meanwhile")
            try await wait(until: "service", within: .seconds(10)) {
                try await pod.post(notifyBody([user], "after")).status == 202
            }
            for reader in [reader, waiting] {
                var texts: [String] = []
                while texts.last != "after" {
                    let event = try await reader.next()
                    if event.type == "notification.push" { texts.append(event.data["message"]?.string ?? "") }
                }
                #expect(texts == ["meanwhile", "after"])
            }
        }
    }

    @Test("a wiped Redis ends the session, and the browser comes back without an id")
    func wipe() async throws {
        try await Pod.with(redis: ["--save", "", "--appendonly", "no"]) { pod in
            let user = TestUser()
            let reader = try await pod.stream(user)
            try await reader.expect("session.ready")
            try await pod.notify(user, message: "old world")
            try await reader.expect("notification.push")
            #expect(!reader.lastEventID.isEmpty)
            pod.redisProcess.kill()
            try await wait(until: "the pod notices") { try await pod.get("/health").status == 503 }
            try await pod.redisProcess.restart()
            let event = try await reader.next(within: .seconds(15))
            #expect(event.type == "session.end")
            #expect(event.id == "")
            #expect(event.data["code"] == .number("1012"))
            try await reader.end()
            #expect(reader.lastEventID.isEmpty)
            try await wait(until: "service", within: .seconds(10)) {
                try await pod.post(notifyBody([user], "new world")).status == 202
            }
            #expect(try await pod.stream(user, lastEventID: "").replay().texts == ["new world"])
        }
    }

    /// A browser that is cut off again and again, at any moment, and comes back to either pod.
    @Test("through many reconnects nothing is missed, and nothing comes twice", arguments: [1, 2])
    func reconnects(podCount: Int) async throws {
        try await Pod.with(["STREAM_MAXLEN": "1000"]) { first in
            let second = podCount == 2 ? try await first.another(["STREAM_MAXLEN": "1000"]) : first
            defer { if podCount == 2 { second.server.kill() } }
            let user = TestUser()
            let posts = 200
            let poster = Task {
                let connections = [try first.http(), try second.http()]
                for number in 0..<posts {
                    let pod = number % 3 == 0 ? first : second
                    try await pod.notify(user, message: "\(number)", on: connections[number % 3 == 0 ? 0 : 1])
                }
            }
            var generator = SeededGenerator(seed: UInt64(podCount))
            var texts: [String] = []
            var lastEventID = ""
            var connections = 0
            while texts.last != "\(posts - 1)" {
                let pod = Bool.random(using: &generator) ? first : second
                let reader = try await pod.stream(user, lastEventID: lastEventID)
                connections += 1
                for _ in 0..<Int.random(in: 0..<12, using: &generator) where texts.last != "\(posts - 1)" {
                    let event = try await reader.next()
                    if event.type == "notification.push" { texts.append(event.data["message"]?.string ?? "") }
                }
                lastEventID = reader.lastEventID
                reader.drop()
            }
            try await poster.value
            #expect(texts == (0..<posts).map(String.init), "\(connections) connections")
        }
    }

    @Test("two pods: a post on one is heard on the other, and its list names the stream")
    func twoPods() async throws {
        try await Pod.with { first in
            let second = try await first.another()
            defer { second.server.kill() }
            let user = TestUser()
            let reader = try await second.stream(user)
            let ready = try await reader.expect("session.ready")
            try await first.notify(user, message: "across")
            #expect(try await reader.expect("notification.push")["message"] == .string("across"))
            try await wait(until: "the other pod lists it") {
                let rows = try await first.get("/api/v1/admin/clients").json["clients"]?.array ?? []
                return rows.map { [$0["transport"], $0["connection_id"]] } == [
                    [.string("sse"), ready["connection_id"]]
                ]
            }
            reader.drop()
            try await wait(until: "it is off the list") {
                try await first.get("/api/v1/admin/clients").json["total"] == .number("0")
            }
        }
    }

    /// It notices that a client has gone when it has something to pass on.
    @Test("HAProxy passes events on as they come")
    func proxy() async throws {
        try await Pod.with(["PING_INTERVAL": "1s"]) { pod in
            try await Proxy.with([pod]) { proxy in
                let user = TestUser()
                let reader = try await EventReader(proxy.http(), "/api/v1/stream?\(user.query)")
                try await reader.expect("session.ready")
                for number in 0..<3 {
                    try await pod.notify(user, message: "\(number)")
                    #expect(try await reader.expect("notification.push")["message"] == .string("\(number)"))
                }
                reader.drop()
                try await wait(until: "the client's end is passed on") {
                    try await pod.metric("carillon_event_streams") == 0
                }
            }
        }
    }
}
