// CarillonStore
