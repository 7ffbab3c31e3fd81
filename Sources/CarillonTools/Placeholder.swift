// CarillonTools
