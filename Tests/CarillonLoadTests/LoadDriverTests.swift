import CarillonDomain
import CarillonLoad
import CarillonTestSupport
import NIOCore
import Testing

/// Devices and posters against a real pod.
@Suite struct LoadDriverTests {
    @Test func deviceHearsEverything() async throws {
        try await withPod { redis, server in
            let poster = try await TestPoster(port: server.port)
            let device = try await TestDevice(port: server.port, login: "alice")
            let ready = try await device.ready()
            #expect(ready.unreadCount == 0 && ready.lastStreamID == .zero && !ready.epoch.isEmpty)

            let text = "a \"stream_id\":\"1-1\" \\ ü"
            let answer = try await poster.notify("alice", text)
            #expect(answer.status == 202 && !answer.isReplayed)
            let pushed = try await device.first("the push") { event -> (LoadEntry, String)? in
                guard case .push(let id, let streamID, let message, .unread) = event else { return nil }
                return (LoadEntry(id: id, streamID: streamID), message)
            }
            #expect(answer.notificationIDs == [pushed.0.id])
            #expect(pushed.0.streamID > StreamID(milliseconds: 1_000, sequence: 0))
            #expect(pushed.1 == #"a \"stream_id\":\"1-1\" \\ ü"#, "the escapes stay")

            try await device.call { $0.read([pushed.0]) }
            let ack = try await device.first("the ack") { if case .readAck(let entry) = $0 { entry } else { nil } }
            #expect(ack == pushed.0)

            let stranger = LoadEntry(id: LoadUUID(high: 1, low: 2), streamID: pushed.0.streamID)
            try await device.call { $0.read([stranger, pushed.0]) }
            let error = try await device.first("the error") { if case .error(let error) = $0 { error } else { nil } }
            #expect(error.code == "not_found" && error.entry == stranger)

            try await WireRedis(port: redis.port)(["DEL", "notification:\(pushed.0.id)"])
            let second = try await TestDevice(port: server.port, login: "alice")
            let secondReady = try await second.ready()
            #expect(second.entries.isEmpty, "read and expired")
            #expect(secondReady.unreadCount == 0 && secondReady.lastStreamID == pushed.0.streamID)
        }
    }

    @Test func deviceResumes() async throws {
        try await withPod { _, server in
            let poster = try await TestPoster(port: server.port)
            for number in 0..<3 { _ = try await poster.notify("alice", "\(number)") }
            let first = try await TestDevice(port: server.port, login: "alice")
            let ready = try await first.ready()
            #expect(first.messages == ["0", "1", "2"])
            let resume = LoadDevice.Resume(since: first.entries[1].streamID, epoch: ready.epoch)
            let second = try await TestDevice(port: server.port, login: "alice", resume: resume)
            #expect(try await second.ready().unreadCount == 3)
            #expect(second.messages == ["2"])
        }
    }

    @Test func deviceCloses() async throws {
        try await withPod { _, server in
            let device = try await TestDevice(port: server.port, login: "alice")
            _ = try await device.ready()
            try await device.call { $0.close(code: 1000) }
            guard case .closed(1000, "") = try await device.closed() else {
                Issue.record("\(device.events)")
                return
            }
            let dropped = try await TestDevice(port: server.port, login: "alice")
            _ = try await dropped.ready()
            try await dropped.call { $0.drop() }
            guard case .dropped = try await dropped.closed() else {
                Issue.record("\(dropped.events)")
                return
            }
        }
    }

    @Test func deviceIsTold() async throws {
        try await withPod { _, server in
            let device = try await TestDevice(port: server.port, login: "alice")
            _ = try await device.ready()
            server.process.signal(15)
            guard case .closed(1001, let reason) = try await device.closed() else {
                Issue.record("\(device.events)")
                return
            }
            #expect(reason.hasSuffix(" ms"))
            _ = try await server.process.exit()
            let late = try await TestDevice(port: server.port, login: "alice")
            guard case .lost = try await late.closed() else {
                Issue.record("\(late.events)")
                return
            }
        }
    }

    @Test func deviceIsRefused() async throws {
        try await withPod { _, server in
            let device = try await TestDevice(port: server.port, login: "no%20login")
            guard case .refused(400, _) = try await device.closed() else {
                Issue.record("\(device.events)")
                return
            }
            #expect(device.events.count == 1)
        }
    }

    @Test func deviceThatSleepsIsLeftBehindUntilItWakes() async throws {
        try await withPod { _, server in
            let poster = try await TestPoster(port: server.port)
            let awake = try await TestDevice(port: server.port, login: "alice")
            let asleep = try await TestDevice(port: server.port, login: "alice")
            _ = try await (awake.ready(), asleep.ready())
            try await asleep.call { $0.stopReading() }
            for number in 0..<5 { _ = try await poster.notify("alice", "\(number)") }
            try await wait(until: "the other one has all") { awake.messages.count == 5 }
            #expect(asleep.messages.isEmpty)
            try await asleep.call { $0.resumeReading() }
            try await wait(until: "it has all") { asleep.messages.count == 5 }
        }
    }

    @Test func posterRepeatsAndComesBack() async throws {
        try await withPod { redis, server in
            let poster = try await TestPoster(port: server.port)
            let first = try await poster.notify("alice", "once", key: "one")
            let again = try await poster.notify("alice", "once", key: "one")
            #expect(first.status == 202 && again.status == 202 && again.isReplayed)
            #expect(first.notificationIDs == again.notificationIDs)
            #expect(try await poster.notify("alice", "other", key: "one").status == 422)
            #expect(try await poster.notify("no login", "x").status == 422)

            server.kill()
            // The first one may still go out on the old connection.
            try await wait(until: "a post has nobody to go to") {
                if case .failed(_, sent: false) = try await poster.post("{}") { true } else { false }
            }
            let other = try await ServerProcess.start(redisPort: redis.port)
            defer { other.kill() }
            try await poster.call { $0.move(to: other.port) }
            #expect(try await poster.notify("alice", "back").status == 202)

            redis.pause()
            async let outcome = poster.post("{\"target\":[{\"id\":1,\"login\":\"a\"}],\"message\":\"x\"}")
            // The connection stands, so what is under way has left.
            try await wait(until: "the post is under way") { try await !poster.call { $0.isIdle } }
            other.kill()
            guard case .failed(_, sent: true) = try await outcome else {
                Issue.record("an answer of nobody")
                return
            }
            redis.resume()
        }
    }
}
