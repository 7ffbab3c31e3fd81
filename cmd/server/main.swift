print("carillon-server")
