import CarillonTestSupport

/// A device that comes back with `since`, to the same pod or another one, and remembers all that it was shown.
///
/// - Isolation: the task that made it
final class Traveller {
    let user: TestUser
    /// Messages in the order in which they came, over all connections.
    private(set) var messages: [String] = []
    private var device: Device
    private var since: String

    init(_ user: TestUser, _ device: Device) {
        self.user = user
        self.device = device
        since = device.ready["last_stream_id"]?.string ?? ""
        messages = device.replay.texts
    }

    /// The pod that it is connected to.
    var podID: String? { device.ready["pod_id"]?.string }

    /// What a device says in the query when it comes back.
    var query: String { "&since=\(since)&epoch=\(device.epoch)" }

    /// Goes on with another connection, opened with `query`.
    func move(to device: Device) {
        self.device.client.drop()
        self.device = device
        messages += device.replay.texts
        since = device.ready["last_stream_id"]?.string ?? since
    }

    /// Takes pushes until there are so many messages altogether.
    func receive(upTo count: Int) async throws {
        while messages.count < count {
            let push = try await device.push(within: .seconds(10))
            messages.append(push["message"]?.string ?? "")
            since = push["stream_id"]?.string ?? since
        }
    }

    /// Takes pushes until the server closes. - Returns: the code.
    func receiveUntilClosed() async throws -> Int? {
        while true {
            do {
                try await receive(upTo: messages.count + 1)
            } catch WireError.closedWith(let code, _) {
                return code
            }
        }
    }

    /// Whether nothing more was pushed so far.
    func hasAll() async throws -> Bool { try await device.messages().isEmpty }
}

@available(*, unavailable)
extension Traveller: Sendable {}
