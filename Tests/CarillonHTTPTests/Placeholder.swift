// CarillonHTTPTests
