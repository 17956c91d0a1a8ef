package shapes

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"captionlab/datasets"
)

// Look is the shape and colour of an object, such as a red circle.
type Look struct{ Shape, Colour string }

func (l Look) String() string { return l.Colour + " " + l.Shape }

// Combination is the unit that is held out by the splits: one object at a position, or two objects in a relation.
type Combination struct {
	A        Look
	Relation string // "at", "left of", "above", "inside"
	B        Look   // the second object of a relation; zero for "at"
	Position string // for "at"; otherwise empty
}

// String returns "red circle | left of | blue square" or "red circle | at | top left".
func (c Combination) String() string {
	if c.Relation == "at" {
		return fmt.Sprintf("%v | at | %s", c.A, c.Position)
	}
	return fmt.Sprintf("%v | %s | %v", c.A, c.Relation, c.B)
}

// Split returns the only split whose images may show c. Let n be the first 8 bytes, big-endian, of the SHA-256 of
// c.String(): the split is Val if n mod 10 is 8, Test if it is 9, and Train otherwise. It does not depend on the seed,
// so a model trained with one seed may be tested with another.
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

// relations between the objects of each arrangement.
var relations = map[Arrangement]string{
	Beside:  "left of",
	Row:     "left of",
	Stacked: "above",
	Column:  "above",
	Inside:  "inside",
}

// Combinations lists the combinations in a scene: every pair of objects with its relation, or the single object with
// its position. "Right of" and "below" are expressed as "left of" and "above".
func (s *Scene) Combinations() []Combination {
	if s.Arrangement == Single {
		return []Combination{{A: s.Objects[0].look(), Relation: "at", Position: s.Position}}
	}
	relation := relations[s.Arrangement]
	var all []Combination
	for i, a := range s.Objects {
		for _, b := range s.Objects[i+1:] {
			all = append(all, Combination{A: a.look(), Relation: relation, B: b.look()})
		}
	}
	return all
}
