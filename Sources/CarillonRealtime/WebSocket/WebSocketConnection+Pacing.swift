package import NIOCore

extension WebSocketConnection {
    func count(_ frames: Int) {
        guard isOpen, frames > 0 else { return }
        let now = group.eventLoop.now
        limiter.charge(frames: frames, at: now, group.settings)
        guard flood != .stopped, limiter.isOver(at: now, group.settings) else { return }
        if flood == .none { group.watch(self) }
        flood = .stopped
        group.observer?.throttled()
        resumeWhenPaidOff()
    }

    /// At a moment of its own and for one reading at a time, so that devices that were stopped together do not have all they
    /// sent meanwhile read in one tick.
    private func resumeWhenPaidOff() {
        let moment = limiter.paidOff(group.settings)
        group.eventLoop.assumeIsolated().scheduleTask(deadline: moment) { [weak self] in
            guard let self, flood == .stopped else { return }
            flood = .slowed
            resumeReading()
        }
    }

    /// A device that does not take what it is sent, or sends too fast, is not read from: so its own requests cannot
    /// make its outbox grow.
    var mayRead: Bool {
        guard case .open = stage, let context else { return true }
        return flood != .stopped && context.channel.isWritable
    }

    func resumeReading() {
        guard isReadHeld, mayRead, let context else { return }
        isReadHeld = false
        context.read()
    }

    package func read(context: ChannelHandlerContext) {
        if mayRead { context.read() } else { isReadHeld = true }
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable, !isWriting else { return }
        flush()
        resumeReading()
    }

    /// Any byte since the last time counts as life.
    func ping() {
        // The answers of a device that is not read from cannot be heard.
        guard isOpen, flood != .stopped else { return }
        guard unansweredPings < 2 else {
            group.observer?.timedOut()
            return abort(.goingAway, reason: "no answer to two pings")
        }
        unansweredPings += 1
        outbox.append(WebSocketFrame.ping, isLive: false)
        group.markDirty(self)
    }

    func isStillWatched(since: UInt32) -> Bool {
        let seconds = Int(group.second &- since)
        switch stage {
        case .open: return floodContinues(for: seconds)
        case .closed: return false
        case .handshake where seconds < group.settings.handshakeTimeout.wholeSeconds: return true
        case .closing where seconds < group.settings.closeTimeout.wholeSeconds: return true
        case .finishing where seconds < group.settings.closeTimeout.wholeSeconds: return true
        case .failing where seconds < group.settings.closeTimeout.wholeSeconds: return true
        case .handshake, .closing, .finishing, .failing:
            cut()
            return false
        }
    }

    private func floodContinues(for seconds: Int) -> Bool {
        guard flood != .none else { return false }
        let now = group.eventLoop.now
        if seconds >= group.settings.floodTimeout.wholeSeconds {
            close(code: .tooManyRequests, reason: "too many messages")
        } else if flood == .slowed, limiter.isCalm(at: now, group.settings) {
            flood = .none
            return false
        }
        return true
    }
}
