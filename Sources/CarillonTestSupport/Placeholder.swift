// CarillonTestSupport
