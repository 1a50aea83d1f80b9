package main

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/kube-openapi/pkg/common"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kubernetes/pkg/generated/openapi"
)

// mergeRules is what a server needs to merge objects of the built-in kinds, by
// server-side apply or by strategic merge patch.
type mergeRules struct {
	// Kinds are the objects that have a URL; everything in types is part of one.
	Kinds []string             `json:"kinds"`
	Types map[string]mergeType `json:"types"`
}

// mergeType is one named type. Exactly one of scalar, fields and any is set; of
// a value that is any, nothing is known beforehand.
type mergeType struct {
	Scalar string                `json:"scalar,omitempty"`
	Fields map[string]mergeField `json:"fields,omitempty"`
	Any    bool                  `json:"any,omitempty"`
	// MapType is atomic where the struct is always replaced as a whole.
	MapType string `json:"mapType,omitempty"`
}

// mergeField is one field, or what a list or map holds. Exactly one of scalar,
// type, list, map and any is set.
type mergeField struct {
	Scalar string      `json:"scalar,omitempty"`
	Type   string      `json:"type,omitempty"`
	List   *mergeField `json:"list,omitempty"`
	Map    *mergeField `json:"map,omitempty"`
	Any    bool        `json:"any,omitempty"`

	// ListType is map, set or atomic, as server-side apply sees it.
	ListType string   `json:"listType,omitempty"`
	ListKeys []string `json:"listKeys,omitempty"`
	// MapType is atomic where a map or struct is replaced as a whole here.
	MapType string `json:"mapType,omitempty"`
	// Default stands in for a list key that an item does not have.
	Default any `json:"default,omitempty"`

	PatchStrategy string `json:"patchStrategy,omitempty"`
	PatchMergeKey string `json:"patchMergeKey,omitempty"`
}

// mergedGroups are the API versions whose kinds are listed.
var mergedGroups = []string{
	"io.k8s.api.admissionregistration.v1", "io.k8s.api.apps.v1", "io.k8s.api.autoscaling.v1", "io.k8s.api.autoscaling.v2",
	"io.k8s.api.batch.v1", "io.k8s.api.coordination.v1", "io.k8s.api.core.v1", "io.k8s.api.discovery.v1",
	"io.k8s.api.events.v1", "io.k8s.api.networking.v1", "io.k8s.api.policy.v1", "io.k8s.api.rbac.v1",
	"io.k8s.api.scheduling.v1", "io.k8s.api.storage.v1",
	"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1",
}

// scalarOfTwoForms are numbers that may also be written as strings, for which a
// definition has no one type.
var scalarOfTwoForms = map[string]string{
	"io.k8s.apimachinery.pkg.api.resource.Quantity":   "quantity",
	"io.k8s.apimachinery.pkg.util.intstr.IntOrString": "intOrString",
}

func builtInMergeRules() (mergeRules, error) {
	definitions := openapi.GetOpenAPIDefinitions(func(path string) spec.Ref {
		return spec.MustCreateRef("#/definitions/" + path)
	})
	rules := mergeRules{Types: map[string]mergeType{}}
	for name, definition := range definitions {
		group := name[:strings.LastIndex(name, ".")]
		if slices.Contains(mergedGroups, group) && isStoredKind(definition.Schema) {
			rules.Kinds = append(rules.Kinds, name)
		}
	}
	slices.Sort(rules.Kinds)
	for _, kind := range rules.Kinds {
		if err := rules.add(kind, definitions); err != nil {
			return rules, err
		}
	}
	return rules, nil
}

// isStoredKind tells objects from their parts and from lists of them.
func isStoredKind(s spec.Schema) bool {
	_, kind := s.Properties["kind"]
	_, version := s.Properties["apiVersion"]
	metadata := s.Properties["metadata"]
	return kind && version && referenced(metadata) == "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
}

