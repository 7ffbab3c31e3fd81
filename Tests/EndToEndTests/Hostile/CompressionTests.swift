import CarillonTestSupport
import Testing

/// There is no compression, so there are no bombs: offers are passed over, and what is compressed all the same is refused.
@Suite("Compression", .pod())
struct CompressionTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    static let offers = [
        "permessage-deflate", "permessage-deflate; client_max_window_bits; server_max_window_bits=8",
        "permessage-deflate, x-webkit-deflate-frame", "x-webkit-deflate-frame", "deflate-stream",
    ]

    @Test("an offer of an extension is passed over, and a compressed frame is a violation", arguments: offers)
    func frames(offer: String) async throws {
        let connection = try await pod.opened(pod.handshake(TestUser(), [("Sec-WebSocket-Extensions", offer)]))
        let answer = try await connection.response(to: "GET")
        #expect(answer["Sec-WebSocket-Extensions"] == nil)
        let client = try WireClient(upgraded: connection, by: answer)
        try await client.expect("session.ready")
        // An empty block of deflate, which any decompressor would take.
        try await client.send(WireFrame(WireFrame.text, [0x02, 0x00], reserved: 4))
        #expect(try await client.closing().code == 1002)
    }

    @Test("a body with a Content-Encoding is 415, on both ways", arguments: ["gzip", "deflate", "br", "identity", "x"])
    func bodies(encoding: String) async throws {
        let body = Array(notifyBody([TestUser()], "m").utf8)
        let headers = [("Content-Type", "application/json"), ("Content-Encoding", encoding)]
        for target in ["/api/v1/notify", "/api/v1/notify?x"] {
            let answer = try await pod.http().request("POST", target, headers: headers, body: body)
            #expect(answer.status == 415)
            #expect(try answer.json["error"] == .string("not_json"))
        }
        let gzip = ("Transfer-Encoding", "gzip, chunked")
        let chunked = try await pod.http().request("POST", "/api/v1/notify", headers: [headers[0], gzip])
        #expect(chunked.status == 400)
    }

    @Test(
        "answers are not compressed, whatever is asked for",
        arguments: ["/", "/metrics", "/api/v1/notifications?user_id=1&login=a"]
    )
    func answers(target: String) async throws {
        let answer = try await pod.http().request("GET", target, headers: [("Accept-Encoding", "gzip, deflate, br, *")])
        #expect(answer.status == 200)
        #expect(answer["Content-Encoding"] == nil)
    }
}
