package import NIOCore

/// One argument of a command that is put together on a cold path.
package enum RedisArgument: Sendable {
    case text(String)
    case integer(Int64)
    case bytes(ByteBuffer)
    case key(RedisKey)

    func write(to writer: inout RedisArguments) {
        switch self {
        case .text(let text): writer.bulk(text)
        case .integer(let number): writer.integer(number)
        case .bytes(let buffer): writer.bulk(buffer)
        case .key(let key): writer.key(key)
        }
    }
}

extension RedisArgument: ExpressibleByStringInterpolation {
    package init(stringLiteral value: String) {
        self = .text(value)
    }
}

extension RedisArgument: ExpressibleByIntegerLiteral {
    package init(integerLiteral value: Int64) {
        self = .integer(value)
    }
}

/// A command that is put together on a cold path.
package struct RedisCommand: Sendable {
    /// Its first word; further words (`CLIENT` `LIST`) are arguments.
    package let name: String
    package let arguments: [RedisArgument]

    package init(_ name: String, _ arguments: [RedisArgument]) {
        self.name = name
        self.arguments = arguments
    }

    package init(_ name: String, _ arguments: RedisArgument...) {
        self.init(name, arguments)
    }

    func write(to writer: inout RedisArguments) {
        writer.begin(name, arguments: arguments.count)
        for argument in arguments { argument.write(to: &writer) }
    }
}
