// CarillonConfigTests
