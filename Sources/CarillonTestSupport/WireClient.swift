/// One JSON message of the hub: `{"type":…, "data":…}`.
package struct WireMessage: Sendable, Hashable {
    package let type: String
    package let data: WireJSON
}

/// A raw WebSocket client: it speaks RFC 6455 correctly unless a test tells it to send other bytes.
///
/// - Isolation: the task that made it
package final class WireClient {
    package let http: HTTPConnection
    /// Frames of the message that is being put together.
    private var partial: [UInt8]?

    private var stream: WireStream { http.stream }

    /// The key of RFC 6455 §1.3 and the answer that it demands.
    package static let key = "dGhlIHNhbXBsZSBub25jZQ=="
    package static let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

    package static let handshakeHeaders: [(String, String)] = [
        ("Upgrade", "websocket"), ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", key),
    ]

    private init(http: HTTPConnection) { self.http = http }

    /// Opens a WebSocket, on the given connection or on a new one.
    ///
    /// - Throws: `WireError.unexpected` where the server does not upgrade as it must.
    package static func connect(
        port: Int,
        _ target: String,
        on connection: HTTPConnection? = nil,
        within: Duration = .seconds(10)
    ) async throws -> WireClient {
        let http = try connection ?? HTTPConnection(port: port)
        let answer = try await http.request("GET", target, headers: handshakeHeaders, within: within)
        return try WireClient(upgraded: http, by: answer)
    }

    /// Takes over a connection whose handshake was done by hand.
    package convenience init(upgraded http: HTTPConnection, by answer: WireResponse) throws {
        guard answer.status == 101 else {
            throw WireError.unexpected("\(answer.status) to the handshake: \(answer.text)")
        }
        guard answer["Sec-WebSocket-Accept"] == Self.accept else { throw WireError.unexpected("wrong accept value") }
        guard answer["Upgrade"]?.lowercased() == "websocket" else { throw WireError.unexpected("no Upgrade header") }
        guard answer["Connection"]?.lowercased().contains("upgrade") == true else {
            throw WireError.unexpected("no Connection header")
        }
        self.init(http: http)
    }

    // MARK: Sending

    package func send(_ frame: WireFrame) async throws { try await send(bytes: frame.bytes()) }

    package func send(text: String) async throws { try await send(WireFrame(WireFrame.text, text.utf8)) }

    package func send(bytes: [UInt8]) async throws { try await stream.send(bytes) }

    /// Sends `{"type":…, "data":…}`; `data` is JSON text.
    package func send(_ type: String, _ data: String) async throws {
        try await send(text: "{\"type\":\(WireJSON.quoted(type)),\"data\":\(data)}")
    }

    package func sendClose(_ code: Int? = 1000, _ reason: String = "") async throws {
        let payload = code.map { [UInt8($0 >> 8), UInt8($0 & 0xff)] + Array(reason.utf8) } ?? []
        try await send(WireFrame(WireFrame.close, payload))
    }

    // MARK: Receiving

    /// The next frame of any kind.
    package func frame(within: Duration = .seconds(5)) async throws -> WireFrame {
        let deadline = ContinuousClock.now + within
        let head = try await stream.exactly(2, by: deadline, "a frame")
        guard head[0] & 0x70 == 0 else { throw WireError.unexpected("reserved bits in a server frame") }
        guard head[1] & 0x80 == 0 else { throw WireError.unexpected("a masked server frame") }
        var count = Int(head[1])
        if count >= 126 {
            let size = try await stream.exactly(count == 126 ? 2 : 8, by: deadline, "a frame length")
            count = size.reduce(0) { $0 << 8 | Int($1) }
        }
        let payload = try await stream.exactly(count, by: deadline, "a frame of \(count) bytes")
        return WireFrame(head[0] & 0x0f, payload, isFinal: head[0] & 0x80 != 0)
    }

    /// The next frame that is no ping: the first of those may come at any time.
    package func frameButPing(within: Duration = .seconds(5)) async throws -> WireFrame {
        let deadline = ContinuousClock.now + within
        while true {
            let frame = try await frame(within: deadline - ContinuousClock.now)
            if frame.opcode != WireFrame.ping { return frame }
        }
    }

    /// The next JSON message; pings are answered on the way.
    ///
    /// - Throws: `WireError.closedWith` when the server closes instead.
    package func message(within: Duration = .seconds(5)) async throws -> WireMessage {
        let deadline = ContinuousClock.now + within
        while true {
            let frame = try await frame(within: deadline - ContinuousClock.now)
            switch frame.opcode {
            case WireFrame.ping: try await send(WireFrame(WireFrame.pong, frame.payload))
            case WireFrame.pong: continue
            case WireFrame.close: throw WireError.closedWith(frame.closeCode, frame.closeReason)
            case WireFrame.text, WireFrame.continuation:
                let payload = (partial ?? []) + frame.payload
                partial = frame.isFinal ? nil : payload
                guard frame.isFinal else { continue }
                let document = try WireJSON.parse(payload)
                guard let type = document["type"]?.string else {
                    throw WireError.unexpected("message without a type: \(document)")
                }
                return WireMessage(type: type, data: document["data"] ?? .null)
            default: throw WireError.unexpected("a frame of opcode \(frame.opcode)")
            }
        }
    }

    /// The very next message, which must be of this type. - Returns: its data.
    @discardableResult
    package func expect(_ type: String, within: Duration = .seconds(5)) async throws -> WireJSON {
        let message: WireMessage
        do {
            message = try await self.message(within: within)
        } catch WireError.timedOut {
            throw WireError.timedOut(type)
        }
        guard message.type == type else { throw WireError.unexpected("\(message) instead of \(type)") }
        return message.data
    }

    /// The data of the next message of this type, passing over others.
    @discardableResult
    package func first(_ type: String, within: Duration = .seconds(5)) async throws -> WireJSON {
        let deadline = ContinuousClock.now + within
        while true {
            let message = try await message(within: deadline - ContinuousClock.now)
            if message.type == type { return message.data }
        }
    }

    /// Everything that the server had to say before it answered a question asked now.
    ///
    /// The answer of a `sync.request` closes the collection, so that nothing need be waited for in vain.
    package func messagesUntilNow(within: Duration = .seconds(5)) async throws -> [WireMessage] {
        try await send("sync.request", "{\"limit\":1}")
        var messages: [WireMessage] = []
        while true {
            let message = try await message(within: within)
            if message.type == "sync.response" { return messages }
            messages.append(message)
        }
    }

    /// Waits until the server closes, passing over messages.
    ///
    /// - Returns: the code (nil for a close frame without one) and the reason.
    package func closing(within: Duration = .seconds(5)) async throws -> (code: Int?, reason: String) {
        let deadline = ContinuousClock.now + within
        while true {
            let frame = try await frame(within: deadline - ContinuousClock.now)
            if frame.opcode == WireFrame.close { return (frame.closeCode, frame.closeReason) }
        }
    }

    /// Leaves without a closing handshake.
    package func drop() { stream.close() }
}

@available(*, unavailable)
extension WireClient: Sendable {}
