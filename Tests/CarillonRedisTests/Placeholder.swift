// CarillonRedisTests
