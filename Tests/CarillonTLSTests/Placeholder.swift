// CarillonTLSTests
