import CarillonRealtime
import NIOCore
import NIOWebSocket

/// What became of a frame, in a form that compares.
enum WebSocketEvent: Equatable {
    /// A frame of a message that goes on.
    case fragment
    case text([UInt8])
    case ping([UInt8])
    case pong
    case close(UInt16?)
    /// With the code that answers it.
    case violation(UInt16)

    init(_ event: WebSocketDecoder.Event) {
        switch event {
        case .needsMore, .fragment: self = .fragment
        case .message(let message): self = .text(Array(message.readableBytesView))
        case .ping(let payload): self = .ping(Array(payload.readableBytesView))
        case .pong: self = .pong
        case .close(let code): self = .close(code?.rawValue)
        case .violation(let violation): self = .violation(violation.code.rawValue)
        }
    }
}

/// RFC 6455 once more, for frames that NIO has cut, written to be compared with and not to be fast.
struct WebSocketRules {
    let messageLimit: Int
    /// The fragmented message that is under way.
    private var message: [UInt8]?

    init(messageLimit: Int) { self.messageLimit = messageLimit }

    /// - Parameter lengthByte: The second byte of the frame, because NIO does not say in which form the length stood.
    mutating func judge(_ frame: NIOWebSocket.WebSocketFrame, lengthByte: UInt8) -> WebSocketEvent {
        let protocolError = WebSocketEvent.violation(1002)
        if frame.rsv1 || frame.rsv2 || frame.rsv3 || frame.maskKey == nil { return protocolError }
        if lengthByte & 0x7f == 126, frame.length < 126 { return protocolError }
        if lengthByte & 0x7f == 127, frame.length < 65_536 { return protocolError }
        let payload = Array(frame.unmaskedData.readableBytesView)
        switch frame.opcode {
        case .ping: return .ping(payload)
        case .pong: return .pong
        case .connectionClose: return Self.close(payload)
        case .continuation, .text, .binary: return data(frame, payload)
        default: return protocolError
        }
    }

    private mutating func data(_ frame: NIOWebSocket.WebSocketFrame, _ payload: [UInt8]) -> WebSocketEvent {
        if (frame.opcode == .continuation) != (message != nil) { return .violation(1002) }
        if frame.opcode == .binary { return .violation(1003) }
        let whole = (message ?? []) + payload
        if whole.count > messageLimit { return .violation(1009) }
        guard frame.fin else {
            message = whole
            return Self.mayBecomeUTF8(whole) ? .fragment : .violation(1007)
        }
        message = nil
        return String(validating: whole, as: UTF8.self) != nil ? .text(whole) : .violation(1007)
    }

    private static func close(_ payload: [UInt8]) -> WebSocketEvent {
        if payload.isEmpty { return .close(nil) }
        if payload.count == 1 { return .violation(1002) }
        let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
        let isAllowed =
            (1000...1014).contains(code) && ![1004, 1005, 1006].contains(code) || (3000...4999).contains(code)
        guard isAllowed else { return .violation(1002) }
        return String(validating: payload[2...], as: UTF8.self) != nil ? .close(code) : .violation(1007)
    }

    /// Whether some bytes behind these make UTF-8 of them: none, or up to three that end the last character.
    private static func mayBecomeUTF8(_ bytes: [UInt8]) -> Bool {
        // Of each kind of character one byte that may follow its first one, and none twice.
        let next: [[UInt8]] = [[], [0x80], [0x90], [0xa0]]
        let endings = next + next.dropFirst().flatMap { [$0 + [0x80], $0 + [0x80, 0x80]] }
        return endings.contains { String(validating: bytes + $0, as: UTF8.self) != nil }
    }
}
