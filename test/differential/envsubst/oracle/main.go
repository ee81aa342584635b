// Command oracle substitutes variables with Flux's envsubst for the differential test.
// It reads a JSON list of {text, variables, strict}, text and variables in base64, and writes a JSON list of {text} or
// {error}, both in base64. A panic of the reference is an error that begins with "panic: ".
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/fluxcd/pkg/envsubst"
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

func substitute(in input) (out output) {
	defer func() {
		if r := recover(); r != nil {
			out = output{Error: []byte(fmt.Sprintf("panic: %v", r))}
		}
	}()
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
	var inputs []input
	if err := json.NewDecoder(os.Stdin).Decode(&inputs); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	outputs := make([]output, len(inputs))
	for i, in := range inputs {
		outputs[i] = substitute(in)
	}
	if err := json.NewEncoder(os.Stdout).Encode(outputs); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
