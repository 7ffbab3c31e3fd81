// CarillonDomainTests
