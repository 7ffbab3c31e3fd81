import CarillonTestSupport
import Testing

/// Two pods behind HAProxy as scripts/haproxy.cfg sets it up.
@Suite("Behind HAProxy", .serialized)
struct ProxyTests {
    private static let settings = ["STREAM_MAXLEN": "100000"]

    private func withProxy(_ body: (Proxy, Pod, Pod) async throws -> Void) async throws {
        try await Pod.with(Self.settings) { first in
            let second = try await first.another(Self.settings)
            defer { second.server.kill() }
            // Each knows the other when it no longer believes that it is alone.
            for (from, to) in [(first, second), (second, first)] {
                let user = TestUser()
                let device = try await to.device(user)
                try await from.notify(user)
                _ = try await device.push(within: .seconds(10))
            }
            try await Proxy.with([first, second]) { try await body($0, first, second) }
        }
    }

    @Test("requests and WebSockets go to both pods")
    func balances() async throws {
        try await withProxy { proxy, first, second in
            let user = TestUser()
            var devices: [Device] = []
            for _ in 0..<4 { devices.append(try await proxy.device(user)) }
            let pods = devices.map { $0.ready["pod_id"]?.string ?? "" }
            for pod in [first, second] { #expect(pods.count { $0 == pod.server.podID } == 2) }
            let http = try proxy.http()
            let messages = (0..<20).map(String.init)
            for message in messages { #expect(try await proxy.post(user, message, on: http) == 202) }
            for device in devices {
                var pushes: [WireJSON] = []
                for _ in messages { pushes.append(try await device.push()) }
                #expect(pushes.texts == messages)
                #expect(try await device.messages().isEmpty)
            }
            for pod in [first, second] {
                #expect(try await pod.metric("notifications_sent_total") > 5)
            }
        }
    }

    @Test("a pod that dies: senders see nothing of it once it is noticed, and devices that come back get everything")
    func killed() async throws {
        try await withProxy { proxy, first, second in
            let user = TestUser()
            var devices: [Traveller] = []
            for _ in 0..<4 { devices.append(Traveller(user, try await proxy.device(user))) }
            let kept = try (0..<4).map { _ in try proxy.http() }
            for (index, http) in kept.enumerated() {
                #expect(try await proxy.post(user, "before \(index)", on: http) == 202)
            }
            for device in devices { try await device.receive(upTo: 4) }
            second.server.kill()
            try await proxy.noticed(podGone: 2)
            for number in 0..<40 {
                let http = number % 5 == 4 ? nil : kept[number % 5]
                #expect(try await proxy.post(user, "\(number)", on: http) == 202)
            }
            for device in devices where device.podID == second.server.podID {
                device.move(to: try await proxy.device(user, device.query))
                #expect(device.podID == first.server.podID)
            }
            let expected = (0..<4).map { "before \($0)" } + (0..<40).map(String.init)
            for device in devices {
                try await device.receive(upTo: 44)
                #expect(device.messages == expected)
                #expect(try await device.hasAll())
            }
        }
    }

    @Test(
        "a pod that stops: every post is answered with 202, and devices come back without loss, from the first moment on"
    )
    func stops() async throws {
        try await withProxy { proxy, first, second in
            let user = TestUser()
            var devices: [Traveller] = []
            for _ in 0..<4 { devices.append(Traveller(user, try await proxy.device(user))) }
            let isOver = Flag()
            let posts = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        let http = try proxy.http()
                        var count = 0
                        while !isOver.isRaised {
                            let status = try await proxy.post(user, "hello", on: http)
                            try #require(status == 202)
                            count += 1
                        }
                        return count
                    }
                }
                second.server.process.signal(15)
                // HAProxy has not noticed yet; it learns from the refusals.
                for _ in 0..<4 { _ = try await proxy.device(TestUser()) }
                for device in devices where device.podID == second.server.podID {
                    #expect(try await device.receiveUntilClosed() == 1001)
                    device.move(to: try await proxy.device(user, device.query))
                    #expect(device.podID == first.server.podID)
                }
                #expect(try await second.server.process.exit() == 0)
                isOver.raise()
                return try await group.reduce(0, +)
            }
            #expect(posts > 100)
            for device in devices {
                try await device.receive(upTo: posts)
                #expect(try await device.hasAll())
            }
            #expect(try await first.redis("XLEN", user.stream) == .integer(posts))
        }
    }
}
