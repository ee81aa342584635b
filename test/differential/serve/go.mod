module lockstep/test/differential/serve

go 1.26
