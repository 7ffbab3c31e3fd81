import CarillonLoad
import CarillonRealtime
import NIOCore
import NIOEmbedded
import NIOWebSocket

/// What a device sends once its WebSocket is open.
///
/// - The decoder makes the same of the bytes whatever pieces they come in.
/// - It cuts frames where NIO's decoder cuts them, and makes of each what the rules say; what it refuses, the rules refuse.
/// - The connection gives its device the messages that the decoder found, answers every ping and says the right last word.
/// - A message that a client of ours writes is read as it was.
enum WebSocketFrames {
    /// Small enough that an input can pass it.
    static let messageLimit = 300

    static func check(_ bytes: UnsafeRawBufferPointer) throws {
        let events = try decode([Array(bytes)])
        for way in Pieces.ways(of: bytes) {
            let inPieces = try decode(way)
            try require(inPieces.map(\.event) == events.map(\.event), "\(events) whole, \(inPieces) in pieces")
        }
        try compareWithNIO(bytes, events)
        let expected = DeviceTranscript(events.map(\.event))
        try expected.compare(DeviceSocket.open(receiving: [Array(bytes)]))
        // A connection costs more than all the rest, so it gets one way.
        if let way = Pieces.ways(of: bytes).first { try expected.compare(DeviceSocket.open(receiving: way)) }
        try checkWriting(Array(bytes), mask: UInt32(truncatingIfNeeded: Pieces.hash(bytes)))
    }

    /// An event, and how many bytes of all it took to come to it.
    struct Step {
        let event: WebSocketEvent
        let end: Int
    }

    /// Up to and with the first violation.
    private static func decode(_ pieces: [[UInt8]], limit: Int = messageLimit) throws -> [Step] {
        var decoder = WebSocketDecoder()
        var steps: [Step] = []
        var start = 0
        for piece in pieces {
            try piece.withUnsafeBytes { bytes in
                var input = bytes
                while true {
                    let event = decoder.next(&input, limit: limit)
                    if case .needsMore = event {
                        return try require(input.isEmpty, "the decoder asks for more and leaves \(input.count) bytes")
                    }
                    steps.append(Step(event: WebSocketEvent(event), end: start + bytes.count - input.count))
                    if case .violation = event { return }
                }
            }
            if case .violation? = steps.last?.event { break }
            start += piece.count
        }
        return steps
    }

    /// Where a frame was refused early, so many zeros stand in for the rest of it.
    private static let padding = [UInt8](repeating: 0, count: 1_000)

    private static func compareWithNIO(_ bytes: UnsafeRawBufferPointer, _ steps: [Step]) throws {
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: 1 << 20)))
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        func frame(_ bytes: some Sequence<UInt8>) throws -> NIOWebSocket.WebSocketFrame? {
            try channel.writeInbound(ByteBuffer(bytes: bytes))
            return try channel.readInbound(as: NIOWebSocket.WebSocketFrame.self)
        }
        var rules = WebSocketRules(messageLimit: messageLimit)
        var start = 0
        for step in steps {
            if case .violation = step.event {
                // A frame that NIO cannot read either, or that is too long for the zeros, needs no judgement.
                guard let frame = try? frame(bytes[start...] + padding) else { return }
                let event = rules.judge(frame, lengthByte: start + 1 < bytes.count ? bytes[start + 1] : 0)
                return try require(event == step.event, "\(step.event), where NIO and the rules have \(event)")
            }
            let early = try frame(bytes[start..<step.end - 1])
            try require(early == nil, "NIO ends a frame before byte \(step.end)")
            guard let frame = try frame(bytes[step.end - 1..<step.end]) else {
                throw Finding("NIO ends no frame at byte \(step.end)")
            }
            let event = rules.judge(frame, lengthByte: bytes[start + 1])
            try require(event == step.event, "\(step.event), where NIO and the rules have \(event)")
            start = step.end
        }
        // What may still become a frame is none for NIO either.
        let rest = try? frame(bytes[start...])
        try require(rest == nil, "NIO reads a frame in what the decoder waits for the end of")
    }

    /// What load drivers write.
    private static func checkWriting(_ payload: [UInt8], mask: UInt32) throws {
        let frame = ServerFrames.encodeMasked(.text, ByteBuffer(bytes: payload), mask: mask)
        let steps = try decode([Array(frame.readableBytesView)], limit: payload.count)
        let isText = String(validating: payload, as: UTF8.self) != nil
        let expected = isText ? WebSocketEvent.text(payload) : .violation(1007)
        try require(steps.map(\.event) == [expected], "\(steps) of a masked message")
    }
}
