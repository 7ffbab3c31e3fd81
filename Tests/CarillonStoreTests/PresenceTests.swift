import CarillonDomain
import CarillonRedis
import CarillonTestSupport
import Testing

@testable import CarillonStore

@Suite struct PresenceTests {
    private let alice = User.test(1, "alice")
    private let lock = "notif:lock:consumer:1-alice"
    private let presence = "notif:conn:1-alice"

    /// The pod that holds the lock once `link`'s pod has joined.
    private func join(_ link: StoreLink, holdsLock: Bool = false) async throws -> String {
        let own = link.settings.podID
        return try await link.call { parts, completion in
            parts.store.join(alice.key, holdsLock: holdsLock) { _ in
            } lock: {
                completion(Self.name($0, own))
            }
        }
    }

    private func takeOver(_ link: StoreLink, from pod: String) async throws -> String {
        let own = link.settings.podID
        return try await link.call { parts, completion in
            parts.store.takeOver(alice.key, from: pod) { completion(Self.name($0, own)) }
        }
    }

    private static func name(_ holder: LockHolder, _ own: String) -> String {
        switch holder {
        case .thisPod: own
        case .otherPod(let pod): pod
        }
    }

    private func pods(_ link: StoreLink) async throws -> [String] {
        try await link.redis("HKEYS", presence).array?.compactMap(\.string).sorted() ?? []
    }

