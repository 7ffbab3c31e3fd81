package import CarillonDomain
import CarillonMetrics
import CarillonStore
import NIOCore

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

    /// Removes what this entry of a topic replaces, and tells everybody.
    ///
    /// - Parameter completion: On the loop; whether Redis confirmed it.
    func collapse(_ entry: EntryReference, of topic: Topic, key: String, completion: @escaping (Bool) -> Void) {
        let bound = NIOLoopBound((hub: self, completion: completion), eventLoop: eventLoop)
        let (writer, eventLoop) = (writer, eventLoop)
        Task {
            let replaced: EntryReference??
            do throws(StoreError) {
                let found = try await writer.collapse(entry, key: key, of: topic)
                let isRemoved = if let found { try await writer.remove(found, of: topic) } else { false }
                replaced = .some(isRemoved ? found : nil)
            } catch {
                replaced = nil
            }
            eventLoop.execute {
                let hub = bound.value.hub
                if let entry = replaced ?? nil { hub.topics.withdraw(entry, .collapse, of: topic) }
                hub.keepReceipts(of: topic)
                bound.value.completion(replaced != nil)
            }
        }
    }

    /// Has what is known of a topic's notifications live on, without those that are gone.
    func keepReceipts(of topic: Topic) {
        store.keepReceipts(of: topic) { [writer] count in
            Task { try? await writer.tidy(topic, count: count) }
        }
    }

    /// Removes what these entries replace, and tells its devices.
    ///
    /// - Parameter completion: On the loop; whether Redis confirmed all of it.
    func collapse(_ entries: [UserEntry], key: String, completion: @escaping (Bool) -> Void) {
        let bound = NIOLoopBound((hub: self, completion: completion), eventLoop: eventLoop)
        let (writer, eventLoop) = (writer, eventLoop)
        Task {
            let removed = try? await writer.collapse(entries, key: key)
            eventLoop.execute {
                for one in removed ?? [] {
                    bound.value.hub.changed(InboxChange(.collapse, [one.entry]), of: one.user)
                }
                bound.value.completion(removed != nil)
            }
        }
    }
}
