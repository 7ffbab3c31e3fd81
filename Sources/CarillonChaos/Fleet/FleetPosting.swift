internal import CarillonDomain
internal import CarillonLoad
internal import NIOCore

/// Posts at the planned rate, whether answers come or not, over a fixed number of connections.
///
/// Posts without a key are sent once. Those with one are repeated, to the next pod, until they are accepted.
/// - Isolation: the event loop
final class FleetPosting {
    private static let interval = TimeAmount.milliseconds(5)
    /// Posts that wait for a free connection, in seconds of the rate; what is beyond is not posted.
    private static let backlogSeconds = 1.0
    private static let longestRetry = TimeAmount.milliseconds(300)
    private static let usualRetry = TimeAmount.milliseconds(100)
    /// Every so many posts have a message that is too long for the pods' bus.
    private static let longMessageShare = 0.02
    private static let crowd = 100

    /// A post until its outcome is known.
    private final class Job {
        let token: Int
        let body: ByteBuffer
        let key: String?
        let isRaced: Bool
        /// Tries under way.
        var tries = 0
        var isAccepted = false
        var mayBeStored = false
        var isFinal = false
        var lastPort: Int?
        var retryAfter = FleetPosting.usualRetry

        init(token: Int, body: ByteBuffer, key: String?, isRaced: Bool) {
            self.token = token
            self.body = body
            self.key = key
            self.isRaced = isRaced
        }
    }

    private unowned let fleet: Fleet
    private var idle: [LoadPoster] = []
    private var posters: [LoadPoster] = []
    private var isPosting = false
    private var waiting: [Job] = []
    /// Jobs that are waiting, under way or to be repeated.
    private var open = 0
    private var dueCount = 0.0
    private var lastTick = NIODeadline.now()

    init(fleet: Fleet) {
        self.fleet = fleet
        posters = (0..<fleet.plan.posters).map { index in
            LoadPoster(eventLoop: fleet.eventLoop, port: fleet.ports[index % fleet.ports.count])
        }
        idle = posters
    }

    var isSettled: Bool { open == 0 }

    func start() {
        isPosting = true
        lastTick = .now()
        tick()
    }

    func stop() { isPosting = false }

    func close() { posters.forEach { $0.close() } }

    private func tick() {
        let now = NIODeadline.now()
        if isPosting { take(now) }
        lastTick = now
        dispatch()
        fleet.after(Self.interval) { [unowned self] in tick() }
    }

    /// Takes what has become due since the last look.
    private func take(_ now: NIODeadline) {
        dueCount += fleet.plan.postsPerSecond * Double((now - lastTick).nanoseconds) / 1e9
        while dueCount >= 1 {
            dueCount -= 1
            if Double(waiting.count) < max(1, fleet.plan.postsPerSecond * Self.backlogSeconds) {
                waiting.append(makeJob())
                open += 1
            } else {
                fleet.ledger.skippedPost()
            }
        }
    }

    private func makeJob() -> Job {
        let isKeyed = fleet.chance(fleet.plan.keyedShare)
        let (token, whom) = fleet.chance(fleet.plan.topicShare) ? bookTopic(isKeyed) : bookTargets(isKeyed)
        let isLong = fleet.chance(Self.longMessageShare)
        let padding = isLong ? 6_000 : Int.random(in: 0...200, using: &fleet.random)
        let message = JSON.quoted(MessageToken.message(token, padding: padding))
        let life = fleet.payloadSeconds.map { ",\"ttl_seconds\":\($0)" } ?? ""
        return Job(
            token: token,
            body: ByteBuffer(string: "{\(whom),\"message\":\(message)\(life),\"source\":\"chaos\"}"),
            key: isKeyed ? "chaos-\(token)" : nil,
            isRaced: isKeyed && fleet.chance(fleet.plan.racedShare)
        )
    }

