package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"captionlab/captioning/score"
)

// The grammar of the synthetic captions. The words of one row are synonyms, so two captions of one scene differ about
// as much as two people's do. Capitals, commas, quotes, hyphens and clitics exercise the tokenizers.
var (
	who = rows(
		"man|guy|person", "woman|lady|person", "boy|kid|child", "girl|kid|child", "dog|puppy|animal",
		"cat|kitten|animal", "horse|pony|animal", "couple|pair of people", "crowd|group of people", "surfer|man",
		"skier|person", "cyclist|rider", "player|athlete", "chef|cook", "elephant|animal", "giraffe|tall animal",
		"bird|small bird", "cow|brown cow", "sheep|lamb", "bear|cub", "zebra|striped animal", "clown|performer",
		"farmer|old man", "pilot|man in uniform", "baby|toddler", "teddy bear|stuffed toy", "motorcyclist|biker",
		"skater|skateboarder",
	)
	looks = rows(
		"red|bright red", "blue|dark-blue", "green|light green", "young|little", "old|elderly", "black|dark",
		"white|pale", "large|big", "small|tiny", "happy|smiling", "wet|soaked", "brown|tan",
		"striped|black-and-white", "spotted|dotted", "yellow|golden", "lonely|single", "tired|sleepy",
		"colorful|bright",
	)
	does = rows(
		"is riding|rides", "is holding|holds", "sits on|is sitting on", "stands by|is standing next to",
		"jumps over|is jumping over", "looks at|is looking at", "plays with|is playing with",
		"walks past|is walking by", "eats|is eating", "carries|is carrying", "runs after|chases",
		"leans on|is leaning against", "doesn't see|isn't looking at", "throws|is throwing", "kicks|is kicking",
		"paints|is painting", "pulls|drags", "cleans|is washing", "points at|is pointing to",
		"hides behind|is hiding behind",
	)
	what = rows(
		"bike|bicycle", "motorcycle|motor bike", "ball|tennis ball", "frisbee|disc", "bench|wooden bench",
		"kite|paper kite", "skateboard|board", "surfboard|board", "umbrella|parasol", "sandwich|sub",
		"pizza|slice of pizza", "cake|birthday cake", "phone|cell phone", "laptop|computer", "car|old car",
		"truck|pickup truck", "fence|wire fence", "bus|double-decker bus", "train|steam train", "boat|sail boat",
		"toy|stuffed toy", "hat|cap", "bag|suitcase", "vase|glass vase", "mirror|hand mirror", "clock|tower clock",
		"sign|\"stop\" sign", "hydrant|fire hydrant", "table|wooden table", "piano|keyboard", "log|fallen tree",
		"rope|cord",
	)
	where = rows(
		"in a park|in the park", "on the beach|at the beach", "in the snow|on a snowy hill",
		"in a kitchen|inside a kitchen", "on a busy street|in the street", "in a field|on the grass",
		"near the water|by the lake", "in front of a building|outside a building", "at night|in the dark",
		"on a court|at a tennis court", "in a living room|inside a room", "under a tree|below some trees",
		"at an airport|on the runway", "on a boat|on deck", "at a market|at the farmer's market",
		"in the mountains|in front of a mountain", "behind a fence|in a pen", "in the rain|on a rainy day",
		"at the station|at a train station", "in a gym|indoors",
	)
	count = []string{"two", "three", "four", "several", "some", "12", "a few", "many"}
)

func rows(lines ...string) [][]string {
	out := make([][]string, len(lines))
	for i, l := range lines {
		out[i] = strings.Split(l, "|")
	}
	return out
}

// scene is the content of a synthetic image.
type scene struct{ who, looks, does, what, other, where, extra []string }

func newScene(r *rand.Rand) scene {
	pick := func(from [][]string) []string { return from[r.IntN(len(from))] }
	return scene{pick(who), pick(looks), pick(does), pick(what), pick(looks), pick(where), pick(what)}
}

// describe returns a sentence about the scene.
func (s scene) describe(r *rand.Rand) string {
	any := func(words []string) string { return words[r.IntN(len(words))] }
	who, looks, does, what := any(s.who), any(s.looks), any(s.does), any(s.what)
	other, where, extra := any(s.other), any(s.where), any(s.extra)
	switch r.IntN(9) {
	case 0:
		return fmt.Sprintf("A %s %s %s a %s %s.", looks, who, does, what, where)
	case 1:
		return fmt.Sprintf("A %s that %s a %s %s", who, does, what, where)
	case 2:
		return fmt.Sprintf("a %s, %s %s a %s %s", looks, who, does, what, where)
	case 3:
		return fmt.Sprintf("The %s's %s %s and a %s %s .", who, other, what, extra, where)
	case 4:
		who = strings.ToUpper(who[:1]) + who[1:]
		return fmt.Sprintf("%s %s a %s; there is a %s %s too.", who, does, what, other, extra)
	case 5:
		return fmt.Sprintf("There's a %s %s %s with %s of %ss.", looks, who, where, any(count), what)
	case 6:
		return fmt.Sprintf("This is a photo of a %s who %s the %s (%s)", who, does, what, where)
	case 7:
		return fmt.Sprintf("%s %s %ss and one %s %s!", any(count), other, extra, who, where)
	default:
		return fmt.Sprintf("A %s %s %s the %s %s %s next to a %s.", looks, who, does, other, what, where, extra)
	}
}

// writeCaptions writes references and captions of synthetic images into dir, in COCO's formats. About one caption in
// four describes another scene, as a poor model's would.
func writeCaptions(dir string, images, references int, seed uint64) (refsFile, captionsFile string, err error) {
	type image struct {
		ID int `json:"id"`
	}
	type annotation struct {
		ImageID int    `json:"image_id"`
		ID      int    `json:"id"`
		Caption string `json:"caption"`
	}
	var file struct {
		Images      []image      `json:"images"`
		Annotations []annotation `json:"annotations"`
	}
	r := rand.New(rand.NewPCG(seed, 1))
	captions := make([]score.Caption, images)
	for i := range images {
		id := 1000 + 7*i
		file.Images = append(file.Images, image{id})
		s := newScene(r)
		for range references {
			file.Annotations = append(file.Annotations, annotation{id, len(file.Annotations) + 1, s.describe(r)})
		}
		if r.IntN(4) == 0 {
			s = newScene(r)
		}
		captions[i] = score.Caption{ID: score.ID(strconv.Itoa(id)), Text: s.describe(r)}
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(file); err != nil {
		return "", "", err
	}
	refsFile, captionsFile = filepath.Join(dir, "references.json"), filepath.Join(dir, "captions.json")
	if err := os.WriteFile(refsFile, out.Bytes(), 0o644); err != nil {
		return "", "", err
	}
	return refsFile, captionsFile, score.WriteCaptions(captionsFile, captions)
}
