import CarillonDomain
import NIOCore
import NIOEmbedded
import Testing

@testable import CarillonRealtime

@Suite("Opening handshake")
struct WebSocketUpgradeTests {
    @Test("answers the RFC's example, and hands on the query as it came")
    func accepts() throws {
        let harness = try Harness()
        try harness.receive(Array(Upgrade.request.utf8))
        #expect(String(decoding: try harness.sent(), as: UTF8.self) == Upgrade.response)
        #expect(harness.acceptor.queries == ["user_id=1&login=alice"])
        #expect(harness.session.openedCount == 1)
        #expect(harness.connection.isOpen)
        #expect(harness.group.connectionCount == 1)
        #expect(harness.observer.opened == 1)
    }

    @Test("takes the request and the first frames split at every byte")
    func split() throws {
        let bytes = Array(Upgrade.request.utf8) + ClientFrame.text("first") + ClientFrame.text("second")
        for split in 0...bytes.count {
            let harness = try Harness()
            try harness.receive(Array(bytes[..<split]))
            try harness.receive(Array(bytes[split...]))
            #expect(harness.session.messages == ["first", "second"])
            #expect(String(decoding: try harness.sent(), as: UTF8.self) == Upgrade.response)
        }
        let harness = try Harness()
        try harness.receive(bytes, inPiecesOf: 1)
        #expect(harness.session.messages == ["first", "second"])
        #expect(harness.acceptor.queries.count == 1)
    }

    @Test("sends what the session sends on opening behind the 101")
    func sendsOnOpening() throws {
        let harness = try Harness()
        harness.acceptor.onAccept = { $0.send(WebSocketFrame.text { $0.writeString("too early") }) }
        harness.session.onOpened = { [connection = harness.connection] in
            connection.send(WebSocketFrame.text { $0.writeString("hello") })
        }
        try harness.receive(Array(Upgrade.request.utf8))
        let bytes = try harness.sent()
        #expect(bytes.starts(with: Upgrade.response.utf8))
        #expect(ServerFrame.all(Array(bytes.dropFirst(Upgrade.response.utf8.count))).map(\.text) == ["hello"])
    }

    @Test(
        "takes what is unusual but right",
        arguments: [
            ["Upgrade": ["WebSocket"]], ["Upgrade": ["h2c, websocket"]], ["Connection": ["UPGRADE"]],
            ["Connection": ["keep-alive ,\tupgrade"]], ["Origin": []],
            ["Origin": ["x\r\nSec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Protocol: chat"]],
            ["Origin": ["x\r\nContent-Length: 0"]],
        ]
    )
    func unusual(changes: [String: [String]]) throws {
        let harness = try Harness()
        try harness.receive(Array(Upgrade.request(replacing: changes).utf8))
        #expect(String(decoding: try harness.sent(), as: UTF8.self) == Upgrade.response)
    }

    @Test(
        "refuses what is wrong",
        arguments: [
            (["Host": []], 400), (["Host": ["a", "b"]], 400),
            (["Upgrade": []], 426), (["Upgrade": ["h2c"]], 426), (["Upgrade": ["websocket", "websocket"]], 400),
            (["Connection": []], 426), (["Connection": ["keep-alive"]], 426),
            (["Connection": ["Upgrade", "Upgrade"]], 400),
            (["Sec-WebSocket-Version": []], 426), (["Sec-WebSocket-Version": ["8"]], 426),
            (["Sec-WebSocket-Version": ["13", "13"]], 400),
            (["Sec-WebSocket-Key": []], 400), (["Origin": ["x\r\nContent-Length: 0\r\nContent-Length: 0"]], 400),
            (["Sec-WebSocket-Key": ["dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="]], 400),
            (["Sec-WebSocket-Key": ["dGhlIHNhbXBsZSBub25jZQ"]], 400),
            (["Sec-WebSocket-Key": ["dGhlIHNhbXBsZSBub25jZQAA"]], 400),
            (["Sec-WebSocket-Key": ["dGhlIHNhbXBsZSBub2*jZQ=="]], 400),
            (["Sec-WebSocket-Key": ["dGhlIHNhbXBsZSBub25jZQ==="]], 400),
            (["Origin": ["a\r\n folded"]], 400), (["Origin": ["a\nb"]], 400), (["Origin": ["a\rb"]], 400),
            (["Origin": ["a\u{0}b"]], 400),
            (["Origin": ["a\r\nBad Name: b"]], 400), (["Origin": ["a\r\nName : b"]], 400),
            (["Origin": ["a\r\n: b"]], 400),
            (["Origin": ["a\r\nno colon"]], 400), (["Origin": ["a\r\nContent-Length: 5"]], 400),
            (["Origin": ["a\r\nTransfer-Encoding: chunked"]], 400),
        ] as [([String: [String]], Int)]
    )
    func refuses(changes: [String: [String]], status: Int) throws {
        try expectRefusal(of: Upgrade.request(replacing: changes), status: status)
    }

