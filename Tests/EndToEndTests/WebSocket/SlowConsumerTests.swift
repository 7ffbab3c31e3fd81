import CarillonTestSupport
import Testing

/// A device that does not take what it is sent is let go; it slows nobody else.
@Suite("Slow consumers")
struct SlowConsumerTests {
    @Test("closed with 1013 while the user's other device and other users get each push before the next post")
    func slowDevice() async throws {
        try await Pod.with(["OUTBOX_BYTES": "65536"]) { pod in
            let other = TestUser()
            let stranger = try await pod.device(other)
            // The kernel keeps an unknown amount for a slow device, and one that is closed has two seconds to take it.
            var posts = 10
            while try await !isClosed(after: posts, pod, other, stranger) {
                posts += posts / 2
                try #require(posts < 2_000, "the slow device is kept")
            }
            try await wait(until: "it is counted") {
                try await pod.metric("carillon_slow_consumer_closes_total") == 1
            }
        }
    }

    /// Of what lies between, the kernel has taken a part, and the rest waits in the pod: whole frames and pieces of one.
    @Test("who reads late but may have it all gets it in order")
    func lateReader() async throws {
        try await Pod.with(["OUTBOX_BYTES": "67108864"]) { pod in
            let user = TestUser()
            let narrow = try HTTPConnection(port: pod.server.port, receiveBytes: 32_768)
            let device = try await WireClient.connect(port: pod.server.port, "/ws?\(user.query)", on: narrow)
            try await device.expect("session.ready")
            let filling = String(repeating: "x", count: 99_999)
            for number in 0..<100 { try await pod.notify(user, message: "\(number) \(filling)") }
            for number in 0..<100 {
                let push = try await device.expect("notification.push")
                #expect(push["message"] == .string("\(number) \(filling)"))
            }
            try await pod.notify(user, message: "at once")
            #expect(try await device.expect("notification.push")["message"] == .string("at once"))
        }
    }

    /// Has a device take nothing during so many posts. - Returns: false where it then finds all of them.
    private func isClosed(after posts: Int, _ pod: Pod, _ other: TestUser, _ stranger: Device) async throws -> Bool {
        let user = TestUser()
        let fast = try await pod.device(user)
        let narrow = try HTTPConnection(port: pod.server.port, receiveBytes: 32_768)
        let slow = try await WireClient.connect(port: pod.server.port, "/ws?\(user.query)", on: narrow)
        try await slow.expect("session.ready")
        let filling = String(repeating: "x", count: 32_768)
        for number in 0..<posts {
            try await pod.notify(user, message: "\(number) \(filling)")
            #expect(try await fast.push()["message"]?.string?.hasPrefix("\(number) ") == true)
            try await pod.notify(other, message: "\(number)")
            #expect(try await stranger.push()["message"] == .string("\(number)"))
        }
        do {
            for number in 0..<posts {
                let push = try await slow.expect("notification.push")
                #expect(push["message"]?.string?.hasPrefix("\(number) ") == true)
            }
            return false
        } catch WireError.closedWith(let code, _) {
            #expect(code == 1013)
            try await pod.notify(user, message: "after")
            #expect(try await fast.push()["message"] == .string("after"))
            #expect(try await pod.device(user).replay.texts.last == "after")
            return true
        }
    }
}
