import Testing

@testable import CarillonRedis

@Suite struct ClusterViewTests {
    private func view(_ text: String, prefersNames: Bool = false) -> [ClusterView.Primary] {
        ClusterView(text, askedAt: "asked", prefersNames: prefersNames).primaries
    }

    @Test func primariesWithTheirSlots() {
        let text = """
            a1 10.0.0.1:7000@17000 myself,master - 0 0 3 connected 0-5460 5462 [93-<-b2] [77->-b2]
            b2 10.0.0.2:7000@17000,redis-2,shard-id=x master,fail? - 0 1 2 connected 5461 5463-16383
            c3 10.0.0.3:7000@17000 slave a1 0 1 3 connected
            d4 10.0.0.4:7000@17000 master - 0 1 0 connected
            e5 :0@0 master,noaddr - 0 1 0 disconnected 1-2
            f6 10.0.0.6:7000@17000 handshake,master - 0 0 0 connected 3

            """
        #expect(
            view(text) == [
                .init(
                    node: RedisNode(id: "a1"),
                    endpoint: .tcp(host: "10.0.0.1", port: 7_000),
                    epoch: 3,
                    slots: [0...5_460, 5_462...5_462]
                ),
                .init(
                    node: RedisNode(id: "b2"),
                    endpoint: .tcp(host: "10.0.0.2", port: 7_000),
                    epoch: 2,
                    slots: [5_461...5_461, 5_463...16_383]
                ),
            ]
        )
        #expect(view(text, prefersNames: true)[1].endpoint == .tcp(host: "redis-2", port: 7_000))
        #expect(view(text, prefersNames: true)[0].endpoint == .tcp(host: "10.0.0.1", port: 7_000))
    }

    @Test func aNodeThatDoesNotKnowItsAddressIsWhereItWasAsked() {
        #expect(
            view("a :7000@17000 myself,master - 0 0 1 connected 0-1").first?.endpoint
                == .tcp(host: "asked", port: 7_000)
        )
    }

    @Test func ipv6() {
        #expect(view("a ::1:7000@17000 master - 0 0 1 connected 0-1").first?.endpoint == .tcp(host: "::1", port: 7_000))
    }

    @Test(arguments: [
        "", "x", "a 10.0.0.1:7000 master - 0 0 1 connected", "a 10.0.0.1 master - 0 0 1 connected 0",
        "a 10.0.0.1:7000 master - 0 0 x connected 0", "a 10.0.0.1:7000 master - 0 0 1 connected 5-1 16384 -1 0-16384",
    ])
    func whatSaysNothing(text: String) {
        #expect(view(text).isEmpty)
    }

    @Test func redirections() {
        func parse(_ text: String) -> Redirection? {
            Redirection(RedisError(.server(text)), askedAt: .tcp(host: "asked", port: 1))
        }
        #expect(parse("MOVED 3999 127.0.0.1:6381")?.endpoint == .tcp(host: "127.0.0.1", port: 6_381))
        #expect(parse("MOVED 3999 127.0.0.1:6381")?.isLasting == true)
        #expect(parse("ASK 3999 ::1:6381")?.endpoint == .tcp(host: "::1", port: 6_381))
        #expect(parse("ASK 3999 :6381")?.endpoint == .tcp(host: "asked", port: 6_381))
        #expect(parse("ASK 3999 :6381")?.isLasting == false)
        for text in ["MOVED", "MOVED 1", "MOVED 1 x", "MOVEDX 1 a:1", "ERR MOVED 1 a:1"] { #expect(parse(text) == nil) }
        #expect(Redirection(RedisError(.timeout), askedAt: .tcp(host: "a", port: 1)) == nil)
    }
}
