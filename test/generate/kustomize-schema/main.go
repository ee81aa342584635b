// Prints kustomize's built-in OpenAPI definitions and the scope of each built-in type as JSON, for ../kustomize-schema.ts.
package main

import (
	"encoding/json"
	"os"

	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/kustomize/kyaml/openapi"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

type scope struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespaced bool   `json:"namespaced"`
}

func main() {
	definitions := openapi.Schema().Definitions
	var scopes []scope
	for _, definition := range definitions {
		for _, t := range typesOf(definition) {
			if namespaced, known := openapi.IsNamespaceScoped(t); known {
				scopes = append(scopes, scope{t.APIVersion, t.Kind, namespaced})
			}
		}
	}
	// Types that have a scope but no definition of their own.
	for _, kind := range []string{"NodeProxyOptions", "PodAttachOptions", "PodExecOptions", "PodPortForwardOptions",
		"PodProxyOptions", "ServiceProxyOptions"} {
		if namespaced, known := openapi.IsNamespaceScoped(yaml.TypeMeta{APIVersion: "v1", Kind: kind}); known {
			scopes = append(scopes, scope{"v1", kind, namespaced})
		}
	}
	out := map[string]any{"definitions": definitions, "scopes": scopes}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		panic(err)
	}
}

func typesOf(definition spec.Schema) []yaml.TypeMeta {
	var types []yaml.TypeMeta
	list, _ := definition.Extensions["x-kubernetes-group-version-kind"].([]any)
	for _, item := range list {
		gvk, ok := item.(map[string]any)
		if !ok {
			continue
		}
		group, _ := gvk["group"].(string)
		version, _ := gvk["version"].(string)
		kind, _ := gvk["kind"].(string)
		if group != "" {
			version = group + "/" + version
		}
		types = append(types, yaml.TypeMeta{APIVersion: version, Kind: kind})
	}
	return types
}
