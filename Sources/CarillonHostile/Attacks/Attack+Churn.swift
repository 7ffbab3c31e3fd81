import NIOCore

/// Attacks by connecting, and by not taking what is sent.
extension Attack {
    static let churn = [
        Attack(
            name: "connects",
            summary: "2,000 connections a second that end at once",
            connections: 2_000,
            perSecond: 2_000,
            allowed: []
        ) { _ in AttackScript().ending(.closes) },
        Attack(
            name: "upgrades",
            summary: "2,000 WebSockets a second that end at once with a reset",
            connections: 2_000,
            perSecond: 2_000,
            allowed: []
        ) { number in AttackScript.webSocket(number % 500).then(ByteBuffer()).ending(.resets) },
        Attack(
            name: "tls-hellos",
            summary: "2,000 halves of a TLS hello a second, on a port without TLS",
            connections: 4_000,
            perSecond: 2_000,
            allowed: ["400"],
            required: ["400"]
        ) { _ in
            let hello: [UInt8] = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3] + [UInt8](repeating: 0xab, count: 100)
            return AttackScript(opening: ByteBuffer(bytes: hello))
        },
        Attack(
            name: "half-closed",
            summary: "requests and handshakes whose senders end their half and never read",
            connections: 500,
            perSecond: 500,
            // A socket that is not read may not notice that the server has closed it; the server's descriptors tell.
            allowed: ["closed", "cut", "open"]
        ) { number in
            let beginnings = [
                Bytes.get("/metrics"), Bytes.handshake(number), Bytes.get("/api/v1/stream?\(Bytes.user(number))"),
                Bytes.get("/api/v1/notifications?\(Bytes.user(number))&wait=60"), Bytes.text("GET /live"), ByteBuffer(),
            ]
            return AttackScript(opening: beginnings[number % beginnings.count]).deaf().ending(.halfCloses)
        },
    ]

    /// A user with as much as one can have.
    private static let rich = 7

    private static func makeRich(_ target: Target) async throws {
        try await target.post(100, bytes: 262_144, to: rich)
    }

    static let unread = [
        Attack(
            name: "unread-answers",
            summary: "a hundred requests on each connection, whose answers nobody takes",
            connections: 500,
            perSecond: 100,
            seconds: 10,
            allowed: ["open"]
        ) { number in
            let requests = [Bytes.get("/"), Bytes.get("/metrics"), Bytes.text(Bytes.post("{}"))]
            return AttackScript(opening: Bytes.repeated(requests[number % requests.count], 100)).deaf()
        },
        Attack(
            name: "unread-lists",
            summary: "lists of 100 notifications of 256 KiB each, which nobody takes",
            connections: 100,
            perSecond: 20,
            seconds: 10,
            allowed: ["open", "503", "closed", "cut"],
            prepare: makeRich
        ) { _ in AttackScript(opening: Bytes.get("/api/v1/notifications?\(Bytes.user(rich))&limit=100")).deaf() },
        Attack(
            name: "unread-polls",
            summary: "more requests that wait for news than may, for which nobody waits",
            connections: 4_300,
            perSecond: 2_000,
            seconds: 8,
            // A whole answer ends its connection, too: something has happened to that user.
            allowed: ["open", "503", "cut"],
            required: ["503"]
        ) { number in
            AttackScript(
                opening: Bytes.get(
                    "/api/v1/notifications?\(Bytes.user(number))&wait=60",
                    fields: "Connection: close\r\n"
                )
            )
        },
        Attack(
            name: "unread-replays",
            summary: "WebSockets and event streams of a user with 100 notifications of 256 KiB, who takes nothing",
            connections: 200,
            perSecond: 100,
            seconds: 10,
            allowed: ["open"],
            prepare: makeRich
        ) { number in
            guard number % 2 == 0 else {
                return AttackScript(opening: Bytes.get("/api/v1/stream?\(Bytes.user(rich))")).deaf()
            }
            return AttackScript(opening: Bytes.handshake(rich)).deaf()
        },
        Attack(
            name: "unread-pushes",
            summary: "WebSockets and event streams that take nothing of what is pushed, 32 KiB 50 times a second",
            connections: 100,
            seconds: 10,
            allowed: ["open", "cut", "closed", "1013"],
            beside: { try await $0.keepPosting(50, bytes: 32_768, to: 8) },
            fault: { target in
                let closes = try await target.metric("carillon_slow_consumer_closes_total")
                return closes >= 100 ? nil : "only \(Int(closes)) slow consumers were sent away"
            },
            script: { number in
                guard number % 2 == 0 else {
                    return AttackScript(opening: Bytes.get("/api/v1/stream?\(Bytes.user(8))")).deaf()
                }
                return AttackScript(opening: Bytes.handshake(8)).deaf()
            }
        ),
    ]
}
