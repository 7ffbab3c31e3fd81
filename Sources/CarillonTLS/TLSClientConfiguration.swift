/// What a TLS client trusts.
package struct TLSClientConfiguration: Hashable, Sendable {
    /// PEM file with the certificates to trust instead of the system's; nil means the system's trust store.
    package var caFile: String?
    /// Whether certificate and host name are checked. Off means encrypted, but to whomever answers.
    package var verify: Bool

    package init(caFile: String? = nil, verify: Bool = true) {
        self.caFile = caFile
        self.verify = verify
    }
}
