import CarillonDomain
package import CarillonStore
import Logging

/// What other pods say on this pod's bus.
extension Hub: BusListener {
    package func received(_ message: BusMessage) {
        switch message {
        case .pushed(let user, let id, let predecessor, let notification, let payload):
            let entry = EntryReference(streamID: id, notificationID: notification)
            let content = payload.flatMap { NotificationContent(payload: $0, streamID: id) }
            pushed(entry, predecessor: predecessor, content: content, of: user)
        case .read(let user, let entry): inboxes[user]?.tellRead(entry)
        case .autoCleared(let user, let entry): inboxes[user]?.tellCleared(entry)
        case .inboxChanged(let user, let change): heard(change, of: user)
        case .changed(let user): if let inbox = inboxes[user] { lookAgain(at: inbox) }
        case .joined, .restarted, .resync, .probe: break
        }
    }

    package func podIsThere(_ pod: String) { pods.add(pod) }

    package func podRestarted(_ pod: String) {
        logger.warning("a pod came back after a crash", metadata: ["pod": "\(pod)"])
        podDied(pod)
    }

    package func missedMessages() { rereading.call() }
}
