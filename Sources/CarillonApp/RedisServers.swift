import CarillonConfig
import CarillonRedis
import CarillonStore
import CarillonTLS
import Logging
import NIOCore

/// The ways to Redis that a pod has, as its settings say: to one server, to the primary that Sentinels name, or to a cluster.
///
/// - Isolation: the event loop
struct RedisServers {
    /// Nil where there are none.
    let sentinels: SentinelWatch?
    /// For everything that answers at once.
    let commands: any Redis
    /// For notifications, where replicas have to confirm them: waiting for that holds the connection up.
    let writes: (any Redis)?
    /// For reading the pod's bus, which blocks.
    let blocking: RedisConnection

    init(_ settings: Settings, observer: RedisEvents, eventLoop: any EventLoop, logger: Logger) {
        let redis = settings.redis
        let name = "carillon-\(settings.podID)"
        let sentinels = redis.sentinels.map { sentinels in
            SentinelWatch(
                eventLoop: eventLoop,
                sentinels: sentinels.addresses.map { RedisConfiguration(sentinels, at: $0, redis, name: name) },
                primaryName: sentinels.primaryName,
                logger: logger
            )
        }
        self.sentinels = sentinels
        func connection(
            _ purpose: String,
            _ observer: (any RedisObserver)?,
            _ locator: (any RedisLocator)?
        ) -> RedisConnection {
            RedisConnection(
                eventLoop: eventLoop,
                configuration: RedisConfiguration(redis, name: name + purpose),
                locator: locator,
                logger: logger,
                observer: observer
            )
        }
        func cluster(
            _ purpose: String,
            _ observer: any RedisObserver,
            _ seeds: [Settings.Redis.Address]
        ) -> RedisCluster {
            RedisCluster(
                eventLoop: eventLoop,
                configuration: RedisConfiguration(redis, name: name + purpose),
                seeds: seeds.map { RedisConfiguration.Endpoint($0) },
                logger: logger,
                observer: observer
            )
        }
        let replicasConfirm = settings.notifications.waitReplicas > 0
        if let seeds = redis.cluster {
            let commands = cluster("", observer, seeds)
            self.commands = commands
            writes = replicasConfirm ? cluster("-writes", observer.ofWrites, seeds) : nil
            blocking = connection("-bus", nil, InboxStore.busLocator(of: settings.podID, in: commands))
        } else {
            commands = connection("", observer, sentinels)
            writes = replicasConfirm ? connection("-writes", observer.ofWrites, sentinels) : nil
            blocking = connection("-bus", nil, sentinels)
        }
    }
}

extension RedisConfiguration {
    init(_ settings: Settings.Redis, name: String) {
        self.init(endpoint: Endpoint(settings.address))
        tls = settings.usesTLS ? TLSClientConfiguration(caFile: settings.authoritiesFile) : nil
        username = settings.username
        password = settings.password
        database = settings.database
        commandTimeout = settings.commandTimeout
        clientName = name
    }
}

extension RedisConfiguration {
    /// Of a Sentinel, which speaks TLS where Redis does and has users of its own.
    init(
        _ sentinels: Settings.Sentinels,
        at address: Settings.Redis.Address,
        _ redis: Settings.Redis,
        name: String
    ) {
        self.init(redis, name: name)
        endpoint = Endpoint(address)
        username = sentinels.username
        password = sentinels.password
        database = 0
        connectTimeout = .seconds(1)
        commandTimeout = .seconds(1)
    }
}

extension RedisConfiguration.Endpoint {
    fileprivate init(_ address: Settings.Redis.Address) {
        switch address {
        case .tcp(let host, let port): self = .tcp(host: host, port: port)
        case .unix(let path): self = .unix(path: path)
        }
    }
}
