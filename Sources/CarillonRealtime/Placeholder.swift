// CarillonRealtime
