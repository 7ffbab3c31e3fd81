import CarillonLoad
package import CarillonTestSupport
import NIOCore

/// One life of a pod.
package struct ProcessLife: Sendable {
    package let pod: String
    package let id: Int32
    package var samples: [(second: Double, status: ProcessStatus)] = []

    package init(pod: String, id: Int32) {
        self.pod = pod
        self.id = id
    }
}

/// What the load did since it was last asked.
struct LoadReading: Sendable {
    /// Since the beginning.
    let posts: Int
    let deliveries: Int
    /// Since the last reading.
    let latency: LatencyHistogram
}

/// A second of the load.
package struct LoadSample: Sendable {
    package let second: Double
    package let postsPerSecond: Double
    package let deliveriesPerSecond: Double
    /// Milliseconds from the post to the push; nil where nothing was delivered.
    package let p50: Double?
    package let p99: Double?
}

/// All that was seen of a soak, in seconds since its beginning.
package struct SoakRecord: Sendable {
    package var lives: [ProcessLife] = []
    package var load: [LoadSample] = []
    package var redis: [RedisSample] = []
    package var mostKeys = KeyCensus()
    package var deliveries = 0
    package var posts = 0

    package init() {}
}

/// Looks each second at what pods and Redis need and at what the load does. While Redis gives no answer, nothing is known of it.
actor SoakWatch {
    private static let interval = Duration.seconds(1)
    /// Between two counts of all keys.
    private static let censusInterval = 10.0

    private let world: World
    private let readLoad: @Sendable () async -> LoadReading?
    private let begin: ContinuousClock.Instant
    private var tasks: [Task<Void, Never>] = []
    private(set) var record = SoakRecord()
    private var lastLoad: (second: Double, posts: Int, deliveries: Int)?

    /// - Parameter readLoad: Gives nil while there is no load.
    init(_ world: World, begin: ContinuousClock.Instant, readLoad: @escaping @Sendable () async -> LoadReading?) {
        self.world = world
        self.begin = begin
        self.readLoad = readLoad
    }

    func start() {
        tasks = [
            Task { [weak self] in
                while !Task.isCancelled {
                    await self?.look()
                    try? await Task.sleep(for: Self.interval)
                }
            },
            Task { [weak self] in
                while !Task.isCancelled {
                    // Over a new connection whenever the old one has broken.
                    try? await self?.lookAtRedis()
                    try? await Task.sleep(for: Self.interval)
                }
            },
        ]
    }

    func stop() { tasks.forEach { $0.cancel() } }

    private var second: Double { (ContinuousClock.now - begin) / .seconds(1) }

    private func look() async {
        for (pod, id) in await world.processes {
            guard let status = ProcessStatus(pid: id) else { continue }
            var index = record.lives.lastIndex { $0.id == id && $0.pod == pod }
            if index == nil {
                record.lives.append(ProcessLife(pod: pod, id: id))
                index = record.lives.count - 1
            }
            if let index { record.lives[index].samples.append((second, status)) }
        }
        guard let reading = await readLoad() else { return }
        let now = second
        if let last = lastLoad, now > last.second {
            func milliseconds(_ share: Double) -> Double? {
                guard reading.latency.count > 0 else { return nil }
                return Double(reading.latency.percentile(share).nanoseconds) / 1e6
            }
            record.load.append(
                LoadSample(
                    second: now,
                    postsPerSecond: Double(reading.posts - last.posts) / (now - last.second),
                    deliveriesPerSecond: Double(reading.deliveries - last.deliveries) / (now - last.second),
                    p50: milliseconds(0.5),
                    p99: milliseconds(0.99)
                )
            )
        }
        lastLoad = (now, reading.posts, reading.deliveries)
        record.posts = reading.posts
        record.deliveries = reading.deliveries
    }

    private func lookAtRedis() async throws {
        let meter = try RedisMeter(port: world.redis.port)
        var lastCensus = -Self.censusInterval
        while !Task.isCancelled {
            record.redis.append(try await meter.sample(second: second))
            if second >= lastCensus + Self.censusInterval {
                lastCensus = second
                record.mostKeys.raise(to: try await meter.census())
            }
            try await Task.sleep(for: Self.interval)
        }
    }
}
