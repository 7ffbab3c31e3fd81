import CarillonTestSupport
import Testing

/// Three and more pods on one Redis.
@Suite("Many pods", .serialized)
struct ManyPodTests {
    private static let settings = ["STREAM_MAXLEN": "100000", "DRAIN_SECONDS": "0"]

    /// Starts pods together, and returns once the first one knows that it is not alone.
    private func withPods(_ count: Int, _ body: ([Pod]) async throws -> Void) async throws {
        try await Pod.with(Self.settings) { first in
            let others = try await withThrowingTaskGroup(of: Pod.self) { group in
                for _ in 1..<count { group.addTask { try await first.another(Self.settings) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            defer { others.forEach { $0.server.kill() } }
            let user = TestUser()
            let device = try await others[0].device(user)
            try await first.notify(user)
            _ = try await device.push(within: .seconds(10))
            try await body([first] + others)
            for pod in others { pod.server.process.signal(15) }
            for pod in others { #expect(try await pod.server.process.exit() == 0) }
        }
    }

    private func stored(_ user: TestUser, on pod: Pod) async throws -> [String] {
        try await pod.redis("XRANGE", user.stream, "-", "+").array.compactMap { $0.array.first?.string }
    }

    @Test("posts to all of three pods at once reach the devices of all three, each once and in stream order")
    func order() async throws {
        try await withPods(3) { pods in
            let user = TestUser()
            var devices: [Device] = []
            for pod in pods + pods { devices.append(try await pod.device(user)) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for sender in 0..<6 {
                    group.addTask {
                        let pod = pods[sender % 3]
                        let http = try pod.http()
                        for number in 0..<50 { try await pod.notify(user, message: "\(sender)/\(number)", on: http) }
                    }
                }
                try await group.waitForAll()
            }
            let stored = try await stored(user, on: pods[0])
            #expect(stored.count == 300)
            for device in devices {
                var pushes: [WireJSON] = []
                for _ in stored { pushes.append(try await device.push(within: .seconds(10))) }
                #expect(pushes.streamIDs == stored)
                #expect(try await device.messages().isEmpty)
            }
        }
    }

    @Test("a device that moves from pod to pod with since misses nothing and is shown nothing twice")
    func moves() async throws {
        try await withPods(3) { pods in
            let user = TestUser()
            let device = Traveller(user, try await pods[0].device(user))
            let messages = (0..<300).map(String.init)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for (index, message) in messages.enumerated() {
                        try await pods[index % 3].notify(user, message: message)
                    }
                }
                for move in 1...20 {
                    try await device.receive(upTo: min(move * 12, messages.count))
                    device.move(to: try await pods[move % 3].device(user, device.query))
                    #expect(device.podID == pods[move % 3].server.podID)
                }
                try await group.waitForAll()
            }
            try await device.receive(upTo: messages.count)
            #expect(device.messages == messages)
            #expect(try await device.hasAll())
        }
    }

    @Test("a pod that joins under load: its devices get at once what is posted elsewhere")
    func joins() async throws {
        try await withPods(3) { pods in
            let (busy, user) = (TestUser(), TestUser())
            let isOver = Flag()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for pod in pods {
                    group.addTask {
                        let http = try pod.http()
                        while !isOver.isRaised { try await pod.notify(busy, on: http) }
                    }
                }
                let fourth = try await pods[0].another(Self.settings)
                defer { fourth.server.kill() }
                let device = try await fourth.device(user)
                for pod in pods {
                    try await pod.notify(user, message: pod.server.podID)
                    #expect(try await device.push(within: .seconds(1))["message"] == .string(pod.server.podID))
                }
                isOver.raise()
                try await group.waitForAll()
                #expect(try await device.messages().isEmpty)
            }
        }
    }

    @Test("eight pods: a post on any one reaches the devices on all, and a read on one shows on all")
    func eight() async throws {
        try await withPods(8) { pods in
            let user = TestUser()
            var devices: [Device] = []
            for pod in pods { devices.append(try await pod.device(user)) }
            for pod in pods {
                try await pod.notify(user, message: pod.server.podID)
                var pushes: [WireJSON] = []
                for device in devices { pushes.append(try await device.push()) }
                #expect(pushes.texts == pods.map { _ in pod.server.podID })
                try await devices[0].read(pushes[0])
                for device in devices.dropFirst() {
                    let told = try await device.client.expect("notification.read.ack")
                    #expect(told["notification_id"] == pushes[0]["notification_id"])
                }
            }
            for device in devices { #expect(try await device.messages().isEmpty) }
        }
    }
}
