package import CarillonDomain
import CarillonRedis
import CarillonTLS

/// Who keeps a user's consumer group.
package enum LockHolder: Sendable {
    case thisPod
    case otherPod(String)
}

/// What a pod says of a user when it gets his first device, every 20 seconds, and after his last device left.
extension InboxStore {
    /// Makes sure that the user has a consumer group, for his first device on this pod; it starts at 0, so that nothing sent
    /// before is skipped.
    package func ensureGroup(_ user: UserKey) { createGroup(user, to: IgnoredReply.shared, tag: 0) }

    /// Says that this pod holds devices of `user`, and takes or renews the lock of his consumer group.
    ///
    /// A read that follows is carried out after it, and so sees every entry whose sender did not yet find this pod.
    ///
    /// - Parameters:
    ///   - holdsLock: This pod had the lock when it last looked, which makes renewing it one command instead of two.
    ///   - wasMissing: Whether Redis did not know yet that this pod holds devices of `user`; not called when Redis fails.
    ///   - lock: Who keeps the user's consumer group from now on; not called when Redis fails.
    package func join(
        _ user: UserKey,
        holdsLock: Bool,
        wasMissing: @escaping (Bool) -> Void,
        lock: @escaping (LockHolder) -> Void
    ) {
        let now = Timestamp.nowMilliseconds() / 1_000
        send("HSET", arguments: 3) { arguments in
            arguments.key(Keys.presence(user))
            arguments.bulk(settings.podID)
            arguments.integer(now + UInt64(settings.lockTTLSeconds))
        } reply: { result in
            if case .success(let reply) = result { wasMissing(reply.integer == 1) }
        }
        send("EXPIRE", arguments: 2) { arguments in
            arguments.key(Keys.presence(user))
            arguments.integer(settings.lockTTLSeconds)
        }
        if holdsLock { renewLock(user, completion: lock) } else { takeLock(user, completion: lock) }
    }

    /// Renews the lock, or takes it where it has expired. Where it went to another pod meanwhile, that one's is renewed, once.
    ///
    /// - Source: Redis command GETEX
    private func renewLock(_ user: UserKey, completion: @escaping (LockHolder) -> Void) {
        send("GETEX", arguments: 3) { arguments in
            arguments.key(Keys.lock(user))
            arguments.bulk("EX" as StaticString)
            arguments.integer(settings.lockTTLSeconds)
        } reply: { [self] result in
            guard case .success(let holder) = result else { return }
            if holder.isNull { return takeLock(user, completion: completion) }
            completion(holder.string == settings.podID ? .thisPod : .otherPod(holder.string))
        }
    }

    /// Takes the lock if it is free, and renews it if it is ours.
    private func takeLock(_ user: UserKey, completion: @escaping (LockHolder) -> Void) {
        send("SET", arguments: 6) { arguments in
            arguments.key(Keys.lock(user))
            arguments.bulk(settings.podID)
            arguments.bulk("NX" as StaticString)
            arguments.bulk("GET" as StaticString)
            arguments.bulk("EX" as StaticString)
            arguments.integer(settings.lockTTLSeconds)
        } reply: { [self] result in
            guard case .success(let holder) = result else { return }
            guard !holder.isNull, holder.string != settings.podID else {
                if !holder.isNull {
                    send("EXPIRE", arguments: 2) { arguments in
                        arguments.key(Keys.lock(user))
                        arguments.integer(settings.lockTTLSeconds)
                    }
                }
                return completion(.thisPod)
            }
            completion(.otherPod(holder.string))
        }
    }

    /// Takes the lock over from a pod that is dead, and its presence away.
    package func takeOver(_ user: UserKey, from deadPod: String, completion: @escaping (LockHolder) -> Void) {
        deleteLock(user, of: deadPod)
        send("HDEL", arguments: 2) { arguments in
            arguments.key(Keys.presence(user))
            arguments.bulk(deadPod)
        }
        takeLock(user, completion: completion)
    }

    /// Whether Redis knows of all these users that some pod holds devices; not called when Redis fails.
    ///
    /// One command for all of them where they lie on one server, because one for each would be half of what idle devices cost.
    ///
    /// - Source: Redis command EXISTS
    package func areAllPresent(_ users: [UserKey], completion: @escaping (Bool) -> Void) {
        guard !redis.isSharded else { return exist(users.map { Keys.presence($0) }, completion: completion) }
        send("EXISTS", arguments: users.count) { arguments in
            for user in users { arguments.key(Keys.presence(user)) }
        } reply: { result in
            if case .success(let count) = result { completion(count.integer == Int64(users.count)) }
        }
    }

