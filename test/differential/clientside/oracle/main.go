// Command oracle changes objects on the client's side as Helm does, for the differential test: a three-way strategic
// merge patch is made, and applied to what is live. It reads a JSON list of {kind, old, desired, live} and writes a JSON
// list of {live} or {error}.
package main

import (
	"encoding/json"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"

	"lockstep/test/differential/serve"
)

type input struct {
	Kind    string          `json:"kind"`
	Old     json.RawMessage `json:"old"`
	Desired json.RawMessage `json:"desired"`
	Live    json.RawMessage `json:"live"`
}

type output struct {
	Live  json.RawMessage `json:"live,omitempty"`
	Error string          `json:"error,omitempty"`
}

var types = map[string]any{
	"Deployment":     appsv1.Deployment{},
	"Service":        corev1.Service{},
	"ServiceAccount": corev1.ServiceAccount{},
	"ConfigMap":      corev1.ConfigMap{},
}

func change(in input) output {
	kind := types[in.Kind]
	meta, err := strategicpatch.NewPatchMetaFromStruct(kind)
	if err != nil {
		return output{Error: err.Error()}
	}
	patch, err := strategicpatch.CreateThreeWayMergePatch(in.Old, in.Desired, in.Live, meta, true)
	if err != nil {
		return output{Error: err.Error()}
	}
	live, err := strategicpatch.StrategicMergePatch(in.Live, patch, kind)
	if err != nil {
		return output{Error: err.Error()}
	}
	return output{Live: live}
}

func main() {
	serve.Answers(change, func(text string) output { return output{Error: text} })
}
