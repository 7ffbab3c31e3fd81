internal import NIOCore
internal import NIOPosix

/// Where the sender's requests come from.
package enum RequestSource: Sendable {
    /// The same body so many times.
    case body([UInt8], count: Int)
    /// NDJSON, read piece by piece with a call that may block; an empty piece is the end.
    case lines(@Sendable () throws -> [UInt8])

    /// Whether there can be no more than one request.
    var isSingle: Bool {
        if case .body(_, 1) = self { true } else { false }
    }
}

/// Hands out requests one by one, and reads no further ahead than one piece of input.
///
/// - Isolation: its event loop
final class RequestQueue {
    enum Item {
        /// `number` counts from 1: the line, or the repetition.
        case request(number: Int, body: [UInt8])
        case bad(number: Int, reason: String)
        case end
        /// The input cannot be read any further.
        case failed(any Error)
    }

    /// Longest line: a server takes bodies of 1 MiB unless told otherwise.
    static let longestLine = 16 * 1_048_576

    private let source: RequestSource
    private let loop: any EventLoop
    private var number = 0
    private var splitter = LineSplitter(limit: longestLine)
    private var lines: CircularBuffer<LineSplitter.Line> = []
    private var waiters: CircularBuffer<(Item) -> Void> = []
    private var isReading = false
    private var outcome: Item?

    init(_ source: RequestSource, on loop: any EventLoop) {
        self.source = source
        self.loop = loop
    }

    /// Calls back with the next item, at once where one is at hand.
    func next(_ take: @escaping (Item) -> Void) {
        if let item = available() {
            take(item)
            return
        }
        waiters.append(take)
        read()
    }

    private func available() -> Item? {
        switch source {
        case .body(let body, let count):
            guard number < count else { return .end }
            number += 1
            return .request(number: number, body: body)
        case .lines:
            while let line = lines.popFirst() {
                number += 1
                if let item = item(line) { return item }
            }
            return outcome
        }
    }

    private func item(_ line: LineSplitter.Line) -> Item? {
        switch line {
        case .tooLong: return .bad(number: number, reason: "longer than \(Self.longestLine) bytes")
        case .text(let bytes):
            do {
                return try NotifyBody.json(line: bytes).map { .request(number: number, body: $0) }
            } catch {
                return .bad(number: number, reason: error.description)
            }
        }
    }

    private func read() {
        guard !isReading, case .lines(let read) = source else { return }
        isReading = true
        // Standard input may be anything, a terminal included: only a thread can wait for it.
        NIOThreadPool.singleton.runIfActive(eventLoop: loop) { try read() }
            .assumeIsolated().whenComplete { self.received($0) }
    }

    private func received(_ result: Result<[UInt8], any Error>) {
        isReading = false
        switch result {
        case .success(let chunk) where chunk.isEmpty:
            if let last = splitter.finish() { lines.append(last) }
            outcome = .end
        case .success(let chunk): lines.append(contentsOf: splitter.push(chunk))
        case .failure(let error): outcome = .failed(error)
        }
        while !waiters.isEmpty {
            guard let item = available() else {
                read()
                return
            }
            waiters.removeFirst()(item)
        }
    }
}

@available(*, unavailable)
extension RequestQueue: Sendable {}
