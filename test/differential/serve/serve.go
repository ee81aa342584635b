// Package serve is the frame of every oracle: a JSON list of inputs on stdin, a JSON list of outputs on stdout.
package serve

import (
	"encoding/json"
	"fmt"
	"os"
)

// Answers answers each input; what panics is answered by panicked, with a text that begins with "panic: ".
func Answers[Input, Output any](answer func(Input) Output, panicked func(text string) Output) {
	var inputs []Input
	if err := json.NewDecoder(os.Stdin).Decode(&inputs); err != nil {
		fail(err)
	}
	outputs := make([]Output, len(inputs))
	for i, input := range inputs {
		outputs[i] = guarded(input, answer, panicked)
	}
	if err := json.NewEncoder(os.Stdout).Encode(outputs); err != nil {
		fail(err)
	}
}

func guarded[Input, Output any](input Input, answer func(Input) Output, panicked func(string) Output) (output Output) {
	defer func() {
		if r := recover(); r != nil {
			output = panicked(fmt.Sprintf("panic: %v", r))
		}
	}()
	return answer(input)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
