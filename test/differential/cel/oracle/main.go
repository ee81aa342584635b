// Command oracle evaluates CEL expressions with cel-go, set up as Flux does it, for the differential test.
// It reads a JSON list of {expression, data, variables}: with variables the expression is compiled, else only parsed.
// It writes a JSON list of {value} (the result as JSON text with its type), {invalid} or {failed}.
package main

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/ext"

	"lockstep/test/differential/serve"
)

type input struct {
	Expression string          `json:"expression"`
	Data       json.RawMessage `json:"data"`
	Variables  []string        `json:"variables"`
}

type output struct {
	Value   string `json:"value,omitempty"`
	Invalid string `json:"invalid,omitempty"`
	Failed  string `json:"failed,omitempty"`
}

func show(v ref.Val) string {
	switch t := v.(type) {
	case types.Bool, types.Int:
		return fmt.Sprintf("%v", t)
	case types.Uint:
		return fmt.Sprintf("%du", uint64(t))
	case types.Double:
		return fmt.Sprintf("double(%v)", float64(t))
	case types.String:
		b, _ := json.Marshal(string(t))
		return string(b)
	case types.Bytes:
		return fmt.Sprintf("bytes(%x)", []byte(t))
	case types.Null:
		return "null"
	case *types.Optional:
		if !t.HasValue() {
			return "none"
		}
		return "optional(" + show(t.GetValue()) + ")"
	case traits.Lister:
		var parts []string
		for it := t.Iterator(); it.HasNext() == types.True; {
			parts = append(parts, show(it.Next()))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case traits.Mapper:
		var parts []string
		for it := t.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			parts = append(parts, show(key)+": "+show(t.Get(key)))
		}
		sort.Strings(parts)
		return "{" + strings.Join(parts, ", ") + "}"
	}
	s := v.ConvertToType(types.StringType)
	return fmt.Sprintf("%s(%v)", v.Type().TypeName(), s.Value())
}

// integers turns whole numbers into int64, as Kubernetes reads JSON.
func integers(v any) any {
	switch t := v.(type) {
	case map[string]any:
		for k, item := range t {
			t[k] = integers(item)
		}
	case []any:
		for i, item := range t {
			t[i] = integers(item)
		}
	case json.Number:
		if n, err := t.Int64(); err == nil {
			return n
		}
		f, _ := t.Float64()
		return f
	}
	return v
}

func evaluate(in input) output {
	options := []cel.EnvOption{
		cel.HomogeneousAggregateLiterals(),
		cel.EagerlyValidateDeclarations(true),
		cel.DefaultUTCTimeZone(true),
		cel.CrossTypeNumericComparisons(true),
		cel.OptionalTypes(),
		ext.Strings(),
		ext.Sets(),
		ext.Encoders(),
	}
	for _, name := range in.Variables {
		options = append(options, cel.Variable(name, cel.ObjectType("google.protobuf.Struct")))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return output{Invalid: err.Error()}
	}
	parse := env.Parse
	if len(in.Variables) > 0 {
		parse = env.Compile
	}
	ast, issues := parse(in.Expression)
	if issues != nil && issues.Err() != nil {
		return output{Invalid: issues.String()}
	}
	program, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return output{Invalid: err.Error()}
	}
	decoder := json.NewDecoder(strings.NewReader(string(in.Data)))
	decoder.UseNumber()
	var data map[string]any
	if err := decoder.Decode(&data); err != nil {
		return output{Failed: err.Error()}
	}
	value, _, err := program.Eval(integers(data).(map[string]any))
	if err != nil {
		return output{Failed: err.Error()}
	}
	return output{Value: show(value)}
}

func main() {
	serve.Answers(evaluate, func(text string) output { return output{Failed: text} })
}
