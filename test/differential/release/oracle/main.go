// Command oracle digests releases, values and parts of a HelmRelease's spec as Flux's helm-controller does, for the
// differential test. It reads a JSON list of {release, ociDigest, values, postRenderers, commonMetadata}, where release
// is a stored release's JSON, and writes a JSON list of digests.
package main

import (
	"encoding/json"

	"github.com/opencontainers/go-digest"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	release "helm.sh/helm/v4/pkg/release/v1"

	v2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/fluxcd/pkg/chartutil"

	"lockstep/test/differential/serve"
)

type input struct {
	Release        release.Release    `json:"release"`
	OCIDigest      string             `json:"ociDigest"`
	Values         map[string]any     `json:"values"`
	PostRenderers  []v2.PostRenderer  `json:"postRenderers"`
	CommonMetadata *v2.CommonMetadata `json:"commonMetadata"`
}

type output struct {
	Release        string `json:"release"`
	Values         string `json:"values"`
	PostRenderers  string `json:"postRenderers"`
	CommonMetadata string `json:"commonMetadata"`
	Error          string `json:"error,omitempty"`
}

// observed has what helm-controller digests of a release, in its order.
type observed struct {
	Name          string         `json:"name"`
	Version       int            `json:"version"`
	Info          release.Info   `json:"info"`
	ChartMetadata chart.Metadata `json:"chartMetadata"`
	Config        map[string]any `json:"config"`
	Manifest      string         `json:"manifest"`
	Hooks         []release.Hook `json:"hooks"`
	Namespace     string         `json:"namespace"`
	OCIDigest     string         `json:"ociDigest,omitempty"`
}

func observe(in input) observed {
	rel := in.Release
	seen := observed{
		Name: rel.Name, Version: rel.Version, Info: *rel.Info, ChartMetadata: *rel.Chart.Metadata,
		Manifest: rel.Manifest, Namespace: rel.Namespace, OCIDigest: in.OCIDigest,
	}
	if len(rel.Config) > 0 {
		seen.Config = rel.Config
	}
	for _, hook := range rel.Hooks {
		if !isTest(hook) {
			seen.Hooks = append(seen.Hooks, *hook)
		}
	}
	return seen
}

func isTest(hook *release.Hook) bool {
	for _, event := range hook.Events {
		if event == release.HookTest {
			return true
		}
	}
	return false
}

func sum(value any) string {
	digester := digest.SHA256.Digester()
	if err := json.NewEncoder(digester.Hash()).Encode(value); err != nil {
		panic(err)
	}
	return digester.Digest().String()
}

func answer(in input) output {
	out := output{Release: sum(observe(in)), Values: chartutil.DigestValues(digest.SHA256, in.Values).String()}
	if in.PostRenderers != nil {
		out.PostRenderers = sum(in.PostRenderers)
	}
	if in.CommonMetadata != nil {
		out.CommonMetadata = sum(in.CommonMetadata)
	}
	return out
}

func main() {
	serve.Answers(answer, func(text string) output { return output{Error: text} })
}
