// CarillonRedis
