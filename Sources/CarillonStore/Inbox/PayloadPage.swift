package import CarillonDomain
package import NIOCore

extension InboxStore {
    /// Payloads of the first of `ids`: as many as it takes until they have `bytes` together, and one at least.
    ///
    /// A few are asked for at a time, by the length of those before: so no more is ever on its way than is wanted, and whoever asks for
    /// much that is long holds up nobody.
    ///
    /// - Parameter length: What one has, as far as is known: `averageLength` of the page before.
    package func payloads(
        of ids: [NotificationID],
        upTo bytes: Int,
        each length: Int? = nil,
        completion: @escaping (Result<[ByteBuffer?], StoreError>) -> Void
    ) {
        PayloadPage(self, ids, upTo: bytes, each: length, completion: completion).goOn()
    }
}

extension [ByteBuffer?] {
    /// Of payloads, and of those that have expired; nil where there is none.
    package var averageLength: Int? { isEmpty ? nil : reduce(0) { $0 + ($1?.readableBytes ?? 0) } / count }
}

private final class PayloadPage {
    private let store: InboxStore
    private let limit: Int
    private let expected: Int?
    private let completion: (Result<[ByteBuffer?], StoreError>) -> Void
    private var rest: ArraySlice<NotificationID>
    private var payloads: [ByteBuffer?] = []
    private var bytes = 0

    /// Asked for while nothing is known of their length.
    private static let firstCount = 4
    /// From here on a reply is long.
    private static let longBytes = 65_536

    init(
        _ store: InboxStore,
        _ ids: [NotificationID],
        upTo limit: Int,
        each length: Int?,
        completion: @escaping (Result<[ByteBuffer?], StoreError>) -> Void
    ) {
        self.store = store
        self.limit = limit
        self.expected = length
        self.completion = completion
        rest = ids[...]
    }

    func goOn() {
        guard bytes < limit, !rest.isEmpty else { return completion(.success(payloads)) }
        let length = payloads.averageLength ?? expected
        let some = Array(rest.prefix(max(1, (limit - bytes) / max(1, length ?? limit / Self.firstCount))))
        guard let length, length * some.count >= Self.longBytes else { return ask(some) {} }
        store.longPayloads.enter { [self] leave in ask(some, then: leave) }
    }

    private func ask(_ some: [NotificationID], then leave: @escaping () -> Void) {
        store.payloads(of: some) { [self] result in
            defer { leave() }
            guard case .success(let new) = result else { return completion(result) }
            for payload in new where bytes < limit {
                rest.removeFirst()
                payloads.append(payload)
                bytes += payload?.readableBytes ?? 0
            }
            goOn()
        }
    }
}

/// Reads of long payloads, a few at a time: what else is asked of Redis is behind no more than these.
///
/// - Isolation: event loop of the store
final class LongPayloads {
    private var free = 2
    private var waiting = CircularBuffer<(@escaping () -> Void) -> Void>()

    /// - Parameter body: Is called when it may begin, and calls back when it is done.
    func enter(_ body: @escaping (@escaping () -> Void) -> Void) {
        waiting.append(body)
        goOn()
    }

    private func goOn() {
        while free > 0, let next = waiting.popFirst() {
            free -= 1
            next { [self] in
                free += 1
                goOn()
            }
        }
    }
}

@available(*, unavailable)
extension LongPayloads: Sendable {}
