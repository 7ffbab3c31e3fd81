/// Something that a bench measures of a hub that has just been started.
protocol CellWork: Sendable {
    func run(_ hub: any Hub, _ result: inout CellResult, _ pace: BenchPace) async throws
}

/// How long measurements take, against what is usual.
struct BenchPace: Sendable {
    let factor: Double

    func scaled(_ duration: Duration) -> Duration { .milliseconds(Int64(duration.seconds * factor * 1_000)) }
}

/// One row of the bench: a load, and the hubs that it makes sense for.
package struct Cell: Sendable {
    package let name: String
    /// One line: what is done.
    package let summary: String
    let work: any CellWork
    /// Pods of Carillon.
    var pods = 1
    /// See `CarillonHub`.
    var isCrossed = false
    var primaries: Int?
    /// The rivals that can do the same.
    let rivals: Set<HubKind>
    /// A hub that runs elsewhere will do.
    var isRemote = true

    package static func named(_ name: String) -> Cell? { all.first { $0.name == name } }

    package static let all = throughput + latency + devices + scale

    private static let throughput: [Cell] = [
        closed("closed-1k", "1,000 devices, 256 publishers, as fast as it is delivered", connections: 1_000),
        closed("closed-1k-32", "1,000 devices, 32 publishers", connections: 1_000, publishers: 32),
        closed("closed-10k", "10,000 devices, 256 publishers", connections: 10_000),
        closed("closed-10k-32", "10,000 devices, 32 publishers", connections: 10_000, publishers: 32),
        Cell(
            name: "read-1k",
            summary: "1,000 devices, each push answered with notification.read",
            work: RateCell(shape: LoadShape(connections: 1_000, users: 1_000, publishers: 32, reads: true)),
            rivals: []
        ),
        Cell(
            name: "targets-100",
            summary: "10,000 devices, 100 targets in each request",
            work: RateCell(
                shape: LoadShape(
                    connections: 10_000,
                    users: 10_000,
                    targets: 100,
                    publishers: 8,
                    pace: .closed(window: 40)
                )
            ),
            rivals: []
        ),
        Cell(
            name: "targets-1000",
            summary: "10,000 users' inboxes in ten requests of 1,000 targets",
            work: RateCell(
                shape: LoadShape(
                    connections: 10_000,
                    users: 10_000,
                    targets: 1_000,
                    publishers: 1,
                    pace: .closed(window: 4)
                )
            ),
            rivals: []
        ),
        Cell(
            name: "fanout-10k",
            summary: "10,000 devices of one user",
            work: RateCell(
                shape: LoadShape(connections: 10_000, users: 1, publishers: 1, pace: .closed(window: 2))
            ),
            rivals: [.nchan, .nats, .bare]
        ),
        Cell(
            name: "topic-10k",
            summary: "10,000 users with a device each, subscribed to one channel",
            work: RateCell(
                shape: LoadShape(
                    connections: 10_000,
                    users: 1,
                    isTopics: true,
                    publishers: 1,
                    pace: .closed(window: 2)
                )
            ),
            rivals: []
        ),
        Cell(
            name: "topics-1k",
            summary: "1,000 channels with one subscriber each, 256 publishers",
            work: RateCell(shape: LoadShape(connections: 1_000, users: 1_000, isTopics: true)),
            rivals: []
        ),
    ]

    private static let latency: [Cell] = [
        open("open-1k", "10,000 devices, 1,000 messages per second", perSecond: 1_000),
        open("open-5k", "10,000 devices, 5,000 messages per second", perSecond: 5_000),
    ]

    private static let devices: [Cell] = [
        Cell(
            name: "idle-10k",
            summary: "10,000 devices that say nothing",
            work: IdleCell(connections: 10_000),
            rivals: [.nchan, .nats, .bare],
            isRemote: false
        ),
        Cell(
            name: "idle-18k",
            summary: "18,000 devices that say nothing",
            work: IdleCell(connections: 18_000),
            rivals: [.nchan, .nats, .bare],
            isRemote: false
        ),
        Cell(
            name: "storm-10k",
            summary: "the hub is killed under 10,000 devices; all come back at once, each missing one message",
            work: StormCell(connections: 10_000),
            rivals: [.nchan],
            isRemote: false
        ),
    ]

    private static let scale: [Cell] = [
        pods("pods-2", "closed-10k over two pods", count: 2, isCrossed: false),
        pods("pods-3", "closed-10k over three pods", count: 3, isCrossed: false),
        pods("pods-crossed", "closed-10k, published on one pod and delivered by another", count: 2, isCrossed: true),
        cluster(1), cluster(2), cluster(3),
        Cell(
            name: "streams-1m",
            summary: "open-1k with the inboxes of 1,000,000 users stored",
            work: StreamsCell(users: 1_000_000, rate: RateCell(shape: openShape(1_000))),
            rivals: [],
            isRemote: false
        ),
    ]

    private static func closed(_ name: String, _ summary: String, connections: Int, publishers: Int = 256) -> Cell {
        Cell(
            name: name,
            summary: summary,
            work: RateCell(shape: LoadShape(connections: connections, users: connections, publishers: publishers)),
            rivals: [.nchan, .nats, .bare]
        )
    }

    private static func openShape(_ perSecond: Double) -> LoadShape {
        LoadShape(connections: 10_000, users: 10_000, pace: .open(perSecond: perSecond), isRandom: true)
    }

    private static func open(_ name: String, _ summary: String, perSecond: Double) -> Cell {
        Cell(
            name: name,
            summary: summary,
            work: RateCell(shape: openShape(perSecond), duration: .seconds(10)),
            rivals: [.nchan, .nats, .bare]
        )
    }

    private static func cluster(_ primaries: Int) -> Cell {
        Cell(
            name: "cluster-\(primaries)",
            summary: "closed-10k on a cluster of \(primaries) \(primaries == 1 ? "primary" : "primaries")",
            work: RateCell(shape: LoadShape(connections: 10_000, users: 10_000)),
            primaries: primaries,
            rivals: [],
            isRemote: false
        )
    }

    private static func pods(_ name: String, _ summary: String, count: Int, isCrossed: Bool) -> Cell {
        Cell(
            name: name,
            summary: summary,
            work: RateCell(shape: LoadShape(connections: 10_000, users: 10_000)),
            pods: count,
            isCrossed: isCrossed,
            rivals: [],
            isRemote: false
        )
    }
}
