package import CarillonDomain
import CarillonRedis

extension InboxStore {
    /// Removes an entry whose payload has expired: XDEL first, because its answer decides who counts and tells it, then the
    /// state field and the pending mark.
    ///
    /// - Parameter completion: Whether it was this call that removed the entry.
    package func clear(_ entry: EntryReference, of user: UserKey, completion: @escaping (Bool) -> Void) {
        send("XDEL", arguments: 2) { arguments in
            arguments.key(Keys.stream(user))
            arguments.bulk(milliseconds: entry.streamID.milliseconds, sequence: entry.streamID.sequence)
        } reply: { result in
            if case .success(let reply) = result { completion(reply.integer == 1) } else { completion(false) }
        }
        send("HDEL", arguments: 2) { arguments in
            arguments.key(Keys.state(user))
            arguments.bulk(entry.notificationID.text)
        }
        acknowledge([entry.streamID], of: user)
    }

    /// The pods that hold devices of a user, this one left out.
    package func otherPods(of user: UserKey, completion: @escaping ([String]) -> Void) {
        let podID = settings.podID
        send("HGETALL", arguments: 1) {
            $0.key(Keys.presence(user))
        } reply: { result in
            let pods = (try? result.get())?.hashFields { _ in true } ?? []
            completion(pods.filter { $0 != podID })
        }
    }
}
