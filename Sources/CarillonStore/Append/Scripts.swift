/// The few scripts there are, each over one key, so that they run on Redis Cluster as they are. None is on the path of a post
/// without an Idempotency-Key.
///
/// - Source: Redis commands EVAL, TIME
enum Scripts {
    /// Reserves an Idempotency-Key, or says what became of it.
    ///
    /// ARGV: hash of the body, seed of the ids, lease in ms, life in s. Answers: word, seed, reserved at (ms), lease end (ms).
    static let reserve: StaticString = """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        local lease = string.format('%.0f', now + ARGV[3])
        local found = redis.call('HMGET', KEYS[1], 'hash', 'seed', 'state', 'lease', 'at')
        if not found[1] then
          local at = string.format('%.0f', now)
          redis.call('HSET', KEYS[1], 'hash', ARGV[1], 'seed', ARGV[2], 'state', 'running', 'lease', lease, 'at', at)
          redis.call('EXPIRE', KEYS[1], ARGV[4])
          return {'first', ARGV[2], at, lease}
        end
        if found[1] ~= ARGV[1] then return {'mismatch', '', '0', '0'} end
        if found[3] == 'done' then return {'done', found[2], found[5], '0'} end
        if tonumber(found[4]) > now then return {'running', '', '0', '0'} end
        redis.call('HSET', KEYS[1], 'lease', lease)
        return {'resume', found[2], found[5], lease}
        """

    /// Ends a reservation. ARGV: seed, and `done`, or `free` to give the lease up at once.
    static let settle: StaticString = """
        if redis.call('HGET', KEYS[1], 'seed') ~= ARGV[1] then return 0 end
        if ARGV[2] == 'done' then return redis.call('HSET', KEYS[1], 'state', 'done') end
        return redis.call('HSET', KEYS[1], 'lease', '0')
        """

    /// Adds an entry unless it is there. ARGV: uuid, reserved at (ms), lease end of a first try (ms, else 0), MAXLEN.
    ///
    /// Within the first lease nobody else can have added it. After that it is looked for among all entries since the
    /// reservation; where the stream has lost entries and holds none that is as old as the reservation, it counts as stored.
    static let appendOnce: StaticString = """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        if tonumber(ARGV[3]) <= now then
          for _, entry in ipairs(redis.call('XRANGE', KEYS[1], ARGV[2], '+')) do
            if entry[2][1] == 'nid' and entry[2][2] == ARGV[1] then return {entry[1], 1} end
          end
          if redis.call('EXISTS', KEYS[1]) == 1 then
            local info = redis.call('XINFO', 'STREAM', KEYS[1])
            local facts = {}
            for i = 1, #info, 2 do facts[info[i]] = info[i + 1] end
            local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
            local since = tonumber(string.match(oldest and oldest[1] or facts['last-generated-id'], '^%d+'))
            if since > tonumber(ARGV[2]) and facts['entries-added'] ~= facts['length'] then return {'', 1} end
          end
        end
        return {redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[4], '*', 'nid', ARGV[1]), 0}
        """

    /// Notes the newest entry with a collapse key, and says which one it replaces: an older one, or itself where a newer was
    /// noted meanwhile. ARGV: field, milliseconds and sequence of the stream id, uuid.
    static let collapse: StaticString = """
        local new = ARGV[2] .. '-' .. ARGV[3] .. ' ' .. ARGV[4]
        local old = redis.call('HGET', KEYS[1], ARGV[1])
        if old == new then return false end
        if old then
          local ms, seq = string.match(old, '^(%d+)-(%d+) ')
          local newer = tonumber(ms) - tonumber(ARGV[2])
          if newer == 0 then newer = tonumber(seq) - tonumber(ARGV[3]) end
          if newer > 0 then return new end
        end
        redis.call('HSET', KEYS[1], ARGV[1], new)
        return old
        """

    /// Deletes a string if it holds ARGV[1].
    static let deleteIfEqual: StaticString = """
        if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
        return 0
        """

    /// Removes a stream that is empty and whose last id is older than ARGV[1] (ms).
    static let deleteIdleStream: StaticString = """
        if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('XLEN', KEYS[1]) > 0 then return 0 end
        local info = redis.call('XINFO', 'STREAM', KEYS[1])
        for i = 1, #info, 2 do
          if info[i] == 'last-generated-id' then
            if tonumber(string.match(info[i + 1], '^%d+')) < tonumber(ARGV[1]) then return redis.call('DEL', KEYS[1]) end
          end
        end
        return 0
        """
}
