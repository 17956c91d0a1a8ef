package shapes

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"captionlab/datasets"
)

// Look is what an object is called: a red circle.
type Look struct{ Shape, Colour string }

func (l Look) String() string { return l.Colour + " " + l.Shape }

// Combination is the unit in which the splits differ: one object at a position, or two in a relation.
type Combination struct {
	A        Look
	Relation string // "at", "left of", "above", "inside"
	B        Look   // of a relation; zero for "at"
	Position string // of "at"; empty for a relation
}

// String is "red circle | left of | blue square" or "red circle | at | top left".
func (c Combination) String() string {
	if c.Relation == "at" {
		return fmt.Sprintf("%v | at | %s", c.A, c.Position)
	}
	return fmt.Sprintf("%v | %s | %v", c.A, c.Relation, c.B)
}

// Split returns the one split in which pictures may show c: with n the first 8 bytes, big endian, of the SHA-256 of
// c.String(), it is Val where n mod 10 is 8, Test where it is 9, and Train otherwise. It depends on no seed, so a model
// trained on one drawing of the dataset may be tested on another.
func (c Combination) Split() datasets.Split {
	sum := sha256.Sum256([]byte(c.String()))
	switch binary.BigEndian.Uint64(sum[:8]) % 10 {
	case 8:
		return datasets.Val
	case 9:
		return datasets.Test
	}
	return datasets.Train
}

// Combinations lists what the scene combines: every pair of its objects with their relation, or its one object with its
// position. "Right of" and "below" are the relations "left of" and "above" read from the other side.
func (s *Scene) Combinations() []Combination {
	if s.Arrangement == Single {
		return []Combination{{A: s.Objects[0].look(), Relation: "at", Position: s.Position}}
	}
	relation := map[Arrangement]string{Beside: "left of", Row: "left of", Stacked: "above", Column: "above", Inside: "inside"}[s.Arrangement]
	var all []Combination
	for i, a := range s.Objects {
		for _, b := range s.Objects[i+1:] {
			all = append(all, Combination{A: a.look(), Relation: relation, B: b.look()})
		}
	}
	return all
}
