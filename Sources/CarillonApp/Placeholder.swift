// CarillonApp