    @Test(
        "refuses request lines that are not GET /ws HTTP/1.1",
        arguments: [
            ("POST /ws HTTP/1.1", 400), ("get /ws HTTP/1.1", 400), ("GET /ws HTTP/1.0", 400), ("GET /ws", 400),
            ("GET  /ws HTTP/1.1", 400), ("GET /ws HTTP/1.1 ", 400), ("GET /ws#a HTTP/1.1", 400),
            ("GET /w\u{e9} HTTP/1.1", 400),
            ("GET /wsx HTTP/1.1", 404), ("GET / HTTP/1.1", 404), ("", 400),
        ]
    )
    func refusesRequestLine(line: String, status: Int) throws {
        let fields = Upgrade.request.split(separator: "\r\n", maxSplits: 1)[1]
        try expectRefusal(of: line + "\r\n" + fields, status: status)
    }

    private func expectRefusal(of request: String, status: Int) throws {
        let harness = try Harness()
        try harness.receive(Array(request.utf8))
        let response = String(decoding: try harness.sent(), as: UTF8.self)
        #expect(response.hasPrefix("HTTP/1.1 \(status) "))
        #expect(response.contains("\r\nContent-Type: application/problem+json\r\n"))
        #expect(response.contains("\"status_code\":\(status)"))
        if status == 426 {
            #expect(response.contains("\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"))
        }
        let parts = response.split(separator: "\r\n\r\n")
        #expect(parts[0].contains("Content-Length: \(parts[1].utf8.count)"))
        #expect(harness.acceptor.queries.isEmpty)
        #expect(harness.observer.refused == [status])
        #expect(harness.wire.isOutputClosed)
        try harness.receive(Array(Upgrade.request.utf8))
        #expect(try harness.sent() == [])
        harness.advance(seconds: 2)
        #expect(!harness.channel.isActive)
    }

    @Test("writes the acceptor's problem, and no 101")
    func problem() throws {
        let harness = try Harness()
        harness.acceptor.problem = .redisAway()
        try harness.receive(Array(Upgrade.request.utf8) + ClientFrame.text("ignored"))
        let response = String(decoding: try harness.sent(), as: UTF8.self)
        #expect(response.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
        #expect(response.contains("\r\nRetry-After: 1\r\n"))
        #expect(response.hasSuffix(Problem.redisAway().json))
        #expect(harness.session.openedCount == 0)
        #expect(harness.session.closedCount == 0)
        #expect(harness.group.connectionCount == 0)
    }

    @Test("limits the head, under, at and over, whole and in pieces", arguments: [(-1, true), (0, true), (1, false)])
    func headLimit(over: Int, isTaken: Bool) throws {
        let settings = ConnectionSettings()
        let base = Upgrade.request(replacing: ["Origin": [""]]).utf8.count
        let padding = String(repeating: "o", count: settings.maxHeadBytes + over - base)
        let request = Array(Upgrade.request(replacing: ["Origin": [padding]]).utf8)
        #expect(request.count == settings.maxHeadBytes + over)
        for size in [request.count, 1000] {
            let harness = try Harness(settings)
            try harness.receive(request, inPiecesOf: size)
            #expect((harness.observer.refused == []) == isTaken)
            #expect((harness.observer.refused == [431]) != isTaken)
        }
    }

    @Test("does not wait for the end of an endless head")
    func endlessHead() throws {
        let harness = try Harness()
        try harness.receive(Array("GET /ws HTTP/1.1\r\nA: ".utf8) + Array(repeating: 0x61, count: 16_384))
        #expect(harness.observer.refused == [431])
    }

    @Test("tells an accepted session that its socket went while it was accepted")
    func closedWhileAccepting() throws {
        let harness = try Harness()
        harness.acceptor.onAccept = { [connection = harness.connection] _ in connection.close(code: .goingAway) }
        try harness.receive(Array(Upgrade.request.utf8))
        #expect(!harness.channel.isActive)
        #expect(harness.session.openedCount == 0)
        #expect(harness.session.closedCount == 1)
        #expect(harness.group.connectionCount == 0)
    }

    @Test(
        "encodes base64 as RFC 4648 §10 does",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ]
    )
    func base64(plain: String, encoded: String) {
        #expect(WebSocketKey.base64(Array(plain.utf8)) == encoded)
    }
}
