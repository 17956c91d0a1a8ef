package pretrained

import (
	"bytes"
	_ "embed"
	"fmt"
	"path/filepath"
	"strings"
	"text/template"

	"captionlab/captioning/experiment"
	"captionlab/captioning/internal/atomicfile"
	"captionlab/captioning/score"
)

// Names of the files in the folder of this package.
const (
	ModelFile = "model.safetensors"
	CardFile  = "card.json"
	readme    = "README.md"
)

// Card describes the model: where it comes from and how well it captions.
type Card struct {
	File    string         `json:"sha256"` // of ModelFile
	Bytes   int            `json:"bytes"`
	Packing string         `json:"packing"` // one of captioning.Packings
	Command string         `json:"command"` // that wrote the model and this card
	Run     experiment.Run `json:"run"`     // the training
	Scores  []Score        `json:"scores"`
}

// Score is what the model reaches on the test split with one decoding strategy (protocol coco).
type Score struct {
	Strategy string          `json:"strategy"` // "greedy" or "beam N"
	Beam     int             `json:"beam"`
	Images   int             `json:"images"`
	Trained  score.Intervals `json:"trained"` // with the weights as they were trained
	Packed   score.Intervals `json:"packed"`  // with those in ModelFile
	Distinct int             `json:"distinct_captions"`
	Words    int             `json:"words_used"` // different ones
}

// columns are the metrics of the card's table.
var columns = []struct{ metric, title string }{
	{score.BLEU1, "BLEU-1"}, {score.BLEU4, "BLEU-4"}, {score.ROUGEL, "ROUGE-L"}, {score.CIDErD, "CIDEr-D"},
}

// Row returns the strategy's scores as cells of a table, times 100, with their intervals.
func (s Score) Row(packed bool) (string, error) {
	all := s.Trained
	if packed {
		all = s.Packed
	}
	var cells []string
	for _, c := range columns {
		i, ok := all.Get(c.metric)
		if !ok {
			return "", fmt.Errorf("the model card has no %s: write it again with captionlab pack --card", c.metric)
		}
		cells = append(cells, fmt.Sprintf("%.1f [%.1f, %.1f]", 100*i.Value, 100*i.Low, 100*i.High))
	}
	return strings.Join(cells, " | "), nil
}

// Loss returns how much CIDEr-D the rounding of the weights costs, in points of a hundred.
func (s Score) Loss() float64 {
	trained, _ := s.Trained.Get(score.CIDErD)
	packed, _ := s.Packed.Get(score.CIDErD)
	return 100 * (trained.Value - packed.Value)
}

// ReadCard reads the card in a folder.
func ReadCard(dir string) (Card, error) {
	var c Card
	return c, experiment.ReadJSON(filepath.Join(dir, CardFile), &c)
}

// Write writes the card to a folder, as card.json and as README.md.
func (c Card) Write(dir string) error {
	text, err := c.Markdown()
	if err != nil {
		return err
	}
	if err := experiment.WriteJSON(filepath.Join(dir, CardFile), c); err != nil {
		return err
	}
	return atomicfile.WriteFile(filepath.Join(dir, readme), text)
}

//go:embed card.md
var cardText string

// Markdown returns the text of README.md.
func (c Card) Markdown() ([]byte, error) {
	page, err := template.New("card.md").Parse(cardText)
	if err != nil {
		return nil, err
	}
	var titles []string
	for _, column := range columns {
		titles = append(titles, column.title)
	}
	chosen := "validation loss"
	if c.Run.Settings.Loss == experiment.SelfCritical {
		chosen = "validation CIDEr-D"
	}
	var out bytes.Buffer
	err = page.Execute(&out, map[string]any{"Card": c, "Titles": strings.Join(titles, " | "), "Chosen": chosen,
		"Training": strings.Join(c.Run.Command, " "), "MB": fmt.Sprintf("%.1f", float64(c.Bytes)/1e6)})
	return out.Bytes(), err
}
