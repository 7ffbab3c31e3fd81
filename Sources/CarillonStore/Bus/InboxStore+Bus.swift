import CarillonDomain
package import CarillonRedis
import NIOCore

extension InboxStore {
    /// Where the bus of a pod is in a cluster.
    package static func busLocator(of pod: String, in cluster: RedisCluster) -> any RedisLocator {
        cluster.locator(of: Keys.bus(pod))
    }

    /// Adds one entry to the bus of a pod, which is kept near `busMaxLength` entries.
    ///
    /// - Parameters:
    ///   - lines: Messages as `BusFormat` writes them.
    ///   - number: Which of this process's entries for that pod it is, so that a lost one is noticed; nil: not counted.
    ///   - createsBus: Whether a bus that does not exist is made; a pod that is gone must not get a new one.
    ///   - completion: Hears the entry's id; null where there was no bus.
    /// - Source: Redis command XADD
    func addToBus(
        of pod: String,
        lines: ByteBuffer,
        number: UInt64? = nil,
        createsBus: Bool = false,
        completion: @escaping (Result<RedisReply, StoreError>) -> Void
    ) {
        let count = 11 + (createsBus ? 0 : 1) + (number == nil ? 0 : 2)
        let write = { (arguments: inout RedisArguments) in
            arguments.key(Keys.bus(pod))
            if !createsBus { arguments.bulk("NOMKSTREAM" as StaticString) }
            arguments.bulk("MAXLEN" as StaticString)
            arguments.bulk("~" as StaticString)
            arguments.integer(self.settings.busMaxLength)
            arguments.bulk("*" as StaticString)
            arguments.bulk("v" as StaticString)
            arguments.integer(BusFormat.version)
            arguments.bulk("from" as StaticString)
            arguments.bulk("\(self.settings.podID)/\(self.settings.runID)")
            if let number {
                arguments.bulk("n" as StaticString)
                arguments.integer(number)
            }
            arguments.bulk("d" as StaticString)
            arguments.bulk(lines)
        }
        send("XADD", arguments: count, write, reply: completion)
    }
}
