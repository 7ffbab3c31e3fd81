package import CarillonDomain
import CarillonRedis
import NIOCore

/// Whether a pair that a device wants to mark as read is there.
package enum ReadCheck: Sendable {
    case exists
    /// It was this user's, but its entry has been cleaned.
    case gone
    case notFound
}

/// Where a notification stands of which only the id is known.
package enum EntryLookup: Sendable {
    case found(EntryReference)
    /// It was this user's, but its entry has been cleaned.
    case gone
    case notFound
}

extension InboxStore {
    /// Looks for a notification in the user's stream.
    package func find(
        _ id: NotificationID,
        of user: User,
        completion: @escaping (Result<EntryLookup, StoreError>) -> Void
    ) {
        read(.newest(count: settings.streamMaxLength), of: user.key) { [self] result in
            switch result {
            case .failure(let error): completion(.failure(error))
            case .success(let part):
                if let entry = part.entries.last(where: { $0.notificationID == id })?.reference {
                    return completion(.success(.found(entry)))
                }
                payloads(of: [id]) { result in
                    let isKnown = result.map { $0[0].map { Self.names(user, $0) } ?? false }
                    completion(isKnown.map { $0 ? .gone : .notFound })
                }
            }
        }
    }

    /// Looks an entry up by its id and compares what it names.
    ///
    /// Where the entry is missing, a payload that still names this user tells a cleaned entry from one that never was.
    package func check(
        _ entry: EntryReference,
        of user: User,
        completion: @escaping (Result<ReadCheck, StoreError>) -> Void
    ) {
        send("XRANGE", arguments: 3) { arguments in
            arguments.key(Keys.stream(user.key))
            for _ in 0..<2 {
                arguments.bulk(milliseconds: entry.streamID.milliseconds, sequence: entry.streamID.sequence)
            }
        } reply: { [self] result in
            switch result {
            case .failure(let error): completion(.failure(error))
            case .success(let reply):
                let found = reply.streamEntries.first
                if found?.notificationID == entry.notificationID { return completion(.success(.exists)) }
                guard found == nil else { return completion(.success(.notFound)) }
                lookForTraces(of: entry, user, completion)
            }
        }
    }

    private func lookForTraces(
        of entry: EntryReference,
        _ user: User,
        _ completion: @escaping (Result<ReadCheck, StoreError>) -> Void
    ) {
        payloads(of: [entry.notificationID]) { [self] result in
            guard case .success(let payloads) = result else { return completion(result.map { _ in .notFound }) }
            guard let payload = payloads[0], Self.names(user, payload) else { return completion(.success(.notFound)) }
            // The notification is this user's; unless it stands elsewhere in the stream, its entry has been cleaned.
            read(.newest(count: settings.streamMaxLength), of: user.key) { result in
                completion(
                    result.map { part in
                        let isElsewhere = part.entries.contains { $0.notificationID == entry.notificationID }
                        return isElsewhere ? .notFound : .gone
                    }
                )
            }
        }
    }

    /// Whether a payload's `target` is `user`.
    private static func names(_ user: User, _ payload: ByteBuffer) -> Bool {
        var target = ByteBuffer()
        target.writeStaticString("\"target\":")
        user.writeJSON(into: &target)
        return payload.withUnsafeReadableBytes { payload in
            target.withUnsafeReadableBytes { target in
                guard payload.count >= target.count else { return false }
                return (0...(payload.count - target.count)).contains { start in
                    payload[start..<(start + target.count)].elementsEqual(target)
                }
            }
        }
    }
}
