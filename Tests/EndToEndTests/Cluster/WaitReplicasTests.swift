import CarillonTestSupport
import Testing

/// `NOTIFY_WAIT_REPLICAS`
@Suite("replicas that must confirm a post")
struct WaitReplicasTests {
    private func code(_ response: WireResponse) throws -> String? { try response.json["error"]?.string }

    @Test("as many as are wanted: 202; one less: 503, and what was stored stays")
    func sentinels() async throws {
        try await Pod.with(group: try await SentinelGroup.start(downAfter: 20_000), ["NOTIFY_WAIT_REPLICAS": "2"]) {
            pod,
            group in
            let user = TestUser()
            let device = try await pod.device(user)
            try await pod.notify(user, message: "both")
            #expect(try await device.push()["message"]?.string == "both")
            for replica in group.servers.dropFirst() {
                #expect(try await WireRedis(port: replica.port)(["XLEN", user.stream]).int == 1)
            }
            group.servers[2].pause()
            let refused = try await pod.post(notifyBody([user], "one"))
            #expect(refused.status == 503 && refused["Retry-After"] == "1")
            #expect(try code(refused) == "not_replicated")
            // It is on the primary, and his devices have it.
            #expect(try await device.push()["message"]?.string == "one")
            group.servers[2].resume()
            try await wait(until: "both confirm again", within: .seconds(20)) {
                try await pod.post(notifyBody([user], "again")).status == 202
            }
        }
    }

    @Test("one that is away does not matter where one of two is enough")
    func oneOfTwo() async throws {
        try await Pod.with(group: try await SentinelGroup.start(downAfter: 20_000), ["NOTIFY_WAIT_REPLICAS": "1"]) {
            pod,
            group in
            let user = TestUser()
            group.servers[2].pause()
            for number in 0..<20 { try await pod.notify(user, message: "\(number)") }
            #expect(try await pod.device(user).replay.texts.count == 20)
            group.servers[2].resume()
        }
    }

    @Test("a keyed request that was not replicated is stored once when it is repeated")
    func keyed() async throws {
        try await Pod.with(group: try await SentinelGroup.start(downAfter: 20_000), ["NOTIFY_WAIT_REPLICAS": "2"]) {
            pod,
            group in
            let user = TestUser()
            group.servers[1].pause()
            #expect(try await pod.post(notifyBody([user], "x"), key: "k").status == 503)
            group.servers[1].resume()
            try await wait(until: "it is taken", within: .seconds(20)) {
                try await pod.post(notifyBody([user], "x"), key: "k").status == 202
            }
            #expect(try await pod.device(user).replay.texts == ["x"])
        }
    }

    @Test("many posts share one WAIT")
    func shared() async throws {
        try await Pod.with(group: try await SentinelGroup.start(downAfter: 20_000), ["NOTIFY_WAIT_REPLICAS": "1"]) {
            pod,
            group in
            let users = (0..<40).map { _ in TestUser() }
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for user in users { tasks.addTask { try await pod.notify(user, message: "x") } }
                try await tasks.waitForAll()
            }
            let waits = try await WireRedis(port: group.first.port).calls()["wait"] ?? 0
            #expect(waits > 0 && waits < users.count)
        }
    }

    @Test("in a cluster each node's replicas confirm what it stores")
    func cluster() async throws {
        try await Pod.with(
            group: try await ClusterGroup.start(replicas: 1, nodeTimeout: 20_000),
            ["NOTIFY_WAIT_REPLICAS": "1"]
        ) { pod, group in
            let users = (0..<12).map { _ in TestUser() }
            for user in users { try await pod.notify(user, message: "x") }
            group.replicas[0].pause()
            var statuses: Set<Int> = []
            for user in users {
                let response = try await pod.post(notifyBody([user], "y"))
                statuses.insert(response.status)
                if response.status != 202 { #expect(try code(response) == "not_replicated", "\(response.text)") }
            }
            #expect(statuses.contains(503) && statuses.isSubset(of: [202, 503]))
            group.replicas[0].resume()
            try await wait(until: "all are taken again", within: .seconds(20)) {
                for user in users where try await pod.post(notifyBody([user], "z")).status != 202 { return false }
                return true
            }
        }
    }
}
