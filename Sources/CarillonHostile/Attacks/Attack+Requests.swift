import NIOCore

/// Attacks with requests.
extension Attack {
    static let slow = [
        Attack(
            name: "slow-requests",
            summary: "heads, bodies, chunks, chunk extensions and handshakes, a byte a second",
            connections: 1_000,
            perSecond: 500,
            seconds: floodSeconds,
            allowed: ["408", "open"],
            required: ["408"]
        ) { number in
            let letter = Bytes.text("a")
            let beginnings = [
                "GET /live HTTP/1.1\r\nHost: x\r\nX: ", Bytes.postHead("X: "),
                "GET /ws?\(Bytes.user(1)) HTTP/1.1\r\nX: ",
                Bytes.postHead("Content-Length: 1000\r\n\r\n"),
                Bytes.postHead("Transfer-Encoding: chunked\r\n\r\nffff\r\n"),
                Bytes.postHead("Transfer-Encoding: chunked\r\n\r\n1;x="),
            ]
            return AttackScript(opening: Bytes.text(beginnings[number % beginnings.count]))
                .dripping(letter, attempts: 0, every: 1_000)
        }
    ]

    static let malformed = [
        Attack(
            name: "huge-heads",
            summary: "heads of 17 KiB in one field, in many, and in the target, on every way through the server",
            perSecond: 2_000,
            allowed: ["431"],
            required: ["431"]
        ) { number in AttackScript(opening: HugeHeads.all[number % HugeHeads.all.count]) },
        Attack(
            name: "huge-bodies",
            summary: "bodies that say they have 100 MB, and chunks without end",
            connections: 50,
            allowed: ["413"],
            required: ["413"]
        ) { number in
            guard number % 2 == 1 else {
                return AttackScript(opening: Bytes.text(Bytes.postHead("Content-Length: 100000000\r\n\r\n")))
            }
            let chunk = Bytes.text("8000\r\n\(String(repeating: "a", count: 0x8000))\r\n")
            return AttackScript(opening: Bytes.text(Bytes.postHead("Transfer-Encoding: chunked\r\n\r\n")))
                .dripping(chunk, attempts: 0, every: 10)
        },
        Attack(
            name: "smuggling",
            summary:
                "two lengths, CL.TE, TE.CL, TE.TE, folded lines, bare line feeds, odd chunks; a second post hidden in each",
            perSecond: 2_000,
            allowed: ["400"],
            required: ["400"],
            fault: { target in
                try await target.isKnown(Smuggling.user) ? "a post that was hidden in a body was taken" : nil
            },
            script: { AttackScript(opening: Smuggling.attempts[$0 % Smuggling.attempts.count]) }
        ),
    ]

    static let compression = [
        Attack(
            name: "compressed-bodies",
            summary: "posts with Content-Encoding: gzip, a bomb each",
            perSecond: 1_000,
            allowed: ["415"],
            required: ["415"]
        ) { _ in
            let body = String(repeating: "\u{1f}", count: 10_000)
            let fields = "Content-Encoding: gzip\r\nConnection: close\r\nContent-Length: 10000\r\n\r\n"
            return AttackScript(opening: Bytes.text(Bytes.postHead(fields) + body))
        },
        Attack(
            name: "compressed-frames",
            summary: "an offer of permessage-deflate, and compressed frames although nobody agreed to it",
            perSecond: 1_000,
            allowed: ["1002"],
            required: ["1002"]
        ) { number in
            let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
            return .webSocket(number, headers: offer)
                .then(Bytes.frame(0xc1, [UInt8](repeating: 0, count: 1_000)))
        },
    ]
}

/// Heads that are too long, each in another way.
private enum HugeHeads {
    static let all: [ByteBuffer] = {
        let long = String(repeating: "a", count: 17 * 1_024)
        let many = (0..<90).map { "X-\($0): \(String(repeating: "a", count: 200))\r\n" }.joined()
        let short = (0..<110).map { "X-\($0): a\r\n" }.joined()
        let heads = [
            "GET /live HTTP/1.1\r\nHost: x\r\nX: \(long)\r\n\r\n", "GET /live HTTP/1.1\r\nHost: x\r\n\(many)\r\n",
            "GET /live HTTP/1.1\r\nHost: x\r\n\(short)\r\n", "GET /\(long) HTTP/1.1\r\nHost: x\r\n\r\n",
            Bytes.postHead("X: \(long)\r\n\r\n"), "GET /ws?\(Bytes.user(1)) HTTP/1.1\r\nHost: x\r\nX: \(long)\r\n\r\n",
        ]
        return heads.map(Bytes.text)
    }()
}

/// Posts in whose bodies others hide.
enum Smuggling {
    static let user = 666

    static let attempts: [ByteBuffer] = {
        let hidden = Bytes.post(#"{"target":[{"id":\#(Bytes.firstUser + user),"login":"hostile"}],"message":"hidden"}"#)
        let fields = [
            "Content-Length: 0\r\nContent-Length: \(hidden.utf8.count)\r\n\r\n",
            "Content-Length: \(hidden.utf8.count)\r\nContent-Length: 0\r\n\r\n",
            "Content-Length: 0, \(hidden.utf8.count)\r\n\r\n",
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
            "X: 1\r\n folded\r\nContent-Length: 0\r\n\r\n", "X: 1\nContent-Length: 0\r\n\r\n",
            "Content-Length: 0\n\n", "Transfer-Encoding: chunked\r\n\r\n0\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n1 \r\na\r\n0\r\n\r\n",
        ]
        return fields.map { Bytes.text(Bytes.postHead($0) + hidden) }
    }()
}
