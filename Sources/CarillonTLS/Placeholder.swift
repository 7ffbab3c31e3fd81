// CarillonTLS
