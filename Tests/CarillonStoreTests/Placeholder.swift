// CarillonStoreTests
