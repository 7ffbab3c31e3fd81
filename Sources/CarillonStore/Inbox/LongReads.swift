import Synchronization

/// Room for reading long lists, a few at a time: in the making a list is several times as long as what it is made of.
///
/// - Isolation: any task
final class LongReads: Sendable {
    /// A turn, as long as it is held.
    final class Turn: Sendable {
        private let reads: LongReads

        fileprivate init(_ reads: LongReads) { self.reads = reads }

        deinit { reads.leave() }
    }

    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(atOnce count: Int = 2) { state = Mutex(State(free: count)) }

    /// Waits for a turn.
    func enter() async -> Turn {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.free == 0 else {
                    state.free -= 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
        return Turn(self)
    }

    private func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.free += 1
            return nil
        }
        next?.resume()
    }
}
