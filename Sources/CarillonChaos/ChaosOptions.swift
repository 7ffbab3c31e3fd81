import Foundation

/// What a run is asked to do.
package struct ChaosOptions: Sendable {
    package var pace = Pace.standard
    package var seed: UInt64
    /// Only these kinds, in this order; what the pace has where empty.
    package var faults: [String] = []
    package var pods = 3
    package var users = 60
    package var devicesPerUser = 1...3
    package var postsPerSecond = 300.0
    /// Share of the posts that carry an Idempotency-Key.
    package var keyedShare = 0.3
    /// Share of these that are sent to two pods at the same moment.
    package var racedShare = 0.2
    /// Share of the posts that are for a channel or everybody, and how many channels there are.
    package var topicShare = 0.1
    package var channels = 4
    package var readShare = 0.5
    /// How long a soak is; nil for all other runs.
    package var soak: SoakPlan?
    /// Settings of the pods.
    package var settings: [String: String] = [:]
    /// Where the pods' logs are kept; a temporary folder where nil, which goes when all is well.
    package var logFolder: String?
    /// Print the verdict alone.
    package var isQuiet = false

    private static let soakPause = 12.0

    package init(seed: UInt64) { self.seed = seed }

    var worldPlan: WorldPlan {
        let folder = logFolder ?? NSTemporaryDirectory() + "carillon-chaos-\(ProcessInfo.processInfo.processIdentifier)"
        let settings = (soak?.settings ?? [:]).merging(settings) { $1 }
        return WorldPlan(pods: pods, settings: settings, logFolder: folder)
    }

    var schedule: Schedule {
        // More than fit into a soak, whose length decides how many there are.
        let rounds = soak.map { Int($0.seconds / Self.soakPause) + 1 } ?? 1
        return Schedule(FaultDraw(seed: seed, pace: pace, pods: pods, users: users), names: faults, rounds: rounds)
    }

    /// The command that repeats the run.
    package var command: String {
        var words = ["carillon-chaos", "--schedule", pace.rawValue, "--seed", "\(seed)"]
        let standard = ChaosOptions(seed: seed)
        if let soak { words += ["--minutes", "\(soak.seconds / 60)"] }
        if !faults.isEmpty { words += ["--faults", faults.joined(separator: ",")] }
        func add(_ name: String, _ value: String, unless isStandard: Bool) {
            if !isStandard { words += [name, value] }
        }
        add("--pods", "\(pods)", unless: pods == standard.pods)
        add("--users", "\(users)", unless: users == standard.users)
        add("--rate", "\(postsPerSecond)", unless: postsPerSecond == standard.postsPerSecond)
        let devices = "\(devicesPerUser.lowerBound)...\(devicesPerUser.upperBound)"
        add("--devices", devices, unless: devicesPerUser == standard.devicesPerUser)
        add("--keyed", "\(keyedShare)", unless: keyedShare == standard.keyedShare)
        add("--raced", "\(racedShare)", unless: racedShare == standard.racedShare)
        add("--topics", "\(topicShare)", unless: topicShare == standard.topicShare)
        add("--channels", "\(channels)", unless: channels == standard.channels)
        add("--read", "\(readShare)", unless: readShare == standard.readShare)
        for (name, value) in settings.sorted(by: { $0.key < $1.key }) { words += ["--set", "\(name)=\(value)"] }
        return words.joined(separator: " ")
    }
}
