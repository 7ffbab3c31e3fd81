module example/send

go 1.19
