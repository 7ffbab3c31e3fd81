import NIOCore

/// Attacks over WebSockets.
extension Attack {
    static let frames = [
        Attack(
            name: "huge-frames",
            summary: "frames that say they have 64 KiB and a byte, or 2^63-1 bytes",
            allowed: ["1009"],
            required: ["1009"]
        ) { number in
            let length: UInt64 = number % 2 == 0 ? 65_537 : .max >> 1
            return .webSocket(number).then(Bytes.frame(0x81, [], announced: length))
        },
        Attack(
            name: "dripped-frames",
            summary: "frames of 64 KiB that come byte by byte and never end",
            connections: 1_000,
            perSecond: 500,
            seconds: 10,
            allowed: ["open"]
        ) { number in
            AttackScript.webSocket(number)
                .then(Bytes.frame(0x81, [UInt8](repeating: 0x20, count: 60_000), announced: 65_536))
                .dripping(Bytes.text(" "), attempts: 0, every: 100)
        },
        Attack(
            name: "endless-messages",
            summary: "messages that never end, a KiB in each fragment",
            allowed: ["1009"],
            required: ["1009"]
        ) { number in
            let fragment = Bytes.frame(0x00, [UInt8](repeating: 0x20, count: 1_024))
            return .webSocket(number).then(Bytes.frame(0x01, [])).dripping(fragment, attempts: 0, every: 10)
        },
        Attack(
            name: "broken-frames",
            summary: "no mask, reserved bits, reserved opcodes, fragmented and oversized control frames",
            perSecond: 1_000,
            allowed: ["1002"],
            required: ["1002"]
        ) { number in
            let long = [UInt8](repeating: 0, count: 126)
            let frames = [
                Bytes.frame(0x81, "{}".utf8, isMasked: false), Bytes.frame(0xc1, "{}".utf8),
                Bytes.frame(0xa1, "{}".utf8),
                Bytes.frame(0x91, "{}".utf8), Bytes.frame(0x83, []), Bytes.frame(0x8b, []), Bytes.frame(0x09, []),
                Bytes.frame(0x89, long), Bytes.frame(0x88, long), Bytes.frame(0x80, []), Bytes.frame(0x88, [3]),
            ]
            return .webSocket(number).then(frames[number % frames.count])
        },
        Attack(
            name: "closes",
            summary: "a thousand close frames at once",
            perSecond: 1_000,
            // Where the rest of them arrives behind the end of the connection, its reset takes the answer with it.
            allowed: ["1000", "cut"],
            required: ["1000"]
        ) { number in .webSocket(number).then(Bytes.repeated(Bytes.frame(0x88, [3, 0xe8]), 1_000)) },
    ]

    static let floods = [
        flood("pings", "pings of 125 bytes", Bytes.repeated(Bytes.frame(0x89, [UInt8](repeating: 1, count: 125)), 50)),
        flood("pongs", "pongs that nobody asked for", Bytes.repeated(Bytes.frame(0x8a, []), 50)),
        flood(
            "fragments",
            "empty fragments of a message",
            Bytes.repeated(Bytes.frame(0x00, []), 50),
            first: Bytes.frame(0x01, [])
        ),
        flood("bad-json", "text that is no JSON", Bytes.repeated(Bytes.message("{\"type\":"), 50)),
        flood(
            "reads",
            "notification.read of 100 pairs that do not exist",
            Bytes.repeated(Bytes.message(reads), 4),
            attempts: 4
        ),
        flood(
            "subscriptions",
            "100 channels, subscribed to and left in turns",
            subscriptions("subscribe", subscriptions("unsubscribe", ByteBuffer())),
            attempts: 2
        ),
        syncs,
    ]

    private static let syncs: Attack = {
        let request = Bytes.message(#"{"type":"sync.request","data":{"limit":100}}"#)
        return Attack(
            name: "syncs",
            summary: "sync.request of 100 entries, as fast as they are taken",
            connections: 20,
            seconds: floodSeconds,
            allowed: ["4429", "open"],
            required: ["4429"],
            prepare: { try await $0.post(100, bytes: 200, to: 9) },
            script: { _ in
                let asking = Bytes.repeated(request, 50)
                return AttackScript.webSocket(9).then(ByteBuffer()).dripping(asking, attempts: 50, every: 10)
            }
        )
    }()

    private static func flood(
        _ name: String,
        _ what: String,
        _ bytes: ByteBuffer,
        attempts: Int = 50,
        first: ByteBuffer = ByteBuffer()
    ) -> Attack {
        Attack(
            name: name,
            summary: "\(what), as fast as they are taken",
            connections: 20,
            seconds: floodSeconds,
            allowed: ["4429", "open"],
            required: ["4429"]
        ) { number in AttackScript.webSocket(number).then(first).dripping(bytes, attempts: attempts, every: 10) }
    }

    private static let reads: String = {
        let pair = #"{"notification_id":"00000000-0000-4000-8000-000000000000","stream_id":"1-1"}"#
        return
            #"{"type":"notification.read","data":[\#([String](repeating: pair, count: 100).joined(separator: ","))]}"#
    }()

    private static func subscriptions(_ type: String, _ rest: ByteBuffer) -> ByteBuffer {
        let names = (0..<100).map { "\"hostile-\($0)\"" }.joined(separator: ",")
        var bytes = Bytes.message(#"{"type":"\#(type)","data":{"channels":[\#(names)]}}"#)
        bytes.writeImmutableBuffer(rest)
        return bytes
    }
}
