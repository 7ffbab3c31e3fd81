// Stands in until the real ledger and fleet are merged.
package import NIOCore

package enum Excuse: Sendable {
    case nothing
    case unsynced(Duration)
    case wiped(users: Set<Int>?)
}

package struct FaultRecord: Sendable {
    package let name: String
    package let detail: String
    package let excuse: Excuse

    package init(name: String, detail: String, excuse: Excuse) {
        self.name = name
        self.detail = detail
        self.excuse = excuse
    }
}

package final class Ledger {
    private var faults = 0
    package init() {}
    package func faultBegan(_ fault: FaultRecord) -> Int {
        faults += 1
        return faults - 1
    }
    package func faultEnded(_ fault: Int) {}
}

package struct FleetPlan: Sendable {
    var users: Int
    var devicesPerUser: ClosedRange<Int>
    var postsPerSecond: Double
    var posters: Int
    var keyedShare: Double
    var racedShare: Double
    var manyTargetsShare: Double
    var readShare: Double
    var moveEvery: Duration?
    var fullReplayShare: Double
}

package final class Fleet {
    package init(eventLoop: any EventLoop, plan: FleetPlan, ports: [Int], ledger: Ledger, seed: UInt64) {}
    package func start() {}
    package func changePorts(_ ports: [Int]) {}
    package func stopPosting() {}
    package var isSettled: Bool { true }
    package func stop() {}
}
