internal import CarillonDomain
package import CarillonLoad
package import NIOCore

/// What becomes of devices and what they get.
extension Ledger {
    /// A device that lasts for the run. - Returns: its number.
    package func addDevice(user: Int) -> Int {
        if user >= users.count { users += [BookedUser](repeating: BookedUser(), count: user + 1 - users.count) }
        let bit = users[user].devices
        precondition(bit < Self.devicesPerUser, "too many devices of one user")
        users[user].devices += 1
        devices.append(BookedDevice(user: user, bit: 1 << UInt64(bit)))
        return devices.count - 1
    }

    /// The device starts an attempt to connect.
    package func connecting(_ device: Int) {
        devices[device].connectingAt = clock()
        devices[device].shown.removeAll(keepingCapacity: true)
        devices[device].channels = nil
    }

    /// The replay is over: the device is live.
    package func ready(_ device: Int) {
        let now = clock()
        let booked = devices[device]
        devices[device].isLive = true
        devices[device].wasLive = true
        users[booked.user].wereLive |= booked.bit
        if let lostAt = booked.lostAt {
            let due = faults.due(from: lostAt, base: max(lostAt, booked.comesBackAt))
            if let due, now > due {
                findings.add(
                    .late,
                    "device \(device) was live \(seconds(now - due)) too late, \(seconds(now - lostAt)) after it was lost"
                )
            }
            devices[device].lostAt = nil
        }
        leaveOut(device)
        setMissing(device, false)
        settle()
    }

    /// The device treats the hub in another way from now on.
    package func conducts(_ device: Int, _ conduct: DeviceConduct) {
        if devices[device].conduct == .asleep { devices[device].awokeAt = clock() }
        devices[device].conduct = conduct
    }

    /// The device's connection ended.
    ///
    /// - Parameters:
    ///   - isOwnWish: the device left by itself.
    ///   - comesBackAt: when it is to try again.
    package func lost(_ device: Int, _ close: LoadClose, isOwnWish: Bool, comesBackAt: NIODeadline) {
        let now = clock()
        if devices[device].isLive || devices[device].lostAt == nil { devices[device].lostAt = now }
        devices[device].isLive = false
        devices[device].comesBackAt = comesBackAt
        if case .violated(let error) = close { findings.add(.badConnection, "device \(device): \(error)") }
        guard !isOwnWish else { return }
        counts.connectionsLost += 1
        setMissing(device, devices[device].wasLive)
        if let fault = complaint(device, close, now) { findings.add(.badConnection, "device \(device): \(fault)") }
    }

    /// What is wrong about losing a connection this way, if anything is.
    private func complaint(_ device: Int, _ close: LoadClose, _ now: NIODeadline) -> String? {
        let isCalm = !faults.touches(from: min(now, devices[device].connectingAt), to: now)
        let isCalmNow = !faults.touches(from: now, to: now)
        switch close {
        case .closed(1001, _) where wasAsleep(device, now), .closed(1013, _) where wasAsleep(device, now),
            .lost where wasAsleep(device, now), .closed(4429, _) where devices[device].conduct == .flooding:
            return nil
        case .closed(1012, _):
            return faults.mayHaveGoneBack(user: devices[device].user, at: now)
                ? nil : "closed with 1012 though no fault took stream ids back"
        case .closed(1001, let reason), .closed(1013, let reason), .closed(1005, let reason), .closed(1011, let reason):
            return isCalmNow ? "closed where no fault ran: \(reason)" : nil
        case .closed(let code, let reason):
            return "closed with \(code) \(reason)"
        case .refused(503, _): return isCalm ? "503 where no fault ran" : nil
        case .refused(let status, _): return "the handshake was answered \(status)"
        case .lost(let error):
            // An attempt may have begun while a fault ran and fail after it.
            let since = devices[device].lostAt == now ? now : devices[device].connectingAt
            return faults.touches(from: min(since, now), to: now) ? nil : "lost where no fault ran: \(error)"
        case .violated, .dropped: return nil
        }
    }

    /// Whether the device sleeps, or has woken a moment ago and hears now of what was done meanwhile.
    private func wasAsleep(_ device: Int, _ now: NIODeadline) -> Bool {
        devices[device].conduct == .asleep || now <= devices[device].awokeAt + FaultBook.allowance
    }

    private func setMissing(_ device: Int, _ isMissing: Bool) {
        guard devices[device].isMissing != isMissing else { return }
        devices[device].isMissing = isMissing
        missingDevices += isMissing ? 1 : -1
    }

    // MARK: - Pushes

    /// A push came.
    ///
    /// - Parameter token: The number in its message; nil where there is none.
    /// - Returns: whether the device sees this notification for the first time.
    @discardableResult
    package func pushed(_ device: Int, token: Int?, entry: LoadEntry, status: PushStatus) -> Bool {
        checkOrder(device, entry.place)
        guard let index = notification(device, token, entry, status) else { return false }
        if let topic = entry.topic { checkSubscription(device, index, topic) }
        name(index, entry.id)
        place(index, entry.streamID)
        checkStatus(index, status)
        let bit = devices[device].bit
        guard notifications[index].delivered & bit == 0 else {
            counts.deliveredAgain += 1
            return false
        }
        notifications[index].delivered |= bit
        counts.delivered += 1
        if entry.topic != nil { counts.topicsDelivered += 1 }
        deliver(index, device, wasOwed: notifications[index].owed & bit != 0)
        return true
    }

