print("carillon-sender")