    private func exist(_ keys: [RedisKey], completion: @escaping (Bool) -> Void) {
        var missing = keys.count
        var exist = true
        for key in keys {
            send("EXISTS", arguments: 1) {
                $0.key(key)
            } reply: { result in
                missing -= 1
                // Where Redis fails, nothing is known: as if all were there, the next look tells.
                if case .success(let count) = result, count.integer == 0 { exist = false }
                if missing == 0 { completion(exist) }
            }
        }
    }

    /// Whether Redis says that this pod holds devices of `user`; not called when Redis fails.
    package func isPresent(_ user: UserKey, completion: @escaping (Bool) -> Void) {
        send("HEXISTS", arguments: 2) { arguments in
            arguments.key(Keys.presence(user))
            arguments.bulk(settings.podID)
        } reply: { result in
            if case .success(let reply) = result { completion(reply.integer == 1) }
        }
    }

    /// Takes back what `join` said.
    ///
    /// - Parameter completion: Whether Redis has done it.
    package func leave(_ user: UserKey, holdsLock: Bool, completion: @escaping (Bool) -> Void) {
        if holdsLock { deleteLock(user, of: settings.podID) }
        send("HDEL", arguments: 2) { arguments in
            arguments.key(Keys.presence(user))
            arguments.bulk(settings.podID)
        } reply: { result in
            completion((try? result.get()) != nil)
        }
    }

    private func deleteLock(_ user: UserKey, of pod: String) {
        send("EVAL", arguments: 4) { arguments in
            arguments.bulk(Scripts.deleteIfEqual)
            arguments.integer(1)
            arguments.key(Keys.lock(user))
            arguments.bulk(pod)
        }
    }

    /// Takes back the pod's sign of life, its bus, its list of connections and its name.
    package func releasePod() {
        send("HDEL", arguments: 2) { arguments in
            arguments.key(Keys.heartbeats)
            arguments.bulk(settings.podID)
        }
        deleteBus()
        send("DEL", arguments: 1) { $0.key(Keys.clients(settings.podID)) }
        send("EVAL", arguments: 4) { arguments in
            arguments.bulk(Scripts.deleteIfEqual)
            arguments.integer(1)
            arguments.key(Keys.podOwner(settings.podID))
            arguments.bulk(settings.runID)
        }
    }

    /// Removes this pod's bus, or whatever lies where it should be.
    func deleteBus() {
        send("DEL", arguments: 1) { $0.key(Keys.bus(settings.podID)) }
    }

    /// A name for the history that Redis's stream ids belong to: its replication id, or all of those of a cluster. It changes on a
    /// fail-over and on a restart, after which ids may have gone back.
    ///
    /// - Source: Redis command INFO, section replication
    package func epoch(completion: @escaping (Result<String, StoreError>) -> Void) {
        let nodes = redis.nodes
        var ids: [String] = []
        var error: StoreError? = nodes.isEmpty ? StoreError(RedisError(.unavailable)) : nil
        if let error { return completion(.failure(error)) }
        for node in nodes {
            let answer = ReplyClosure { result in
                switch result {
                case .success(let reply): ids.append(Self.replicationID(reply.string))
                case .failure(let failure):
                    error = failure
                    ids.append("")
                }
                if ids.count == nodes.count { completion(error.map { .failure($0) } ?? .success(Self.epoch(ids))) }
            }
            redis.send(RedisCommand("INFO", "replication"), to: answer, tag: 0, node: node)
        }
    }

    private static func replicationID(_ info: String) -> String {
        let line = info.split { $0.isNewline }.first { $0.hasPrefix("master_replid:") }
        return String(line?.dropFirst("master_replid:".count).prefix(16) ?? "0")
    }

    /// One name of the names of all servers.
    private static func epoch(_ ids: [String]) -> String {
        guard ids.count > 1 else { return ids[0] }
        var text = ids.sorted().joined()
        return text.withUTF8 { Digest.sha256(UnsafeRawBufferPointer($0)) }.prefix(8)
            .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
