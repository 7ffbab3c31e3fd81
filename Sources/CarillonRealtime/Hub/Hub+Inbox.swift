package import CarillonDomain
import CarillonMetrics
import CarillonStore
import NIOCore

/// A notification of a user.
struct InboxEntry: Sendable {
    let user: UserKey
    let entry: EntryReference
}

/// Changes of inboxes that came over HTTP, from this pod or another.
extension Hub {
    /// A change is stored: tells all devices of the user, here and on other pods.
    package func changed(_ change: InboxChange, of user: UserKey) {
        heard(change, of: user)
        guard !pods.isAlone else { return }
        store.otherPods(of: user) { [self] pods in bus.send(.inboxChanged(user, change), to: pods) }
    }

    /// Reads entries that are known to be there, as a device does, and tells all devices.
    ///
    /// - Parameter completion: Whether it is stored.
    package func read(_ entries: [EntryReference], of user: User, completion: @escaping (Bool) -> Void) {
        let work = GroupWork(user: user, handOut: .nothing, reads: entries, looksUpPods: !pods.isAlone)
        store.keepGroup(work) { [self] result in
            guard result.isStored else { return completion(false) }
            metrics.notificationsAcked.increment(by: result.newlyRead)
            for entry in entries { tellRead(entry, of: user.key, otherPods: result.otherPods) }
            changed(InboxChange(.read, entries), of: user.key)
            completion(true)
        }
    }

    func heard(_ change: InboxChange, of user: UserKey) { inboxes[user]?.changed(change) }

    /// Counts a user's unread entries.
    ///
    /// - Parameter completion: On the loop; nil where Redis failed.
    func countUnread(of user: UserKey, completion: @escaping (Int?) -> Void) {
        let completion = NIOLoopBound(completion, eventLoop: eventLoop)
        let (reader, eventLoop) = (reader, eventLoop)
        Task {
            let count = try? await reader.unreadCount(of: user)
            eventLoop.execute { completion.value(count) }
        }
    }

    /// Removes what these entries replace, and tells its devices.
    ///
    /// - Parameter completion: On the loop; for how many entries Redis confirmed it.
    func collapse(_ entries: [InboxEntry], key: String, completion: @escaping (Int) -> Void) {
        let bound = NIOLoopBound((hub: self, completion: completion), eventLoop: eventLoop)
        let (writer, eventLoop) = (writer, eventLoop)
        Task {
            var done = 0
            for one in entries {
                do throws(StoreError) {
                    if let replaced = try await writer.collapse(one.entry, key: key, of: one.user),
                        try await writer.remove(replaced, of: one.user)
                    {
                        let change = InboxChange(.collapse, [replaced])
                        eventLoop.execute { bound.value.hub.changed(change, of: one.user) }
                    }
                    done += 1
                } catch {
                    break
                }
            }
            let count = done
            eventLoop.execute { bound.value.completion(count) }
        }
    }
}
