/// Why a connection is closed, as a number in the close frame.
///
/// - Source: RFC 6455 §7.4, IANA registry "WebSocket Close Code Number"
package struct WebSocketCloseCode: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    package static let normal = Self(rawValue: 1000)
    /// The pod goes down, or the device answered no ping: come back.
    package static let goingAway = Self(rawValue: 1001)
    package static let protocolError = Self(rawValue: 1002)
    package static let unsupportedData = Self(rawValue: 1003)
    package static let invalidPayload = Self(rawValue: 1007)
    package static let messageTooBig = Self(rawValue: 1009)
    package static let internalError = Self(rawValue: 1011)
    /// The user's stream ids went back: come back and replay everything.
    package static let serviceRestart = Self(rawValue: 1012)
    /// The device does not take what it is sent: come back and resync.
    package static let tryAgainLater = Self(rawValue: 1013)
    /// The device kept sending too fast.
    package static let tooManyRequests = Self(rawValue: 4429)

    /// Whether the code may stand in a close frame: 1004, 1005, 1006 and 1015 are for programs' own use, the rest of
    /// what is missing here is unassigned.
    package var isAllowedInFrame: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}

/// What a peer did against RFC 6455, and the close code that answers it.
package struct WebSocketViolation: Error, Hashable {
    package let code: WebSocketCloseCode
    package let reason: String

    static let unmasked = Self(code: .protocolError, reason: "frame is not masked")
    static let reservedBits = Self(code: .protocolError, reason: "reserved bits are set")
    static let reservedOpcode = Self(code: .protocolError, reason: "reserved opcode")
    static let lengthNotMinimal = Self(code: .protocolError, reason: "length is not in its shortest form")
    static let lengthTooLarge = Self(code: .protocolError, reason: "length has its top bit set")
    static let controlTooLong = Self(code: .protocolError, reason: "control frame is longer than 125 bytes")
    static let controlFragmented = Self(code: .protocolError, reason: "control frame is fragmented")
    static let messageNotFinished = Self(code: .protocolError, reason: "new message inside a fragmented one")
    static let nothingToContinue = Self(code: .protocolError, reason: "nothing to continue")
    static let closePayload = Self(code: .protocolError, reason: "close frame has half a code")
    static let closeCode = Self(code: .protocolError, reason: "close code must not be sent")
    static let binary = Self(code: .unsupportedData, reason: "only text messages are taken")
    static let notUTF8 = Self(code: .invalidPayload, reason: "text is not UTF-8")
    static let tooBig = Self(code: .messageTooBig, reason: "message is too long")
}
