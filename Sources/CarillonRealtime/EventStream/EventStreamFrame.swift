import CarillonDomain
import NIOCore

/// Writing frames as events of a `text/event-stream`.
///
/// - Source: HTML Living Standard §9.2
enum EventStreamFrame {
    /// Nothing happened: keeps proxies from closing, and finds out whether somebody is still there.
    static let heartbeat = ByteBuffer(string: ":\n\n")

    /// How far a device was told.
    enum EventID {
        /// In the user's own stream, which is all that it knows.
        case entry(StreamID)
        /// In all streams that it follows.
        case position(String)
    }

    /// How long a browser waits before it comes back, in milliseconds.
    static func retry(_ milliseconds: Int) -> ByteBuffer { ByteBuffer(string: "retry: \(milliseconds)\n\n") }

    /// Stream ids went back. The empty id makes browsers forget theirs, so that they come back without one.
    static let resync = ByteBuffer(
        string: "event: session.end\nid:\ndata: {\"code\":1012,\"reason\":\"resync needed\"}\n\n"
    )

    /// The event that says the same as a text frame `{"type": …, "data": …}` of a server.
    ///
    /// - Parameter id: What the device gives as `Last-Event-ID` when it comes back.
    static func event(ofWebSocketFrame frame: ByteBuffer, id: EventID?) -> ByteBuffer {
        frame.withUnsafeReadableBytes { frame in
            let json = UnsafeRawBufferPointer(rebasing: frame[WebSocketFrame.headerLength(of: frame)...])
            let type = json[typeStart.utf8CodeUnitCount...].prefix { $0 != UInt8(ascii: "\"") }
            let data = json[(type.endIndex + dataStart.utf8CodeUnitCount)...].dropLast()
            var event = ByteBufferAllocator().buffer(capacity: json.count + 64)
            event.writeStaticString("event: ")
            event.writeBytes(type)
            switch id {
            case .entry(let id):
                event.writeStaticString("\nid: ")
                event.writeStreamID(id)
            case .position(let position):
                event.writeStaticString("\nid: ")
                event.writeString(position)
            case nil: break
            }
            event.writeStaticString("\ndata: ")
            let start = event.writerIndex
            event.writeBytes(UnsafeRawBufferPointer(rebasing: data))
            event.blankLineEnds(from: start)
            event.writeStaticString("\n\n")
            return event
        }
    }

    /// What every frame that a device hears begins with, and what follows its type.
    private static let typeStart: StaticString = "{\"type\":\""
    private static let dataStart: StaticString = "\",\"data\":"
}

extension ByteBuffer {
    /// Puts blanks for the line ends behind `start`: an event's data is one line. JSON has them between its tokens only, where a
    /// sender's `data` keeps those that it came with.
    fileprivate mutating func blankLineEnds(from start: Int) {
        let end = writerIndex
        withVeryUnsafeMutableBytes { bytes in
            for index in start..<end where bytes[index] == 0x0a || bytes[index] == 0x0d { bytes[index] = 0x20 }
        }
    }
}
