package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// generator writes random JSON that Go can read as a given type, in the many
// spellings that mean the same: that is what a comparison of encoders is about.
type generator struct {
	*rand.Rand
	out bytes.Buffer
}

// generate prints count templates as lines that hash can read.
func generate(seed uint64, count int, out io.Writer) error {
	root, err := shapeOf(reflect.TypeFor[corev1.PodTemplateSpec]())
	if err != nil {
		return err
	}
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0))}
	for range count {
		g.out.Reset()
		g.out.WriteString(`{"template":`)
		if err := g.value(root, 0); err != nil {
			return err
		}
		fmt.Fprintf(&g.out, `,"collisionCount":%s}`+"\n", pick(g, collisionCounts))
		if _, err := out.Write(g.out.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

var collisionCounts = []string{"null", "null", "null", "0", "1", "2", "255", "256", "2147483647"}

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

func pick[T any](g *generator, from []T) T { return from[g.IntN(len(from))] }

// value writes one value of the shape. depth counts the structs around it.
func (g *generator) value(s shape, depth int) error {
	switch s.Kind {
	case "struct":
		return g.object(s.goType, depth)
	case "pointer":
		return g.value(*s.Elem, depth)
	case "slice":
		return g.list(*s.Elem, depth)
	case "map":
		return g.stringMap(*s.Elem, depth)
	case "string":
		g.text(pick(g, texts))
	case "bool":
		g.out.WriteString(pick(g, []string{"true", "false"}))
	case "int":
		g.integer(s.Bits)
	case "quantity":
		g.quantity()
	case "time":
		g.text(pick(g, times))
	case "intOrString":
		if g.chance(50) {
			g.integer(32)
		} else {
			g.text(pick(g, portsAndPercents))
		}
	case "rawJSON":
		g.out.WriteString(pick(g, rawValues))
	default:
		return fmt.Errorf("generate.go has no values for the kind %s", s.Kind)
	}
	return nil
}

// object writes a struct with some of its fields, in any order. Deeper structs
// get fewer, which bounds the size: no type in a template contains itself.
func (g *generator) object(t reflect.Type, depth int) error {
	fields, err := fieldsOf(t)
	if err != nil {
		return err
	}
	present := pick(g, []int{80, 50, 30, 15})
	switch {
	case depth == 0:
		present = 95
	case depth >= 4:
		present /= 2
	}
	g.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	g.out.WriteByte('{')
	separator := ""
	for _, f := range fields {
		if !g.chance(present) {
			continue
		}
		fmt.Fprintf(&g.out, `%s"%s":`, separator, f.Name)
		separator = ","
		if g.chance(5) {
			g.out.WriteString("null")
			continue
		}
		if err := g.value(f.shape, depth+1); err != nil {
			return err
		}
	}
	g.out.WriteByte('}')
	return nil
}

func (g *generator) list(elem shape, depth int) error {
	g.out.WriteByte('[')
	for i := range pick(g, []int{0, 1, 1, 2, 3}) {
		if i > 0 {
			g.out.WriteByte(',')
		}
		if err := g.value(elem, depth); err != nil {
			return err
		}
	}
	g.out.WriteByte(']')
	return nil
}

func (g *generator) stringMap(elem shape, depth int) error {
	g.out.WriteByte('{')
	used := map[string]bool{}
	for range pick(g, []int{0, 1, 2, 4}) {
		key := pick(g, texts)
		if used[key] {
			continue
		}
		if len(used) > 0 {
			g.out.WriteByte(',')
		}
		used[key] = true
		g.text(key)
		g.out.WriteByte(':')
		if err := g.value(elem, depth); err != nil {
			return err
		}
	}
	g.out.WriteByte('}')
	return nil
}

func (g *generator) integer(bits int) {
	edges := []int64{0, 1, -1, 2, 80, 443, 65535, 1<<31 - 1, -1 << 31}
	if bits == 64 {
		edges = append(edges, 1<<53-1, 1<<53+1, 1<<63-1, -1<<63)
	}
	g.out.WriteString(strconv.FormatInt(pick(g, edges), 10))
}

// text writes a JSON string with or without the escapes that are optional.
func (g *generator) text(s string) {
	encoder := json.NewEncoder(&g.out)
	encoder.SetEscapeHTML(g.chance(50))
	// Encoding a string into memory never fails. The encoder ends each value
	// with a line break, which may stand between JSON tokens but not in a line
	// of output.
	_ = encoder.Encode(s)
	g.out.Truncate(g.out.Len() - 1)
}
