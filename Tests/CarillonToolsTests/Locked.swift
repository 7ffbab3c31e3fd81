import Synchronization

/// A value that several threads share.
final class Locked<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: Value) { mutex = Mutex(value) }

    func with<Answer: Sendable>(_ body: (inout Value) -> Answer) -> Answer {
        mutex.withLock { value in
            var copy = value
            let answer = body(&copy)
            value = copy
            return answer
        }
    }
}
