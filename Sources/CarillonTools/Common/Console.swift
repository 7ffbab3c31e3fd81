#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// Where a tool writes to.
package struct Console: Sendable {
    /// Whether standard output takes colours.
    package let colour: Bool
    /// Whether standard error is a terminal, where a line can be written over.
    package let progress: Bool
    /// Writes to standard output; false when nobody reads it any more.
    package let output: @Sendable ([UInt8]) -> Bool
    package let error: @Sendable (String) -> Void

    package init(
        colour: Bool,
        progress: Bool,
        output: @escaping @Sendable ([UInt8]) -> Bool,
        error: @escaping @Sendable (String) -> Void
    ) {
        self.colour = colour
        self.progress = progress
        self.output = output
        self.error = error
    }

    /// The process's own standard output and error.
    ///
    /// Colours only on a terminal, and not where `NO_COLOR` is set (no-color.org) or the terminal is dumb.
    package static func standard() -> Console {
        // A reader that goes away (`| head`) shall be an error of write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        let plain = !(Environment.value("NO_COLOR") ?? "").isEmpty || Environment.value("TERM") == "dumb"
        return Console(
            colour: isatty(STDOUT_FILENO) == 1 && !plain,
            progress: isatty(STDERR_FILENO) == 1,
            output: { write($0, to: STDOUT_FILENO) },
            error: { _ = write(Array($0.utf8), to: STDERR_FILENO) }
        )
    }

    /// Writes a line to standard output.
    func line(_ text: String) -> Bool { output(Array((text + "\n").utf8)) }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let slice = UnsafeRawBufferPointer(rebasing: rest)
                #if canImport(Darwin)
                let count = Darwin.write(descriptor, slice.baseAddress, slice.count)
                #elseif canImport(Glibc)
                let count = Glibc.write(descriptor, slice.baseAddress, slice.count)
                #else
                let count = Musl.write(descriptor, slice.baseAddress, slice.count)
                #endif
                if count >= 0 {
                    rest = rest.dropFirst(count)
                } else if errno == EAGAIN {
                    // Somebody made the shared terminal non-blocking.
                    var descriptor = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&descriptor, 1, -1)
                } else if errno != EINTR {
                    return false
                }
            }
            return true
        }
    }
}

/// Environment variables.
package enum Environment {
    /// The value of a variable; nil where it is not set.
    package static func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// The value of a variable; nil where it is not set or empty.
    package static func text(_ name: String) -> String? {
        guard let value = value(name), !value.isEmpty else { return nil }
        return value
    }
}
