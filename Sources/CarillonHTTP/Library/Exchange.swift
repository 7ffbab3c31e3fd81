import HTTPTypes
import NIOCore

/// One request on its way through the router, and the way back to its connection.
///
/// - Isolation: any
struct Exchange: Sendable {
    let request: HTTPRequest
    let body: ByteBuffer
    let channel: any Channel
    let handler: NIOLoopBound<LibraryHandler>
    /// Which of its connection's requests this is.
    let serial: Int
    /// Ends when the client has gone, or the answer has been written.
    let gone: AsyncStream<Never>

    /// A piece of an answer.
    struct Part: Sendable {
        var head: HTTPResponse?
        var body: ByteBuffer?
        /// Bytes of the body that follow when the socket has taken this piece.
        var remaining = 0
        var isLast = false
    }

    /// Returns when the socket has taken the piece; a piece of more than 64 KiB goes in steps, so that a slow client
    /// can be told from a dead one.
    ///
    /// - Throws: `ChannelError` where the connection is gone.
    func write(_ part: Part) async throws {
        guard var body = part.body, body.readableBytes > Self.stepBytes else { return try await writeStep(part) }
        var head = part.head
        while let step = body.readSlice(length: min(Self.stepBytes, body.readableBytes)), step.readableBytes > 0 {
            let rest = body.readableBytes
            try await writeStep(Part(head: head, body: step, remaining: rest, isLast: part.isLast && rest == 0))
            head = nil
        }
    }

    /// Ends the exchange where it cannot be completed: with a 500 as long as nothing was written, else by closing.
    func abandon() {
        channel.eventLoop.execute { handler.value.abandon(serial: serial) }
    }

    private static let stepBytes = 64 * 1024

    private func writeStep(_ part: Part) async throws {
        try await channel.eventLoop.flatSubmit { handler.value.write(part, serial: serial) }.get()
    }
}
