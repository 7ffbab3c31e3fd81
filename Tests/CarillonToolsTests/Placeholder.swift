// CarillonToolsTests
