print("carillon-client")
