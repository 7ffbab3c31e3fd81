import CarillonDomain
import CarillonMetrics
import CarillonStore
import NIOCore

/// What may have been missed, because Redis was away, a pod died, or somebody deleted keys: the streams are read again, for they
/// hold the truth.
extension Hub {
    private static let visitedAtOnce = 128
    /// Between two visits of all users, however often something was missed.
    static let restBetweenVisits = TimeAmount.seconds(1)
    /// Another pod has seen this one's heartbeat by then, and no longer believes that it is alone.
    private static let noticedAfter = PodDirectory.believedFor + .milliseconds(1_500)

    /// The pod may have missed something: finds out whether ids have gone back, then reads all local users again; and once more
    /// when the other pods must have noticed that it is there.
    package func catchUp() {
        // Asked before anything else and however often: a device that comes must not be told the epoch of a history that has ended.
        store.epoch { [self] in if case .success(let epoch) = $0 { self.epoch = epoch } }
        catchingUp.call()
    }

    func startCatchUp() {
        eventLoop.assumeIsolated().scheduleTask(in: Self.noticedAfter) { [self] in
            guard !pods.isAlone else { return }
            visitAll { [self] inbox in
                // Whoever took this pod for dead may have been late to take its presence away.
                confirmPresence(inbox)
                inbox.resync()
            }
        }
        store.epoch { [self] result in
            guard case .success(let epoch) = result else { return }
            self.epoch = epoch
            bus.resync(pods.others)
            store.connections.restart(with: connections)
            let owed = owedLeaves
            owedLeaves.removeAll()
            for user in owed where inboxes[user] == nil { release(user, holdsLock: true) }
            visitAll { [self] inbox in
                confirmPresence(inbox)
                compareHistory(of: inbox) { if $0 != nil { inbox.resync() } }
                for device in inbox.devices { device.retry() }
            }
        }
    }

    /// Compares how far a user's devices have been told with what his stream has ever held, and closes them where it has gone back
    /// or away: new entries would look as if they had been pushed.
    ///
    /// - Parameter completion: Hears the stream's last id; nil where the devices were closed or are gone, or where Redis failed.
    func compareHistory(of inbox: Inbox, completion: @escaping (StreamID?) -> Void) {
        let shown = inbox.newestShown
        // Mostly the newest entry is the last one shown, and to ask for it costs a third of what there is to know of a stream.
        store.newestEntryID(of: inbox.key) { [self] result in
            guard case .success(let newest) = result, inboxes[inbox.key] === inbox else { return completion(nil) }
            if (newest ?? .zero) >= shown { return completion(newest ?? .zero) }
            compareLastGenerated(of: inbox, with: shown, completion)
        }
    }

    /// Entries may have been removed from the end of the stream; whether the stream itself is older than what was shown, only the
    /// last id that it ever gave can tell.
    private func compareLastGenerated(
        of inbox: Inbox,
        with shown: StreamID,
        _ completion: @escaping (StreamID?) -> Void
    ) {
        store.lastGeneratedID(of: inbox.key) { [self] result in
            guard case .success(let last) = result, inboxes[inbox.key] === inbox else { return completion(nil) }
            let isSame = (last ?? .zero) >= shown
            if !isSame { startAgain(inbox) }
            completion(isSame ? last ?? .zero : nil)
        }
    }

    /// What the devices know of the user is of another history: they come back and are told of this one.
    private func startAgain(_ inbox: Inbox) {
        inbox.forgetHistory()
        metrics.resyncCloses.increment(by: inbox.devices.count)
        for device in inbox.devices { device.connection.demandResync() }
    }

    /// Redis no longer says that the user has devices here: somebody deleted it, and with it what other pods said of him.
    func presenceIsLost(of inbox: Inbox) {
        lookAgain(at: inbox)
        bus.send(.changed(inbox.key), to: Array(pods.others))
    }

    func lookAgain(at inbox: Inbox) {
        confirmPresence(inbox)
        inbox.resync()
    }

    /// Tells the other pods that this one is there, so that none goes on believing that it is alone.
    ///
    /// - Parameter replacesProcess: An earlier process of this name crashed or runs still; the others have to take over from it.
    package func announce(replacesProcess: Bool) {
        bus.send(replacesProcess ? .restarted : .joined, to: Array(pods.others))
    }

    /// A pod was found dead: takes over what it held of local users, and looks for what it stored without a word.
    package func podDied(_ pod: String) {
        bus.forget(pod)
        visitAll { [self] inbox in
            takeOver(inbox, from: pod)
            inbox.resync()
        }
    }

    /// Calls `visit` for every local user, some at a time, so that nothing else has to wait.
    func visitAll(_ visit: @escaping (Inbox) -> Void) {
        visitSome(ArraySlice(Array(inboxes.values)), visit)
    }

    private func visitSome(_ inboxes: ArraySlice<Inbox>, _ body: @escaping (Inbox) -> Void) {
        for inbox in inboxes.prefix(Self.visitedAtOnce) where self.inboxes[inbox.key] === inbox { body(inbox) }
        let rest = inboxes.dropFirst(Self.visitedAtOnce)
        guard !rest.isEmpty else { return }
        eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(5)) { self.visitSome(rest, body) }
    }
}
