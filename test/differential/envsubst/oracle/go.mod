module lockstep/test/differential/envsubst/oracle

go 1.26.0

require github.com/fluxcd/pkg/envsubst v1.8.0

require lockstep/test/differential/serve v0.0.0

replace lockstep/test/differential/serve => ../../serve
