// CarillonRealtimeTests
