// The template-oracle command answers, from Kubernetes' own Go types, the
// questions on which Sluice has to agree with Go to the byte: how a pod
// template is encoded, what its hash is, and how the API server merges lists.
// Sluice checks in what `fields` and `listkeys` print and compares itself with
// `hash` on what `generate` prints.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"
)

const usage = `Usage: template-oracle COMMAND

  fields                       how Go encodes each struct type in a pod template, as JSON
  listkeys                     how the API server merges each field of the built-in kinds, as JSON
  generate --seed S --count N  N random pod templates, one JSON line each, as input for hash
  hash                         for each JSON line of standard input the bytes that are hashed and the hash
`

func main() {
	out := bufio.NewWriter(os.Stdout)
	err := answer(os.Args[1:], os.Stdin, out)
	if err := errors.Join(err, out.Flush()); err != nil {
		fmt.Fprintf(os.Stderr, "template-oracle: %v\n", err)
		os.Exit(1)
	}
}

func answer(args []string, in io.Reader, out io.Writer) error {
	if len(args) == 0 {
		return errors.New("no command given\n" + usage)
	}
	command, args := args[0], args[1:]
	if command == "generate" {
		return generateCommand(args, out)
	}
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q\n%s", args[0], usage)
	}
	switch command {
	case "fields":
		table, err := podTemplateFields()
		if err != nil {
			return err
		}
		return printJSON(out, table)
	case "listkeys":
		table, err := builtInMergeRules()
		if err != nil {
			return err
		}
		return printJSON(out, table)
	case "hash":
		return hashLines(in, out)
	case "help", "--help", "-h":
		_, err := io.WriteString(out, usage)
		return err
	}
	return fmt.Errorf("unknown command %q\n%s", command, usage)
}

func generateCommand(args []string, out io.Writer) error {
	flags := pflag.NewFlagSet("generate", pflag.ContinueOnError)
	seed := flags.Uint64("seed", 0, "the same seed gives the same templates")
	count := flags.Int("count", 100, "how many templates")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return nil
		}
		return err
	}
	if flags.NArg() > 0 || *count < 0 {
		return errors.New("generate takes --seed and a --count of at least 0, nothing else")
	}
	return generate(*seed, *count, out)
}

// printJSON indents: what it prints is checked in and read in diffs.
func printJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	return encoder.Encode(value)
}
