// CarillonWorkers
