import CarillonDomain
package import CarillonMetrics
import CarillonStore
package import Logging
import ServiceLifecycle

/// Repeats a round of work until the pod shuts down; a failed round is logged and the next one tries again.
///
/// - Isolation: a task of its own
struct PeriodicWorker: Sendable {
    let name: WorkerName
    let interval: Duration
    let metrics: Metrics
    let logger: Logger

    /// - Parameter round: Does one round and returns how many things it changed.
    func run(_ round: @escaping @Sendable () async throws -> Int) async throws {
        let counters = metrics.worker(name)
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                // Pods that were started together must not come at the same moment for ever.
                try? await Task.sleep(for: interval * Double.random(in: 0.9...1.1))
                guard !Task.isCancelled else { return }
                do {
                    let items = try await round()
                    counters.items.increment(by: items)
                } catch is CancellationError {
                    return
                } catch {
                    counters.errors.increment()
                    // That Redis is away is said once, by the connection.
                    let isKnown = (error as? StoreError)?.code == .unavailable
                    logger.log(
                        level: isKnown ? .debug : .warning,
                        "a round of work failed",
                        metadata: ["worker": "\(name.label)", "error": "\(error)"]
                    )
                }
                counters.runs.increment()
            }
        }
    }

    /// A user could not be worked on; the round goes on without him.
    func passedOver(_ user: UserKey, _ error: StoreError) {
        metrics.worker(name).errors.increment()
        logger.warning(
            "a user was passed over",
            metadata: ["worker": "\(name.label)", "user": "\(user)", "error": "\(error.detail)"]
        )
    }
}

/// How often, and with what, the workers of a pod work.
package struct WorkerContext: Sendable {
    package let metrics: Metrics
    let logger: Logger

    package init(metrics: Metrics, logger: Logger) {
        self.metrics = metrics
        self.logger = logger
    }

    func periodic(_ name: WorkerName, every interval: Duration) -> PeriodicWorker {
        PeriodicWorker(name: name, interval: interval, metrics: metrics, logger: logger)
    }
}
