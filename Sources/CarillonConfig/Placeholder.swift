// CarillonConfig
