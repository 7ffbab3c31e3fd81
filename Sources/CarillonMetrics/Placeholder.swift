// CarillonMetrics
