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
    /// What good users saw before it and after it.
    var calm = GoodWindow()
    /// What they saw meanwhile.
    var attacked = GoodWindow()
    var result = AttackResult(attemptsPerSecond: 0, outcomes: [:])
    /// Resident bytes of the server.
    private(set) var memory: Course
    private(set) var descriptors: Course
    package internal(set) var faults: [String] = []

    init(name: String, summary: String, before: ProcessStatus) {
        self.name = name
        self.summary = summary
        memory = Course(before: before.residentBytes)
        descriptors = Course(before: before.descriptors)
    }

    mutating func note(_ status: ProcessStatus) {
        memory.peak = max(memory.peak, status.residentBytes)
        descriptors.peak = max(descriptors.peak, status.descriptors)
    }

    mutating func after(_ status: ProcessStatus) {
        memory.after = status.residentBytes
        descriptors.after = status.descriptors
    }
}
