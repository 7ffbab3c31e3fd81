import CarillonTestSupport
import Testing

/// Gives a suite one pod, which all its tests share as `Pod.current`.
struct PodTrait: SuiteTrait, TestScoping {
    let environment: [String: String]

    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        try await Pod.with(environment) { pod in
            try await Pod.$suite.withValue(pod) { try await function() }
            #expect(pod.server.process.exitStatus == nil, "the server ended: \(pod.server.output.suffix(2_000))")
        }
    }
}

extension Trait where Self == PodTrait {
    /// A server with these settings beside the defaults, and a Redis of its own.
    static func pod(_ environment: [String: String] = [:]) -> PodTrait { PodTrait(environment: environment) }
}

/// Lets only a few pods run at once, so that each of them keeps its times on a small machine.
actor Slots {
    static let shared = Slots(count: 3)

    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(count: Int) { free = count }

    func take() async throws {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    func giveBack() {
        if waiting.isEmpty {
            free += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}
