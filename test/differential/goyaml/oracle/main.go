// Command oracle answers, line by line, what Go's YAML libraries make of a text. It is the reference of the tests.
//
// Request:  {"op":"tree|emit|value|json|strict|stream|yaml|marshal","text":"…","indent":2,"wide":false}
// Response: {"out":"…","nodes":[…],"error":"…"}
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	v3 "go.yaml.in/yaml/v3"
	k8s "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

type request struct {
	Op     string `json:"op"`
	Text   string `json:"text"`
	Indent int    `json:"indent"`
	Wide   bool   `json:"wide"`
}

type response struct {
	Out   string `json:"out"`
	Nodes []any  `json:"nodes,omitempty"`
	Error string `json:"error,omitempty"`
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for {
		line, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			var req request
			if err := json.Unmarshal(line, &req); err != nil {
				panic(err)
			}
			if err := encoder.Encode(answer(req)); err != nil {
				panic(err)
			}
		}
		if err != nil {
			return
		}
	}
}

func answer(req request) (res response) {
	defer func() {
		if r := recover(); r != nil {
			res = response{Error: fmt.Sprintf("panic: %v", r)}
		}
	}()
	var err error
	switch req.Op {
	case "tree":
		var nodes []*v3.Node
		if nodes, err = parse(req.Text); err == nil {
			for _, node := range nodes {
				res.Nodes = append(res.Nodes, tree(node))
			}
		}
	case "emit":
		res.Out, err = emit(req)
	case "value":
		res.Out, err = value(req.Text)
	case "json", "strict":
		convert := yaml.YAMLToJSON
		if req.Op == "strict" {
			convert = yaml.YAMLToJSONStrict
		}
		var data []byte
		data, err = convert([]byte(req.Text))
		res.Out = string(data)
		if err != nil {
			err = fmt.Errorf("error converting YAML to JSON: %w", err)
		}
	case "stream":
		res.Out, err = stream(req.Text)
	case "yaml":
		res.Out, err = write(req.Text)
	case "marshal":
		res.Out, err = marshalV3(req.Text)
	default:
		panic("unknown op " + req.Op)
	}
	if err != nil {
		return response{Error: err.Error()}
	}
	return res
}

func parse(text string) ([]*v3.Node, error) {
	decoder := v3.NewDecoder(strings.NewReader(text))
	var nodes []*v3.Node
	for {
		node := &v3.Node{}
		err := decoder.Decode(node)
		if err == io.EOF {
			return nodes, nil
		}
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, node)
	}
}

func emit(req request) (string, error) {
	nodes, err := parse(req.Text)
	if err != nil || len(nodes) == 0 {
		return "", err
	}
	var out bytes.Buffer
	encoder := v3.NewEncoder(&out)
	encoder.SetIndent(req.Indent)
	if req.Wide {
		encoder.DefaultSeqIndent()
	} else {
		encoder.CompactSeqIndent()
	}
	for _, node := range nodes {
		if err := encoder.Encode(node); err != nil {
			return "", err
		}
	}
	err = encoder.Close()
	return out.String(), err
}

// value decodes the first document as kyaml does: a map with string keys if it is a map.
func value(text string) (string, error) {
	node := &v3.Node{}
	if err := v3.NewDecoder(strings.NewReader(text)).Decode(node); err == io.EOF {
		return "null", nil
	} else if err != nil {
		return "", err
	}
	root := node.Content[0]
	for root.Kind == v3.AliasNode {
		root = root.Alias
	}
	var data []byte
	var err error
	if root.Kind == v3.MappingNode {
		m := map[string]interface{}{}
		if err = node.Content[0].Decode(&m); err == nil {
			data, err = marshal(m)
		}
	} else {
		var v interface{}
		if err = node.Content[0].Decode(&v); err == nil {
			data, err = marshal(v)
		}
	}
	return string(data), err
}

func marshal(v interface{}) ([]byte, error) {
	return json.Marshal(v)
}

// stream reads all documents as Kubernetes does.
func stream(text string) (string, error) {
	reader := k8s.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	values := []json.RawMessage{}
	for {
		part, err := reader.Read()
		if err == io.EOF {
			data, err := json.Marshal(values)
			return string(data), err
		}
		if err != nil {
			return "", err
		}
		data, err := yaml.YAMLToJSON(part)
		if err != nil {
			return "", fmt.Errorf("error converting YAML to JSON: %w", err)
		}
		if string(data) != "null" {
			values = append(values, data)
		}
	}
}

func write(text string) (string, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var v interface{}
	if err := decoder.Decode(&v); err != nil {
		return "", err
	}
	data, err := yaml.Marshal(v)
	return string(data), err
}

// marshalV3 writes a JSON value with yaml.v3, laid out as kyaml does.
func marshalV3(text string) (string, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var v interface{}
	if err := decoder.Decode(&v); err != nil {
		return "", err
	}
	var out bytes.Buffer
	encoder := v3.NewEncoder(&out)
	encoder.SetIndent(2)
	encoder.CompactSeqIndent()
	err := encoder.Encode(numbers(v))
	return out.String(), err
}

// numbers gives JSON numbers the Go types that hold them.
func numbers(v interface{}) interface{} {
	switch v := v.(type) {
	case map[string]interface{}:
		for key, item := range v {
			v[key] = numbers(item)
		}
	case []interface{}:
		for i, item := range v {
			v[i] = numbers(item)
		}
	case json.Number:
		if i, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return i
		}
		if u, err := strconv.ParseUint(v.String(), 10, 64); err == nil {
			return u
		}
		f, err := v.Float64()
		if err != nil {
			panic(err)
		}
		return f
	}
	return v
}

var kinds = map[v3.Kind]string{
	v3.DocumentNode: "document", v3.SequenceNode: "sequence", v3.MappingNode: "mapping",
	v3.ScalarNode: "scalar", v3.AliasNode: "alias",
}

func tree(n *v3.Node) any {
	content := []any{}
	for _, child := range n.Content {
		content = append(content, tree(child))
	}
	style := []string{}
	for _, s := range []struct {
		style v3.Style
		name  string
	}{
		{v3.TaggedStyle, "tagged"}, {v3.DoubleQuotedStyle, "double"}, {v3.SingleQuotedStyle, "single"},
		{v3.LiteralStyle, "literal"}, {v3.FoldedStyle, "folded"}, {v3.FlowStyle, "flow"},
	} {
		if n.Style&s.style != 0 {
			style = append(style, s.name)
		}
	}
	return []any{kinds[n.Kind], strings.Join(style, " "), n.Tag, n.Value, n.Anchor, n.HeadComment, n.LineComment,
		n.FootComment, n.Line, n.Column, content}
}
