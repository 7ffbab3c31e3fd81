import Glibc

/// Where lines of the log go.
package struct LogSink: Sendable {
    /// Takes one line with its line feed.
    let write: @Sendable (String) -> Void

    package init(write: @escaping @Sendable (String) -> Void) {
        self.write = write
    }

    /// One write(2) for each line, so that lines of several threads do not mix.
    package static let standardError = LogSink { line in
        var line = line
        line.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while let start = rest.baseAddress, !rest.isEmpty {
                let written = Glibc.write(STDERR_FILENO, start, rest.count)
                if written > 0 {
                    rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
                } else if errno != EINTR {
                    // Nowhere is left to complain to.
                    return
                }
            }
        }
    }
}
