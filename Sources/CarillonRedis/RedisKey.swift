/// A key in two parts, which the writer joins without building a `String`.
package struct RedisKey: Sendable {
    package let prefix: StaticString
    package let suffix: String

    package init(_ prefix: StaticString, _ suffix: String = "") {
        self.prefix = prefix
        self.suffix = suffix
    }

    package var text: String { "\(prefix)\(suffix)" }
}
