internal import CarillonDomain
package import CarillonLoad
internal import NIOCore

/// What devices say that they read.
extension Ledger {
    /// The user's notification that an entry is; nil where the ledger knows of none.
    func index(of entry: LoadEntry, user: Int) -> Int? {
        guard let original = byID[entry.id] else { return nil }
        return entry.topic == nil ? original : index(of: notifications[original].post, user: user)
    }

    /// A device says that it read this. - Returns: false where the ledger knows of no such notification.
    @discardableResult
    package func readSaid(_ device: Int, _ entry: LoadEntry) -> Bool {
        guard let index = index(of: entry, user: devices[device].user) else { return false }
        if notifications[index].readSaid == nil {
            notifications[index].readSaid = clock()
            counts.readsSaid += 1
        }
        return true
    }

    /// A `notification.read.ack` came to some device.
    package func readAcknowledged(_ device: Int, _ entry: LoadEntry) {
        guard let index = index(of: entry, user: devices[device].user), notifications[index].readSaid != nil else {
            findings.add(.unexpected, "\(entry.id) (\(entry.place.text)) was acknowledged as read, and nobody read it")
            return
        }
        readAcknowledged(index)
    }

    func readAcknowledged(_ index: Int) {
        guard notifications[index].readAcknowledged == nil else { return }
        notifications[index].readAcknowledged = clock()
        counts.readsAcknowledged += 1
    }

    /// A `notification.auto_cleared` came to some device.
    package func autoCleared(_ device: Int, _ entry: LoadEntry) {
        guard let index = index(of: entry, user: devices[device].user) else {
            findings.add(.payloadLost, "\(entry.id) (\(entry.place.text)) was told as cleared, and nobody posted it")
            return
        }
        cleared(index)
    }

    /// An `error` came for something that a device said.
    ///
    /// - Returns: whether the device should say it again.
    @discardableResult
    package func readRefused(_ device: Int, _ error: LoadErrorFrame) -> Bool {
        let now = clock()
        switch error.code {
        case "unavailable", "busy":
            if !faults.touches(from: now, to: now) {
                findings.add(.badAnswer, "device \(device) heard \(error.code) where no fault ran")
            }
            return true
        case "not_found", "gone":
            guard let entry = error.entry, let index = index(of: entry, user: devices[device].user) else {
                findings.add(.readLost, "device \(device) heard \(error.code) for a read of something unknown")
                return false
            }
            notifications[index].isReadRefused = true
            let isOld = now >= posts[notifications[index].post].expires
            if excuse(index) == nil, !isOld, isCertainlyHis(index) {
                findings.add(.readLost, "the read of \(describe(index)) was answered \(error.code)")
            }
            return false
        default:
            findings.add(.badAnswer, "device \(device) heard \(error.code): \(error.detail)")
            return false
        }
    }
}
