module lockstep/test/goyaml

go 1.24.0

require (
	go.yaml.in/yaml/v3 v3.0.4
	k8s.io/apimachinery v0.34.1
	sigs.k8s.io/yaml v1.6.0
)

require (
	go.yaml.in/yaml/v2 v2.4.2 // indirect
	sigs.k8s.io/json v0.0.0-20241014173422-cfa47c3a1cc8 // indirect
)

// What kustomize 5.8.1 is built with; the Kubernetes module alone would take a later one.
replace go.yaml.in/yaml/v3 => go.yaml.in/yaml/v3 v3.0.3
