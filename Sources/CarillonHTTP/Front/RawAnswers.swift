import CarillonDomain
import NIOCore

/// Writes complete HTTP/1.1 answers as bytes, for the fast path and for errors of the protocol itself.
///
/// - Isolation: event loop of the server
/// - Cost: one buffer an answer, and that one is used again once the socket has taken it
struct RawAnswers {
    /// `date` of all answers, renewed each second.
    private(set) var date = ""
    /// A 202's head up to the number of its content-length.
    private var acceptedHead: [UInt8] = []
    private var buffer = ByteBuffer()

    init(now: CalendarDate) { setDate(now) }

    mutating func setDate(_ now: CalendarDate) {
        date = now.httpDate
        acceptedHead = Array(
            "HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ndate: \(date)\r\ncontent-length: ".utf8
        )
    }

    mutating func encode(_ answer: NotifyAnswer, closes: Bool) -> ByteBuffer {
        switch answer {
        case .accepted(let body, let replayed): accepted(body, replayed: replayed, closes: closes)
        case .problem(let problem): encode(problem, closes: closes)
        }
    }

    private mutating func accepted(_ body: ByteBuffer, replayed: Bool, closes: Bool) -> ByteBuffer {
        buffer.clear(minimumCapacity: acceptedHead.count + body.readableBytes + 96)
        buffer.writeBytes(acceptedHead)
        buffer.writeString(String(body.readableBytes))
        if replayed { buffer.writeStaticString("\r\nidempotent-replayed: true") }
        if closes { buffer.writeStaticString("\r\nconnection: close") }
        buffer.writeStaticString("\r\n\r\n")
        buffer.writeImmutableBuffer(body)
        return buffer
    }

    /// - Parameter lines: Whole header lines beside those that every problem has.
    mutating func encode(_ problem: Problem, closes: Bool, lines: String = "") -> ByteBuffer {
        let body = problem.json
        buffer.clear(minimumCapacity: body.utf8.count + 256)
        buffer.writeString("HTTP/1.1 \(problem.status) \(problem.title)\r\ncontent-type: \(Problem.mediaType)\r\n")
        buffer.writeString("date: \(date)\r\ncontent-length: \(body.utf8.count)\r\n")
        if let seconds = problem.retryAfterSeconds { buffer.writeString("retry-after: \(seconds)\r\n") }
        if closes { buffer.writeStaticString("connection: close\r\n") }
        buffer.writeString(lines)
        buffer.writeStaticString("\r\n")
        buffer.writeString(body)
        return buffer
    }
}