    /// Books a post for a channel or for everybody. - Returns: its token, and how the request names whom it is for.
    private func bookTopic(_ isKeyed: Bool) -> (Int, String) {
        let plan = fleet.plan
        let channel = fleet.chance(plan.everybodyShare) ? nil : plan.channels.randomElement(using: &fleet.random)
        let token = fleet.ledger.posted(to: channel ?? .everybody, isKeyed: isKeyed)
        let audience = channel.map { "{\"channel\":\(JSON.quoted($0.name))}" } ?? "{\"all\":true}"
        return (token, "\"audience\":\(audience)")
    }

    /// Books a post for one user or several.
    private func bookTargets(_ isKeyed: Bool) -> (Int, String) {
        let plan = fleet.plan
        var targets: Set<Int> = [Int.random(in: 0..<plan.users, using: &fleet.random)]
        if plan.users > 1 {
            var count = 1
            if fleet.chance(plan.manyTargetsShare) { count = Int.random(in: 2...10, using: &fleet.random) }
            if fleet.chance(plan.crowdShare) { count = Self.crowd }
            count = min(count, plan.users)
            while targets.count < count { targets.insert(Int.random(in: 0..<plan.users, using: &fleet.random)) }
        }
        let users = targets.sorted()
        let target = users.map { FleetUser(index: $0).json }.joined(separator: ",")
        return (fleet.ledger.posted(to: users, isKeyed: isKeyed), "\"target\":[\(target)]")
    }

    private func dispatch() {
        while let job = waiting.first, let poster = takePoster(other: job.lastPort) {
            waiting.removeFirst()
            send(job, poster)
            if job.isRaced, let other = takePoster(other: poster.port) { send(job, other) }
        }
    }

    /// A free connection, to another pod than `port` where there is one.
    private func takePoster(other port: Int?) -> LoadPoster? {
        guard !idle.isEmpty else { return nil }
        let start = Int.random(in: 0..<idle.count, using: &fleet.random)
        let order = (0..<idle.count).lazy.map { [count = idle.count] in (start + $0) % count }
        let index = order.first { [idle] in idle[$0].port != port } ?? start
        idle.swapAt(index, idle.count - 1)
        let poster = idle.removeLast()
        if !fleet.ports.contains(poster.port) { poster.move(to: fleet.port(other: poster.port)) }
        return poster
    }

    private func send(_ job: Job, _ poster: LoadPoster) {
        job.tries += 1
        job.lastPort = poster.port
        let tried = fleet.ledger.tried(job.token)
        poster.post(job.body, idempotencyKey: job.key) { [unowned self] result in
            guard !fleet.isStopped else { return }
            idle.append(poster)
            job.tries -= 1
            judge(job, result, tried)
            if job.tries == 0 { conclude(job) }
            dispatch()
        }
    }

    private func judge(_ job: Job, _ result: LoadPostResult, _ tried: NIODeadline) {
        switch result {
        case .answered(let answer) where answer.status == 202:
            job.isAccepted = true
            fleet.ledger.accepted(job.token, ids: answer.notificationIDs ?? [], tried: tried)
        case .answered(let answer):
            let mayBeStored = fleet.ledger.refused(
                job.token,
                status: answer.status,
                retryAfterSeconds: answer.retryAfterSeconds,
                tried: tried
            )
            job.mayBeStored = job.mayBeStored || mayBeStored
            job.isFinal = job.isFinal || !mayBeStored
            let asked = answer.retryAfterSeconds.map { TimeAmount.seconds(Int64($0)) } ?? Self.usualRetry
            job.retryAfter = min(asked, Self.longestRetry)
        case .failed(let error, let sent):
            fleet.ledger.unanswered(job.token, error, sent: sent, tried: tried)
            job.mayBeStored = job.mayBeStored || sent
            job.retryAfter = Self.usualRetry
        }
    }

    private func conclude(_ job: Job) {
        if !job.isAccepted, job.key != nil, !job.isFinal {
            fleet.after(job.retryAfter) { [unowned self] in waiting.insert(job, at: 0) }
            return
        }
        open -= 1
        if !job.isAccepted { fleet.ledger.gaveUp(job.token, mayBeStored: job.mayBeStored) }
    }
}

@available(*, unavailable)
extension FleetPosting: Sendable {}