    @Test func theFirstPodGetsTheLock() async throws {
        try await StoreLink.with(
            { $0.lockTTLSeconds = 60 },
            { a in
                let b = try await StoreLink.open(a.process) { $0.podID = "b" }
                let commands = try await a.commands {
                    let holder = try await join(a)
                    #expect(holder == "a")
                }
                #expect(commands == ["hset": 1, "expire": 1, "set": 1])
                #expect(try await join(b) == "a")
                #expect(try await join(a) == "a")
                #expect(try await a.redis("GET", lock).string == "a")
                #expect(try await pods(a) == ["a", "b"])
                let now = try await a.now() / 1_000
                for expiry in try await a.redis("HVALS", presence).array ?? [] {
                    #expect((now + 50...now + 61).contains(Int(expiry.integer ?? 0)))
                }
                for key in [lock, presence] { #expect((50...60).contains(try await a.redis("TTL", key).integer ?? 0)) }
                try await b.close()
            }
        )
    }

    @Test func theHolderRenewsWithOneCommandLess() async throws {
        try await StoreLink.with { link in
            _ = try await join(link)
            for key in [lock, presence] { try await link.redis("EXPIRE", key, "5") }
            let commands = try await link.commands {
                let holder = try await join(link, holdsLock: true)
                #expect(holder == "a")
            }
            #expect(commands == ["hset": 1, "expire": 1, "getex": 1])
            for key in [lock, presence] { #expect((50...60).contains(try await link.redis("TTL", key).integer ?? 0)) }
        }
    }

    @Test func aHolderWhoseLockExpiredTakesItAgain() async throws {
        try await StoreLink.with { link in
            _ = try await join(link)
            try await link.redis("DEL", lock)
            #expect(try await join(link, holdsLock: true) == "a")
            #expect(try await link.redis("GET", lock).string == "a")
            #expect((50...60).contains(try await link.redis("TTL", lock).integer ?? 0))
        }
    }

    @Test func aHolderWhoLostTheLockLearnsToWhom() async throws {
        try await StoreLink.with { link in
            _ = try await join(link)
            try await link.redis("SET", lock, "b")
            #expect(try await join(link, holdsLock: true) == "b")
            #expect(try await link.redis("GET", lock).string == "b")
        }
    }

    @Test func joiningAgainRenews() async throws {
        try await StoreLink.with { link in
            _ = try await join(link)
            for key in [lock, presence] { try await link.redis("EXPIRE", key, "5") }
            #expect(try await join(link) == "a")
            for key in [lock, presence] {
                try await wait(until: "Redis has done it", within: .seconds(30)) {
                    try await link.redis("TTL", key).integer ?? 0 > 50
                }
            }
        }
    }

    @Test func aForeignLockIsNotRenewed() async throws {
        try await StoreLink.with { link in
            try await link.redis("SET", lock, "stranger", "EX", "5")
            #expect(try await join(link) == "stranger")
            #expect((1...5).contains(try await link.redis("TTL", lock).integer ?? 0))
            #expect(try await pods(link) == ["a"])
        }
    }

    @Test func leavingFreesOnlyWhatIsOurs() async throws {
        try await StoreLink.with { a in
            let b = try await StoreLink.open(a.process) { $0.podID = "b" }
            _ = try await join(a)
            _ = try await join(b)
            try await b.run { $0.store.leave(alice.key, holdsLock: true) { _ in } }
            try await wait(until: "Redis has done it", within: .seconds(30)) { try await pods(a) == ["a"] }
            #expect(try await a.redis("GET", lock).string == "a")
            try await a.run { $0.store.leave(alice.key, holdsLock: false) { _ in } }
            try await wait(until: "Redis has done it", within: .seconds(30)) {
                try await a.redis("EXISTS", presence) == .integer(0)
            }
            #expect(try await a.redis("GET", lock).string == "a")
            try await a.run { $0.store.leave(alice.key, holdsLock: true) { _ in } }
            try await wait(until: "Redis has done it", within: .seconds(30)) {
                try await a.redis("EXISTS", lock) == .integer(0)
            }
            try await b.close()
        }
    }

    @Test func aDeadPodsLockAndPresenceAreTakenOver() async throws {
        try await StoreLink.with { link in
            try await link.redis("SET", lock, "dead")
            try await link.redis("HSET", presence, "dead", "1", "b", "1")
            #expect(try await takeOver(link, from: "dead") == "a")
            #expect(try await link.redis("GET", lock).string == "a")
            #expect(try await pods(link) == ["b"])
            // Somebody else was faster.
            try await link.redis("SET", lock, "b")
            #expect(try await takeOver(link, from: "dead") == "b")
            #expect(try await link.redis("GET", lock).string == "b")
        }
    }

    @Test func thePodsOwnKeysAreReleased() async throws {
        try await StoreLink.with { link in
            for owner in ["run-a", "run-of-a-newer-one"] {
                try await link.redis("HSET", "notif:pods:hb", "a", "1", "b", "1")
                try await link.redis("XADD", "notif:bus:a", "*", "a", "b")
                try await link.redis("SET", "notif:pod:a", owner)
                try await link.run { $0.store.releasePod() }
                try await wait(until: "Redis has done it", within: .seconds(30)) {
                    try await link.redis("EXISTS", "notif:bus:a") == .integer(0)
                }
                #expect(try await link.redis("HKEYS", "notif:pods:hb").array?.compactMap(\.string) == ["b"])
                #expect(try await link.redis("GET", "notif:pod:a").string == (owner == "run-a" ? nil : owner))
            }
        }
    }

    @Test func theEpochIsThatOfTheReplicationHistory() async throws {
        try await StoreLink.with { link in
            func epoch() async throws -> String {
                let result: Result<String, StoreError> = try await link.call { parts, completion in
                    parts.store.epoch(completion: completion)
                }
                return try result.get()
            }
            let first = try await epoch()
            #expect(first.count == 16)
            #expect(try await epoch() == first)
            if TestTopology.current == .standalone {
                #expect(try await link.redis("INFO", "replication").string?.contains("master_replid:\(first)") == true)
            }
            try await link.process.restart()
            try await wait(until: "the epoch is another one", within: .seconds(30)) {
                guard let now = try? await epoch() else { return false }
                return now != first
            }
        }
    }

    @Test func aMissingUserIsNoticedAmongMany() async throws {
        try await StoreLink.with { link in
            let users = (1...5).map { User.test(Int64($0)).key }
            func areAllPresent() async throws -> Bool {
                try await link.call { parts, completion in parts.store.areAllPresent(users, completion: completion) }
            }
            #expect(try await !areAllPresent())
            for user in users { try await link.redis("HSET", "notif:conn:\(user)", "a", "1") }
            #expect(try await areAllPresent())
            try await link.redis("DEL", "notif:conn:3-u")
            #expect(try await !areAllPresent())
            // Another pod holds devices of the user; what is said of this one shows when he is looked at alone.
            try await link.redis("HSET", "notif:conn:3-u", "b", "1")
            #expect(try await areAllPresent())
            #expect(
                try await !link.call { parts, completion in parts.store.isPresent(users[2], completion: completion) }
            )
        }
    }

    /// On a slow link a pod may be taken for dead after it has looked at the table, and before it says that it lives.
    @Test func aPodNoticesThatItWasTakenForDeadWhileItSpoke() async throws {
        try await StoreLink.with { link in
            let registry = PodRegistry(redis: link.client, settings: link.settings)
            #expect(try await !registry.beat().knowsThisPod)
            #expect(try await registry.beat().knowsThisPod)
            #expect(try await registry.sayAlive())
            try await registry.remove("a")
            #expect(try await !registry.sayAlive())
            // Removed at some moment of a beat, now and then it is so between the two. No sleep is short enough for it.
            let other = try WireRedis(port: link.process.port)
            try await wait(until: "a beat saw its field, and found it gone when it wrote", within: .seconds(60)) {
                try await other(["HSET", "notif:pods:hb", "a", "1"])
                let length = try await ContinuousClock().measure { _ = try await registry.beat() }
                async let beat = registry.beat()
                let moment = ContinuousClock.now + length * Double.random(in: 0...1)
                while ContinuousClock.now < moment {}
                try await other(["HDEL", "notif:pods:hb", "a"])
                let seen = try await beat
                return seen.heartbeats["a"] != nil && !seen.knowsThisPod
            }
        }
    }

    @Test func namesOfPods() async throws {
        try await StoreLink.with { link in
            let old = PodRegistry(redis: link.client, settings: link.settings)
            var settings = link.settings
            settings.runID = "run-new"
            let new = PodRegistry(redis: link.client, settings: settings)
            #expect(try await !old.claim())
            #expect(try await old.beat().otherOwner == nil)
            #expect(try await link.redis("HEXISTS", "notif:pods:hb", "a") == .integer(1))
            try await link.redis("HSET", "notif:pods:hb", "b", "7")
            #expect(try await old.beat().heartbeats["b"] == "7")
            #expect(try await new.claim())
            let seen = try await old.beat()
            #expect(seen.otherOwner == "run-new")
            #expect(seen.heartbeats.isEmpty)
            #expect(try await new.beat().otherOwner == nil)
            try await link.redis("DEL", "notif:pod:a")
            #expect(try await new.beat().otherOwner == nil)
            #expect(try await link.redis("GET", "notif:pod:a").string == "run-new")
            try await link.redis("XADD", "notif:bus:b", "*", "a", "b")
            try await new.remove("b")
            #expect(try await link.redis("HEXISTS", "notif:pods:hb", "b") == .integer(0))
            #expect(try await link.redis("EXISTS", "notif:bus:b") == .integer(0))
        }
    }
}
