// Command oracle renders templates with Go's text/template and sprig, as Helm sets them up, for the differential test.
// It reads a JSON list of {name, template, data} and writes a JSON list of {text} or {error}; text and error are base64.
package main

import (
	"encoding/json"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"

	"lockstep/test/differential/serve"
)

type input struct {
	Name     string          `json:"name"`
	Template string          `json:"template"`
	Data     json.RawMessage `json:"data"`
}

type output struct {
	Text  []byte `json:"text,omitempty"`
	Error []byte `json:"error,omitempty"`
}

func render(in input) output {
	var data interface{}
	if err := json.Unmarshal(in.Data, &data); err != nil {
		return output{Error: []byte(err.Error())}
	}
	functions := sprig.TxtFuncMap()
	delete(functions, "env")
	delete(functions, "expandenv")
	t := template.New("gotpl").Option("missingkey=zero")
	functions["include"] = func(name string, data interface{}) (string, error) {
		var b strings.Builder
		err := t.ExecuteTemplate(&b, name, data)
		return b.String(), err
	}
	t.Funcs(functions)
	if _, err := t.New(in.Name).Parse(in.Template); err != nil {
		return output{Error: []byte(err.Error())}
	}
	var b strings.Builder
	if err := t.ExecuteTemplate(&b, in.Name, data); err != nil {
		return output{Error: []byte(err.Error())}
	}
	return output{Text: []byte(b.String())}
}

func main() {
	serve.Answers(render, func(text string) output { return output{Error: []byte(text)} })
}
