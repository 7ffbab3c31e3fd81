internal import CarillonTestSupport

/// What one attack did.
package struct AttackRow: Sendable {
    /// A figure before an attack, its highest during it, and once all is over.
    struct Course: Sendable {
        var before = 0
        var peak = 0
        var after = 0
    }

    let name: String
    let summary: String
    /// What good users saw before.
    let calm: GoodWindow
    /// What they saw meanwhile.
    var attacked = GoodWindow()
    var result = AttackResult(attemptsPerSecond: 0, outcomes: [:])
    /// Resident bytes of the server.
    var memory = Course()
    var descriptors = Course()
    package internal(set) var faults: [String] = []

    init(name: String, summary: String, calm: GoodWindow) {
        self.name = name
        self.summary = summary
        self.calm = calm
    }

    mutating func note(_ status: ProcessStatus) {
        memory.peak = max(memory.peak, status.residentBytes)
        descriptors.peak = max(descriptors.peak, status.descriptors)
    }
}
