// Command oracle substitutes variables with Flux's envsubst for the differential test.
// It reads a JSON list of {text, variables, strict}, text and variables in base64, and writes a JSON list of {text} or
// {error}, both in base64. A panic of the reference is an error that begins with "panic: ".
package main

import (
	"github.com/fluxcd/pkg/envsubst"

	"lockstep/test/differential/serve"
)

type input struct {
	Text      []byte            `json:"text"`
	Variables map[string][]byte `json:"variables"`
	Strict    bool              `json:"strict"`
}

type output struct {
	Text  []byte `json:"text,omitempty"`
	Error []byte `json:"error,omitempty"`
}

func substitute(in input) output {
	text, err := envsubst.Eval(string(in.Text), func(name string) (string, bool) {
		value, found := in.Variables[name]
		return string(value), found || !in.Strict
	})
	if err != nil {
		return output{Error: []byte(err.Error())}
	}
	return output{Text: []byte(text)}
}

func main() {
	serve.Answers(substitute, func(text string) output { return output{Error: []byte(text)} })
}
