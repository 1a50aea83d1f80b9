package main

import (
	"fmt"
	"reflect"

	corev1 "k8s.io/api/core/v1"
)

// fieldTable is how Go encodes a type and all that it contains.
type fieldTable struct {
	Root  string                   `json:"root"`
	Types map[string][]structField `json:"types"`
}

func podTemplateFields() (fieldTable, error) {
	root := reflect.TypeFor[corev1.PodTemplateSpec]()
	table := fieldTable{Root: typeName(root), Types: map[string][]structField{}}
	return table, table.add(root)
}

func (table fieldTable) add(t reflect.Type) error {
	name := typeName(t)
	if _, known := table.Types[name]; known {
		return nil
	}
	fields, err := fieldsOf(t)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, f := range fields {
		// Go drops or prefers one of two fields of one name, by rules that the
		// table can't express.
		if seen[f.Name] {
			return fmt.Errorf("%s has two fields named %q", name, f.Name)
		}
		seen[f.Name] = true
	}
	table.Types[name] = fields
	for _, f := range fields {
		innermost := &f.shape
		for innermost.Elem != nil {
			innermost = innermost.Elem
		}
		if innermost.goType != nil {
			if err := table.add(innermost.goType); err != nil {
				return err
			}
		}
	}
	return nil
}
