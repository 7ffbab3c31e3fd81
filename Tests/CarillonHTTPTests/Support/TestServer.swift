import CarillonDomain
import CarillonHTTP
import CarillonTestSupport
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

/// A server on a port of its own, with fakes behind it.
struct TestServer {
    let port: Int
    let notified: FakeNotify.Log
    let upgraded: FakeUpgrades.Log

    /// Runs `body` against a server that stops afterwards.
    static func with(
        _ configure: (inout HTTPConfiguration) -> Void = { _ in },
        health: FakeHealth = FakeHealth(),
        metrics: FakeMetrics = FakeMetrics(),
        _ body: (TestServer) async throws -> Void
    ) async throws {
        var configuration = HTTPConfiguration(address: ListenAddress("127.0.0.1:0")!)
        configuration.bodyLimitBytes = 10_000
        configuration.drainTimeout = .milliseconds(200)
        configure(&configuration)
        let notified = FakeNotify.Log()
        let upgraded = FakeUpgrades.Log()
        let server = HTTPServer(
            configuration: configuration,
            eventLoop: MultiThreadedEventLoopGroup.singleton.next(),
            routes: RouteServices(admin: FakeAdmin(), inbox: FakeInbox(), health: health, metrics: metrics),
            observer: AnswerLog(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) {
            HTTPServer.LoopServices(notify: FakeNotify(notified), upgrades: FakeUpgrades(upgraded))
        }
        let port = try await server.bind()
        try await withThrowingTaskGroup { group in
            group.addTask { try await server.run() }
            try await body(TestServer(port: port, notified: notified, upgraded: upgraded))
            group.cancelAll()
        }
    }

    /// Sends `bytes` on a connection of its own and returns the first answer.
    func ask(_ bytes: String) async throws -> Answer {
        let client = try await WireClient(port: port)
        defer { client.close() }
        try await client.send(bytes)
        return try await client.answer(toHead: bytes.hasPrefix("HEAD "))
    }

    func get(_ path: String, method: String = "GET", headers: String = "") async throws -> Answer {
        try await ask("\(method) \(path) HTTP/1.1\r\nHost: x\r\n\(headers)\r\n")
    }
}

/// A client that speaks in bytes.
final class WireClient: Sendable {
    private let channel: any Channel
    private let inbox: Inbox

    private final class Inbox: Sendable {
        let text = Mutex<String>("")
        let isClosed = Atomic(false)
    }

    init(port: Int, host: String = "127.0.0.1") async throws {
        let inbox = Inbox()
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Reader(inbox))
                }
            }
            .connect(host: host, port: port).get()
        self.inbox = inbox
    }

    func send(_ text: String) async throws {
        try await channel.writeAndFlush(ByteBuffer(string: text)).get()
    }

    func close() { channel.close(promise: nil) }

    var isClosed: Bool { inbox.isClosed.load(ordering: .acquiring) }

    /// What was received and not yet taken by `answer`.
    var received: String { inbox.text.withLock { $0 } }

    func waitForClose() async throws {
        try await wait(until: "the server closes") { isClosed }
    }

    func answer(toHead: Bool = false) async throws -> Answer {
        var answer: Answer?
        try await wait(until: "an answer") {
            answer = inbox.text.withLock { Answer.take(from: &$0, toHead: toHead, atEnd: isClosed) }
            return answer != nil
        }
        return answer!
    }

    private final class Reader: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let inbox: Inbox

        init(_ inbox: Inbox) { self.inbox = inbox }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(buffer: Self.unwrapInboundIn(data))
            inbox.text.withLock { $0 += text }
        }

        func channelInactive(context: ChannelHandlerContext) { inbox.isClosed.store(true, ordering: .releasing) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

/// An HTTP/1 answer.
struct Answer {
    let status: Int
    let version: String
    let headers: [(String, String)]
    let body: String

    subscript(name: String) -> String? { headers.first { $0.0 == name }?.1 }

    /// Takes a whole answer off the front of `text`; nil where it is not there yet.
    static func take(from text: inout String, toHead: Bool = false, atEnd: Bool = false) -> Answer? {
        var bytes = Array(text.utf8)
        guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: "\r\n\r\n".utf8) }) else { return nil }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        let status = lines[0].split(separator: " ")
        let headers = lines.dropFirst().map { line in
            let colon = line.firstIndex(of: ":")!
            return (line[..<colon].lowercased(), String(line[line.index(colon, offsetBy: 2)...]))
        }
        bytes.removeFirst(end + 4)
        var length = 0
        if let text = headers.first(where: { $0.0 == "content-length" })?.1 {
            length = Int(text)!
        } else if !["100", "101", "204", "304"].contains(status[1]), !toHead {
            guard atEnd else { return nil }
            length = bytes.count
        }
        if toHead || status[1] == "304" { length = 0 }
        guard bytes.count >= length else { return nil }
        let body = String(decoding: bytes[..<length], as: UTF8.self)
        text = String(decoding: bytes[length...], as: UTF8.self)
        return Answer(status: Int(status[1])!, version: String(status[0]), headers: headers, body: body)
    }
}

/// A notify request in its usual form; `lines` are further header lines, each with its line end.
func post(_ body: String, _ lines: String = "", line: String = "POST /api/v1/notify HTTP/1.1") -> String {
    "\(line)\r\nHost: x\r\nContent-Type: application/json\r\n\(lines)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
}

/// Cutting by bytes; a `Character` may be a whole CR LF.
extension String {
    func prefix(bytes count: Int) -> String { String(decoding: utf8.prefix(count), as: UTF8.self) }
    func suffix(fromByte count: Int) -> String { String(decoding: utf8.dropFirst(count), as: UTF8.self) }
}
