package main

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// shape is how encoding/json writes a Go type.
//
// Kinds that nest have an elem (pointer, slice, map) or name a struct type.
// Those with a rule of their own are quantity (canonical form), time (RFC 3339
// in UTC, whole seconds), intOrString and rawJSON (as it came, without white
// space).
type shape struct {
	Kind   string `json:"kind"`
	Struct string `json:"struct,omitempty"`
	Bits   int    `json:"bits,omitempty"`
	Elem   *shape `json:"elem,omitempty"`

	// goType is the struct type behind the name.
	goType reflect.Type
}

// structField is a field as it appears in the JSON object.
type structField struct {
	Name string `json:"name"`
	shape
	// OmitEmpty leaves out false, 0, "", nil and empty lists and maps; never a struct.
	OmitEmpty bool `json:"omitEmpty,omitempty"`
	// OmitZero leaves out the type's own idea of a zero value.
	OmitZero bool `json:"omitZero,omitempty"`
	// InlinedFrom names the embedded struct whose field this is.
	InlinedFrom string `json:"inlinedFrom,omitempty"`
}

// ownEncoding are the types whose encoding is a method of theirs.
var ownEncoding = map[reflect.Type]string{
	reflect.TypeFor[resource.Quantity]():  "quantity",
	reflect.TypeFor[metav1.Time]():        "time",
	reflect.TypeFor[intstr.IntOrString](): "intOrString",
	reflect.TypeFor[metav1.FieldsV1]():    "rawJSON",
}

var scalarKinds = map[reflect.Kind]shape{
	reflect.String: {Kind: "string"},
	reflect.Bool:   {Kind: "bool"},
	reflect.Int32:  {Kind: "int", Bits: 32},
	reflect.Int64:  {Kind: "int", Bits: 64},
}

// shapeOf refuses what it does not know: a table with a guess in it would make
// hashes that are wrong only for the templates that use that field.
func shapeOf(t reflect.Type) (shape, error) {
	if kind, ok := ownEncoding[t]; ok {
		return shape{Kind: kind}, nil
	}
	if encodesItself(t) {
		return shape{}, fmt.Errorf("%s has an encoding of its own that shape.go does not know", t)
	}
	if scalar, ok := scalarKinds[t.Kind()]; ok {
		return scalar, nil
	}
	switch t.Kind() {
	case reflect.Struct:
		return shape{Kind: "struct", Struct: typeName(t), goType: t}, nil
	case reflect.Pointer:
		return nested("pointer", t.Elem())
	case reflect.Slice:
		return nested("slice", t.Elem())
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			return shape{}, fmt.Errorf("%s has keys that are no strings", t)
		}
		return nested("map", t.Elem())
	}
	return shape{}, fmt.Errorf("%s is of a kind that shape.go does not know", t)
}

func nested(kind string, elem reflect.Type) (shape, error) {
	inner, err := shapeOf(elem)
	return shape{Kind: kind, Elem: &inner}, err
}

func encodesItself(t reflect.Type) bool {
	for _, method := range []reflect.Type{reflect.TypeFor[json.Marshaler](), reflect.TypeFor[encoding.TextMarshaler]()} {
		if t.Implements(method) || reflect.PointerTo(t).Implements(method) {
			return t.Kind() != reflect.Pointer
		}
	}
	return false
}

// fieldsOf lists a struct's fields in the order in which they are encoded.
func fieldsOf(t reflect.Type) ([]structField, error) {
	var fields []structField
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := f.Tag.Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		if name == "-" || !f.IsExported() {
			continue
		}
		if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct {
			inlined, err := fieldsOf(f.Type)
			if err != nil {
				return nil, err
			}
			for _, inner := range inlined {
				inner.InlinedFrom = typeName(f.Type)
				fields = append(fields, inner)
			}
			continue
		}
		if !tagged || name == "" {
			return nil, fmt.Errorf("%s.%s has no JSON name", t, f.Name)
		}
		s, err := shapeOf(f.Type)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", t, f.Name, err)
		}
		field := structField{Name: name, shape: s}
		for option := range strings.SplitSeq(options, ",") {
			switch option {
			case "":
			case "omitempty":
				field.OmitEmpty = true
			case "omitzero":
				field.OmitZero = true
			default:
				return nil, fmt.Errorf("%s.%s: JSON option %q is not one that shape.go knows", t, f.Name, option)
			}
		}
		fields = append(fields, field)
	}
	return fields, nil
}

// typeName is the import path without what all of them share: core/v1.Pod.
func typeName(t reflect.Type) string {
	path := t.PkgPath()
	for _, common := range []string{"k8s.io/api/", "k8s.io/apimachinery/pkg/apis/", "k8s.io/apimachinery/pkg/"} {
		if rest, found := strings.CutPrefix(path, common); found {
			path = rest
			break
		}
	}
	return path + "." + t.Name()
}
