import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// Writes one answer's body to its connection, as Hummingbird's routes hand it over.
///
/// The first piece waits for the second one or the end, so that an ordinary answer is a single write.
final class AnswerWriter {
    private let exchange: Exchange
    private var head: HTTPResponse?
    private var pending: ByteBuffer?
    /// A HEAD request: the body is counted and not sent.
    private let isHead: Bool
    private var bodyBytes = 0

    init(_ exchange: Exchange, head: HTTPResponse, isHead: Bool) {
        self.exchange = exchange
        self.head = head
        self.isHead = isHead
    }

    func write(_ piece: ByteBuffer) async throws {
        guard piece.readableBytes > 0 else { return }
        bodyBytes += piece.readableBytes
        guard !isHead else { return }
        if let first = pending {
            pending = nil
            try await exchange.write(.init(head: takeHead(), body: first))
            try await exchange.write(.init(body: piece))
        } else if head == nil {
            try await exchange.write(.init(body: piece))
        } else {
            pending = piece
        }
    }

    func finish() async throws {
        if isHead, head?.headerFields[.contentLength] == nil { head?.headerFields[.contentLength] = "\(bodyBytes)" }
        let body = pending
        pending = nil
        try await exchange.write(.init(head: takeHead(), body: body, isLast: true))
    }

    private func takeHead() -> HTTPResponse? {
        defer { head = nil }
        return head
    }
}

/// What Hummingbird's bodies see of an `AnswerWriter`.
struct AnswerBodyWriter: ResponseBodyWriter {
    let writer: AnswerWriter

    func write(_ buffer: ByteBuffer) async throws {
        try await writer.write(buffer)
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        try await writer.finish()
    }
}
