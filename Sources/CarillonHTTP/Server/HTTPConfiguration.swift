package import CarillonDomain

/// What an operator may change about the HTTP side.
package struct HTTPConfiguration: Sendable {
    /// `SERVER_ADDR`: where to listen.
    package var address: ListenAddress
    /// `MAX_BODY_BYTES`: longest request body; one byte more is a 413.
    package var bodyLimitBytes: Int
    /// Seconds after which a keep-alive connection without a request is closed.
    package var idleSeconds = 60
    /// Seconds that a request may take to arrive in full, from its first byte; then it is a 408.
    package var requestSeconds = 30
    /// Bytes of answers that may wait for their clients, those of all connections together.
    package var unreadLimitBytes = 64 << 20
    /// What the system may keep of an answer that its client does not take; nil: as much as it likes.
    package var sendBufferBytes: Int?
    /// How long a stopping server goes on accepting connections, so that load balancers learn of it before they are refused.
    package var noticeTime = Duration.zero
    /// Longest wait at shutdown for requests that are still served, after `noticeTime`; then their connections are closed.
    package var drainTimeout = Duration.seconds(5)
    /// The folder of the web UI; without one there is no `/`.
    package var webFolder: String?
    /// `FRONTEND_URL`: whose pages may call from elsewhere; nil says nothing of other origins.
    package var allowedOrigins: AllowedOrigins?
    /// `USER_IDS`, for the history call.
    package var userIDs = UserIDKind.int

    var crossOrigin: CrossOrigin? { allowedOrigins.map(CrossOrigin.init) }

    /// Longest request head, request line and final empty line included. Not a setting: proxies and the other parser
    /// know 16 KiB too.
    static let headLimitBytes = 16 * 1024
    /// So many fields of a head are too many, trailers included.
    static let fieldLimit = 100
    /// Seconds in which a client may take the last answer and close before the connection is cut.
    static let lingerSeconds = 2

    package init(address: ListenAddress, bodyLimitBytes: Int = NotifyLimits().bodyBytes) {
        self.address = address
        self.bodyLimitBytes = bodyLimitBytes
    }
}
