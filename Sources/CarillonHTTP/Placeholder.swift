// CarillonHTTP
