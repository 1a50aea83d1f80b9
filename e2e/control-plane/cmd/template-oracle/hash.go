package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	kjson "sigs.k8s.io/json"
)

// question is one line of input: a template as a user could write it.
type question struct {
	Template       json.RawMessage `json:"template"`
	CollisionCount *int32          `json:"collisionCount"`
}

// reply is one line of output. A template that Go can't read has an error
// instead of a hash.
type reply struct {
	Canonical string `json:"canonical,omitempty"`
	Hash      string `json:"hash,omitempty"`
	Error     string `json:"error,omitempty"`
}

func hashLines(in io.Reader, out io.Writer) error {
	lines := bufio.NewReader(in)
	encoder := json.NewEncoder(out)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return err
		}
		if len(bytes.TrimSpace(line)) > 0 {
			var q question
			if err := json.Unmarshal(line, &q); err != nil {
				return fmt.Errorf("line %d is not {\"template\": …, \"collisionCount\": …}: %w", number, err)
			}
			if err := encoder.Encode(q.answer()); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
	}
}

func (q question) answer() reply {
	var template corev1.PodTemplateSpec
	// Names are matched with their case, as the API server and typed clients do.
	if err := kjson.UnmarshalCaseSensitivePreserveInts(q.Template, &template); err != nil {
		return reply{Error: err.Error()}
	}
	canonical, err := json.Marshal(template)
	if err != nil {
		return reply{Error: err.Error()}
	}
	return reply{Canonical: string(canonical), Hash: templateHash(canonical, q.CollisionCount)}
}

// templateHash is the function that names ReplicaSets: FNV-1a over the encoded
// template and, only if it is set, the collision count in the first half of
// eight bytes.
func templateHash(canonical []byte, collisionCount *int32) string {
	hasher := fnv.New32a()
	// Writing to a hash never fails.
	_, _ = hasher.Write(canonical)
	if collisionCount != nil {
		buffer := make([]byte, 8)
		binary.LittleEndian.PutUint32(buffer, uint32(*collisionCount))
		_, _ = hasher.Write(buffer)
	}
	return rand.SafeEncodeString(fmt.Sprint(hasher.Sum32()))
}
