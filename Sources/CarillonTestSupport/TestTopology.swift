import Foundation

/// What tests that need a Redis run on: `CARILLON_TEST_TOPOLOGY=cluster` has them run on a cluster of three nodes.
package enum TestTopology: String {
    case standalone
    case cluster

    package static let current =
        ProcessInfo.processInfo.environment["CARILLON_TEST_TOPOLOGY"].flatMap(TestTopology.init) ?? .standalone
}
