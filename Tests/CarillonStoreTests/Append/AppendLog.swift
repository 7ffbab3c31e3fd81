import CarillonDomain
import NIOCore
import Testing

@testable import CarillonStore

/// What an observer of an append heard.
struct Appended: Sendable {
    struct Entry: Sendable, Equatable {
        let index: Int
        let id: StreamID
        let predecessor: StreamID?
        let otherPods: [String]
    }

    var entries: [Entry] = []
    var stored = 0
}

private final class AppendLog: AppendObserver {
    private var log = Appended()
    private let completion: (Appended) -> Void
    private var isFinished = false

    init(_ completion: @escaping (Appended) -> Void) { self.completion = completion }

    func appended(_ entry: AppendedEntry) {
        #expect(!isFinished)
        log.entries.append(
            .init(index: entry.index, id: entry.streamID, predecessor: entry.predecessor, otherPods: entry.otherPods)
        )
    }

    func appendFinished(stored: Int) {
        #expect(!isFinished)
        isFinished = true
        log.stored = stored
        // In a cluster they are answered in any order.
        log.entries.sort { $0.index < $1.index }
        completion(log)
    }
}

extension StoreLink {
    /// Appends one notification for each user, named by its place (`n0`, `n1`, …) unless told otherwise.
    func append(
        _ users: [User],
        ids: [String]? = nil,
        ttl: Int = 900,
        mode: AppendMode = .plain,
        lookUpPods: Bool = false
    ) async throws -> Appended {
        let targets = users.enumerated().map { index, user in
            AppendTarget(user: user, notificationID: NotificationID(ids?[index] ?? "n\(index)"))
        }
        return try await call { parts, completion in
            parts.store.append(
                try! NotifyRequest.test.content,
                to: targets,
                ttlSeconds: ttl,
                mode: mode,
                lookUpPods: lookUpPods,
                observer: AppendLog(completion)
            )
        }
    }
}

extension NotifyRequest {
    static var test: NotifyRequest {
        get throws {
            let body = ByteBuffer(string: "{\"target\":[{\"id\":1,\"login\":\"u\"}],\"message\":\"m\"}")
            return try NotifyRequest.parse(body, limits: NotifyLimits())
        }
    }
}
