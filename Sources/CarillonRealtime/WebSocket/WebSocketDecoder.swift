package import NIOCore

/// Turns a client's bytes into messages and control frames, whatever the pieces that they come in.
///
/// A pure state machine: `next` takes bytes and returns one event. The usual case, a small whole message inside one
/// read, touches no state and allocates the message alone. What is between two reads (part of a header, of a payload,
/// of a fragmented message) lives in a `Partial` that exists only meanwhile, so that an idle socket pays one pointer
/// for its decoder.
package struct WebSocketDecoder {
    package enum Event {
        /// All input was taken and no frame is complete.
        case needsMore
        /// A frame ended but not its message.
        case fragment
        /// A whole text message, valid UTF-8.
        case message(ByteBuffer)
        case ping(ByteBuffer)
        case pong
        /// The peer's close, whose code may be missing.
        case close(WebSocketCloseCode?)
        /// The peer broke the protocol: nothing after this can be understood.
        case violation(WebSocketViolation)
    }

    private var partial: Partial?

    package init() {}

    /// Takes the next frame, or the part of it that is there, off `input`.
    ///
    /// - Parameter limit: Most bytes of a message, all its fragments together.
    package mutating func next(_ input: inout UnsafeRawBufferPointer, limit: Int) -> Event {
        guard !input.isEmpty else { return .needsMore }
        if partial == nil, case .header(let header) = WebSocketFrameHeader.parse(input),
            header.isFinal, header.opcode != .continuation, input.count - header.size >= header.length
        {
            return whole(header, &input, limit: limit)
        }
        let partial = partial ?? Partial()
        let event = partial.next(&input, limit: limit)
        self.partial = partial.isIdle ? nil : partial
        return event
    }

    private func whole(_ header: WebSocketFrameHeader, _ input: inout UnsafeRawBufferPointer, limit: Int) -> Event {
        if let violation = header.violation(messageBytes: nil, limit: limit) { return .violation(violation) }
        var payload = ByteBufferAllocator().buffer(capacity: header.length)
        let masked = UnsafeRawBufferPointer(rebasing: input[header.size..<header.size + header.length])
        payload.writeUnmasked(masked, mask: header.mask, position: 0)
        input = UnsafeRawBufferPointer(rebasing: input[(header.size + header.length)...])
        guard header.opcode == .text else { return .control(header.opcode, payload) }
        return payload.isUTF8 ? .message(payload) : .violation(.notUTF8)
    }
}

extension WebSocketDecoder {
    /// What is known of a frame or message that has not ended.
    private final class Partial {
        private var headerBytes: (UInt64, UInt64) = (0, 0)
        private var headerCount = 0
        private var header: WebSocketFrameHeader?
        /// Bytes of the frame's payload that were taken.
        private var position = 0
        private var message: ByteBuffer?
        private var text = UTF8Validator()
        private var control = ByteBuffer()

        var isIdle: Bool { headerCount == 0 && header == nil && message == nil }

        func next(_ input: inout UnsafeRawBufferPointer, limit: Int) -> Event {
            if header == nil {
                switch takeHeader(&input) {
                case .incomplete: return .needsMore
                case .violation(let violation): return .violation(violation)
                case .header(let parsed):
                    if let violation = parsed.violation(messageBytes: message?.readableBytes, limit: limit) {
                        return .violation(violation)
                    }
                    header = parsed
                    if !parsed.opcode.isControl, message == nil { message = ByteBuffer() }
                }
            }
            guard let header else { return .needsMore }
            guard takePayload(header, &input) else { return .violation(.notUTF8) }
            guard position == header.length else { return .needsMore }
            return finish(header)
        }

        /// Collects the header's bytes, of which an earlier piece may have brought some, and takes no byte that follows
        /// it.
        private func takeHeader(_ input: inout UnsafeRawBufferPointer) -> WebSocketFrameHeader.Parsed {
            let count = min(WebSocketFrameHeader.maximumBytes - headerCount, input.count)
            let parsed = withUnsafeMutableBytes(of: &headerBytes) { bytes in
                UnsafeMutableRawBufferPointer(rebasing: bytes[headerCount...])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: input[..<count]))
                return WebSocketFrameHeader.parse(UnsafeRawBufferPointer(rebasing: bytes[..<(headerCount + count)]))
            }
            if case .header(let header) = parsed {
                input = UnsafeRawBufferPointer(rebasing: input[(header.size - headerCount)...])
                headerCount = 0
            } else {
                input = UnsafeRawBufferPointer(rebasing: input[count...])
                headerCount += count
            }
            return parsed
        }

        /// - Returns: False when the text so far is not UTF-8.
        private func takePayload(_ header: WebSocketFrameHeader, _ input: inout UnsafeRawBufferPointer) -> Bool {
            let count = min(header.length - position, input.count)
            let piece = UnsafeRawBufferPointer(rebasing: input[..<count])
            input = UnsafeRawBufferPointer(rebasing: input[count...])
            defer { position += count }
            if header.opcode.isControl {
                control.writeUnmasked(piece, mask: header.mask, position: position)
                return true
            }
            message?.writeUnmasked(piece, mask: header.mask, position: position)
            return message?.withUnsafeReadableBytes {
                text.append(UnsafeRawBufferPointer(rebasing: $0[($0.count - count)...]))
            } ?? true
        }

        private func finish(_ header: WebSocketFrameHeader) -> Event {
            self.header = nil
            position = 0
            if header.opcode.isControl {
                defer { control = ByteBuffer() }
                return .control(header.opcode, control)
            }
            guard header.isFinal else { return .fragment }
            guard text.isAtBoundary, let message else { return .violation(.notUTF8) }
            self.message = nil
            return .message(message)
        }
    }
}

extension WebSocketFrameHeader {
    /// What is wrong with a frame where it stands, decided before a byte of its payload is kept.
    ///
    /// - Parameter messageBytes: Bytes of the fragmented message that is under way; nil when there is none.
    fileprivate func violation(messageBytes: Int?, limit: Int) -> WebSocketViolation? {
        if opcode.isControl { return nil }
        if opcode == .continuation, messageBytes == nil { return .nothingToContinue }
        if opcode != .continuation, messageBytes != nil { return .messageNotFinished }
        if opcode == .binary { return .binary }
        return length > limit - (messageBytes ?? 0) ? .tooBig : nil
    }
}

extension WebSocketDecoder.Event {
    fileprivate static func control(_ opcode: WebSocketFrameHeader.Opcode, _ payload: ByteBuffer) -> Self {
        switch opcode {
        case .ping: return .ping(payload)
        case .close: return close(payload)
        default: return .pong
        }
    }

    /// - Source: RFC 6455 §5.5.1, §7.4
    private static func close(_ payload: ByteBuffer) -> Self {
        var reason = payload
        guard payload.readableBytes > 0 else { return .close(nil) }
        guard let number = reason.readInteger(as: UInt16.self) else { return .violation(.closePayload) }
        let code = WebSocketCloseCode(rawValue: number)
        guard code.isAllowedInFrame else { return .violation(.closeCode) }
        return reason.isUTF8 ? .close(code) : .violation(.notUTF8)
    }
}

extension ByteBuffer {
    fileprivate var isUTF8: Bool {
        withUnsafeReadableBytes {
            var validator = UTF8Validator()
            return validator.append($0) && validator.isAtBoundary
        }
    }
}