    private func checkOrder(_ device: Int, _ place: EntryPlace) {
        let streamID = place.streamID
        guard let last = devices[device].shown[place.topic]?.last, streamID <= last else {
            devices[device].shown[place.topic, default: []].append(streamID)
            return
        }
        let shown = devices[device].shown[place.topic, default: []]
        let index = shown.partitionPoint { $0 >= streamID }
        if shown[index] == streamID {
            findings.add(.repeated, "device \(device) got \(place.text) twice on one connection")
        } else {
            findings.add(.disordered, "device \(device) got \(place.text) after \(last)")
            devices[device].shown[place.topic, default: []].insert(streamID, at: index)
        }
    }

    /// The notification that a push is of; nil, and a finding, where there is none.
    private func notification(_ device: Int, _ token: Int?, _ entry: LoadEntry, _ status: PushStatus) -> Int? {
        let user = devices[device].user
        guard let token else {
            if status == .autoCleared {
                if let index = self.index(of: entry, user: user) { return index }
                // Its post is not answered, or never was, and its text is gone.
                findings.add(.payloadLost, "device \(device) was told \(entry.id) (\(entry.streamID)) as cleared")
            } else {
                findings.add(.unexpected, "device \(device) got \(entry.id) (\(entry.streamID)) with a text of nobody")
            }
            return nil
        }
        guard posts.indices.contains(token), posts[token].topic == entry.topic,
            let index = self.index(of: token, user: user)
        else {
            findings.add(.unexpected, "device \(device) of user \(user) got post \(token), which was not for it")
            return nil
        }
        if posts[token].outcome == .refused {
            findings.add(.unexpected, "\(describe(index)) was refused and pushed all the same")
        }
        return index
    }

    /// The notification was seen at this place of the stream.
    private func place(_ index: Int, _ streamID: StreamID) {
        let index = notifications[index].original
        guard let known = notifications[index].streamID, known != streamID else {
            notifications[index].streamID = streamID
            return
        }
        guard !isDoubleExcused(index) else {
            notifications[index].streamID = max(known, streamID)
            return
        }
        findings.add(.storedTwice, "\(describe(index)) is also at \(streamID)")
    }

    private func checkStatus(_ index: Int, _ status: PushStatus) {
        switch status {
        case .unread: break
        case .autoCleared: cleared(index)
        case .read:
            if notifications[index].readSaid == nil {
                findings.add(.unexpected, "\(describe(index)) is shown as read, and nobody read it")
            } else {
                readAcknowledged(index)
            }
        }
    }

    /// A device was told that the notification expired unread.
    func cleared(_ index: Int) {
        let end = posts[notifications[index].post].expires
        guard clock() < end, excuse(index) == nil else { return }
        findings.add(.payloadLost, "\(describe(index)) was told as cleared \(seconds(end - clock())) before its end")
    }

    private func deliver(_ index: Int, _ device: Int, wasOwed: Bool) {
        let now = clock()
        let post = posts[notifications[index].post]
        let isAsleep = devices[device].conduct == .asleep
        let ableSince = max(devices[device].connectingAt, devices[device].awokeAt)
        if !isAsleep {
            let start = max(post.triedAt, ableSince)
            let isTroubled = faults.record(from: start, to: now, in: \.latency)
            deliveries.record(now - start, isTroubled: isTroubled)
        }
        guard wasOwed else { return }
        notifications[index].owed &= ~devices[device].bit
        let base = max(post.acceptedAt ?? now, ableSince)
        if !isAsleep, let due = faults.due(from: post.firstSent, base: base), now > due {
            findings.add(
                .late,
                "\(describe(index)) reached device \(device) \(seconds(now - due)) too late, \(seconds(now - base)) after it could; "
                    + "the device had begun to connect \(seconds(now - devices[device].connectingAt)) before"
            )
        }
        settle()
    }

    /// A full replay shows the last hundred and older ones that are unread. What was read and is older is not owed any more.
    private func leaveOut(_ device: Int) {
        let bit = devices[device].bit
        let boundaries = devices[device].shown.compactMapValues { shown in
            shown.count < Limits.replayEntries ? nil : shown[shown.count - Limits.replayEntries]
        }
        guard !boundaries.isEmpty else { return }
        for index in doubtful + owing[firstOwing...]
        where notifications[index].owed & bit != 0 && notifications[index].user == devices[device].user {
            let notification = notifications[index]
            guard notification.readSaid != nil, let place = notifications[notification.original].streamID,
                let boundary = boundaries[posts[notification.post].topic], place < boundary
            else { continue }
            notifications[index].owed &= ~bit
            counts.leftOut += 1
        }
    }
}

extension Array {
    /// The first index at which the condition holds, in an array in which it holds for a last part only.
    fileprivate func partitionPoint(_ holds: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if holds(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