func (rules mergeRules) add(name string, definitions map[string]common.OpenAPIDefinition) error {
	if _, known := rules.Types[name]; known {
		return nil
	}
	definition, found := definitions[name]
	if !found {
		return fmt.Errorf("no definition of %s", name)
	}
	s := definition.Schema
	t := mergeType{MapType: extension(s, "x-kubernetes-map-type")}
	switch {
	case len(s.Properties) > 0:
		t.Fields = map[string]mergeField{}
		// Entered before its fields: some types contain themselves.
		rules.Types[name] = t
	case len(s.Type) == 1 && s.Type[0] != "object":
		t.Scalar = s.Type[0]
	case scalarOfTwoForms[name] != "":
		t.Scalar = scalarOfTwoForms[name]
	default:
		t.Any = true
	}
	rules.Types[name] = t
	for fieldName, property := range s.Properties {
		field, err := mergeFieldOf(property)
		if err != nil {
			return fmt.Errorf("%s.%s: %w", name, fieldName, err)
		}
		t.Fields[fieldName] = field
	}
	for _, dependency := range definition.Dependencies {
		if err := rules.add(dependency, definitions); err != nil {
			return err
		}
	}
	return nil
}

func mergeFieldOf(s spec.Schema) (mergeField, error) {
	f := mergeField{
		MapType:       extension(s, "x-kubernetes-map-type"),
		PatchStrategy: extension(s, "x-kubernetes-patch-strategy"),
		PatchMergeKey: extension(s, "x-kubernetes-patch-merge-key"),
		Default:       tellingDefault(s.Default),
	}
	switch target := referenced(s); {
	case target != "":
		f.Type = target
	case len(s.Type) == 0:
		f.Any = true
	case len(s.Type) > 1:
		return f, fmt.Errorf("has several types: %v", s.Type)
	case s.Type[0] == "array":
		if s.Items == nil || s.Items.Schema == nil {
			return f, fmt.Errorf("is a list of nothing")
		}
		item, err := mergeFieldOf(*s.Items.Schema)
		if err != nil {
			return f, err
		}
		f.List = &item
		return f, f.setListType(s)
	case s.Type[0] == "object" && s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil:
		value, err := mergeFieldOf(*s.AdditionalProperties.Schema)
		if err != nil {
			return f, err
		}
		f.Map = &value
	case s.Type[0] == "object":
		f.Any = true
	default:
		f.Scalar = s.Type[0]
	}
	return f, nil
}

// setListType finds the list's identity as server-side apply does: what the
// list says of itself, else its patch strategy, else atomic.
func (f *mergeField) setListType(s spec.Schema) error {
	f.ListType = extension(s, "x-kubernetes-list-type")
	switch {
	case f.ListType == "map":
		keys, ok := s.Extensions["x-kubernetes-list-map-keys"].([]any)
		if !ok || len(keys) == 0 {
			return fmt.Errorf("is a list of type map without keys")
		}
		for _, key := range keys {
			f.ListKeys = append(f.ListKeys, fmt.Sprint(key))
		}
	case f.ListType != "":
	case !strings.HasPrefix(f.PatchStrategy, "merge"):
		f.ListType = "atomic"
	case f.PatchMergeKey != "":
		f.ListType, f.ListKeys = "map", []string{f.PatchMergeKey}
	default:
		f.ListType = "set"
	}
	return nil
}

func extension(s spec.Schema, name string) string {
	value, _ := s.Extensions.GetString(name)
	return value
}

// referenced is the name of the type that a schema stands for, if it does.
func referenced(s spec.Schema) string {
	ref := s.Ref.String()
	if ref == "" && len(s.AllOf) == 1 {
		ref = s.AllOf[0].Ref.String()
	}
	return strings.TrimPrefix(ref, "#/definitions/")
}

// tellingDefault drops the defaults that only repeat a Go zero value.
func tellingDefault(value any) any {
	switch v := value.(type) {
	case map[string]any:
		if len(v) == 0 {
			return nil
		}
	case string:
		if v == "" {
			return nil
		}
	case bool:
		if !v {
			return nil
		}
	case float64:
		if v == 0 {
			return nil
		}
	case int, int32, int64:
		if fmt.Sprint(v) == "0" {
			return nil
		}
	}
	return value
}
