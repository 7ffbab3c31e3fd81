import Glibc

/// A TCP connection to this machine as bytes, with deadlines: what every raw client of the tests stands on.
///
/// The socket never blocks a thread; reads and writes that cannot go on are tried again each millisecond.
/// - Isolation: the task that made it
package final class WireStream {
    private let descriptor: Int32
    private var isOpen = true
    private var buffer: [UInt8] = []
    private var offset = 0

    /// - Parameter receiveBytes: How much the kernel may keep for a reader that does not read; its own choice where nil.
    /// - Throws: `WireError.system` when the connection is refused.
    package init(port: Int, ipv6: Bool = false, receiveBytes: Int32? = nil) throws {
        let family = ipv6 ? AF_INET6 : AF_INET
        descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw WireError.system("socket", errno) }
        if var receiveBytes {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBytes, socklen_t(MemoryLayout<Int32>.size))
        }
        guard Self.connect(descriptor, port: port, ipv6: ipv6) == 0 else {
            let code = errno
            Glibc.close(descriptor)
            isOpen = false
            throw WireError.system("connect", code)
        }
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    deinit { close() }

    private static func connect(_ descriptor: Int32, port: Int, ipv6: Bool) -> Int32 {
        if ipv6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = in_port_t(port).bigEndian
            address.sin6_addr = in6addr_loopback
            return withUnsafeBytes(of: &address) {
                Glibc.connect(
                    descriptor,
                    $0.baseAddress!.assumingMemoryBound(to: sockaddr.self),
                    socklen_t($0.count)
                )
            }
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr = in_addr(s_addr: in_addr_t(0x7f00_0001).bigEndian)
        return withUnsafeBytes(of: &address) {
            Glibc.connect(descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
    }

    package func close() {
        guard isOpen else { return }
        isOpen = false
        Glibc.close(descriptor)
    }

    /// Closes without saying goodbye: the peer sees a reset.
    package func reset() {
        guard isOpen else { return }
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    /// Tells the peer that nothing more will be sent, and keeps reading.
    package func closeWriting() {
        Glibc.shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Sends all of it, reading meanwhile so that a peer that answers early does not block both sides.
    ///
    /// - Returns: false when the peer stopped taking bytes (it may have answered before).
    @discardableResult
    package func send(_ bytes: some Sequence<UInt8>, within: Duration = .seconds(10)) async throws -> Bool {
        let bytes = Array(bytes)
        let deadline = ContinuousClock.now + within
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                sent += count
            } else if errno == EAGAIN || errno == EINTR {
                if ContinuousClock.now > deadline { throw WireError.timedOut("room to send") }
                if case .bytes = receive() { continue }
                try await Task.sleep(for: .milliseconds(1))
            } else {
                return false
            }
        }
        return true
    }

    private enum Received {
        case bytes
        case nothing
        case end
    }

    private func receive() -> Received {
        guard isOpen else { return .end }
        if offset > 0, offset == buffer.count {
            buffer.removeAll(keepingCapacity: true)
            offset = 0
        }
        let count = withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 1) { space in
            let count = recv(descriptor, space.baseAddress, space.count, 0)
            if count > 0 { buffer.append(contentsOf: space[..<count]) }
            return count
        }
        if count > 0 { return .bytes }
        if count < 0, errno == EAGAIN || errno == EINTR { return .nothing }
        precondition(count == 0 || errno != EBADF, "somebody else closed the descriptor of this connection")
        return .end
    }

    /// Waits for more bytes. - Returns: false at the end of the stream.
    private func fill(by deadline: ContinuousClock.Instant, _ what: String) async throws -> Bool {
        while true {
            switch receive() {
            case .bytes: return true
            case .end: return false
            case .nothing:
                if ContinuousClock.now > deadline { throw WireError.timedOut(what) }
                try await Task.sleep(for: .milliseconds(1))
            }
        }
    }

    /// Exactly so many bytes.
    package func exactly(_ count: Int, by deadline: ContinuousClock.Instant, _ what: String) async throws -> [UInt8] {
        while buffer.count - offset < count {
            guard try await fill(by: deadline, what) else { throw WireError.closed(what) }
        }
        defer { offset += count }
        return Array(buffer[offset..<offset + count])
    }

    /// One line, without its CR LF.
    package func line(by deadline: ContinuousClock.Instant, _ what: String) async throws -> [UInt8] {
        var searched = 0
        while true {
            if let end = buffer[(offset + searched)...].firstIndex(of: 0x0a) {
                defer { offset = end + 1 }
                let line = buffer[offset..<end]
                return Array(line.last == 0x0d ? line.dropLast() : line)
            }
            searched = buffer.count - offset
            guard try await fill(by: deadline, what) else { throw WireError.closed(what) }
        }
    }

    /// Everything until the peer closes.
    package func toEnd(by deadline: ContinuousClock.Instant, _ what: String) async throws -> [UInt8] {
        while try await fill(by: deadline, what) {}
        defer { offset = buffer.count }
        return Array(buffer[offset...])
    }
}

@available(*, unavailable)
extension WireStream: Sendable {}
