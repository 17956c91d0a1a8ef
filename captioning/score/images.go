package score

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"strconv"

	"captionlab/captioning/internal/atomicfile"
)

// imageColumns are the columns of an images file. test and ref are lengths in tokens, match1 to match4 count the
// n-grams that match. Protocol coco computes BLEU from the sums of these; its ROUGE-L and CIDEr-D, and the scores of
// pa4, are means.
var imageColumns = []string{"image_id", "test", "ref", "match1", "match2", "match3", "match4", "rouge_l", "cider",
	"pa4_bleu1", "pa4_bleu4", "pa4_bleu4_individual"}

// WriteImages writes each image's scores in both protocols as CSV, so that intervals and tests can be computed without
// captions or references. coco and pa4 must have the same images.
func WriteImages(path string, coco *CocoScores, pa4 *PA4Scores) error {
	if err := sameImages(coco.ids(), pa4.ids()); err != nil {
		return fmt.Errorf("images file %s: %w", path, err)
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	rows := [][]string{imageColumns}
	for i, c := range coco.Images {
		o, p := c.overlap, pa4.Images[i]
		row := []string{string(c.ID), strconv.Itoa(o.TestLen), strconv.Itoa(o.RefLen)}
		for _, n := range o.Correct {
			row = append(row, strconv.Itoa(n))
		}
		for _, x := range []float64{c.ROUGEL, c.CIDEr, p.BLEU1, p.BLEU4, p.BLEU4Individual} {
			row = append(row, strconv.FormatFloat(x, 'g', 9, 64))
		}
		rows = append(rows, row)
	}
	if err := w.WriteAll(rows); err != nil {
		return fmt.Errorf("images file %s: %w", path, err)
	}
	return atomicfile.WriteFile(path, out.Bytes())
}

// ReadImages reads a file that WriteImages wrote and computes the scores of all images from it, to nine digits. An
// error names the row that is damaged.
func ReadImages(path string) (*CocoScores, *PA4Scores, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord = len(imageColumns)
	rows, err := r.ReadAll()
	if err != nil {
		return nil, nil, fmt.Errorf("images file %s: %w", path, err)
	}
	if len(rows) < 2 || rows[0][1] != imageColumns[1] {
		return nil, nil, fmt.Errorf("images file %s: want a row with the columns %v and one row per image",
			path, imageColumns)
	}
	rows = rows[1:]
	coco, pa4 := &CocoScores{Count: len(rows), Tokens: "ptb"}, &PA4Scores{Count: len(rows), Tokens: "whitespace"}
	for i, row := range rows {
		c, p, err := parseImage(row)
		if err != nil {
			return nil, nil, fmt.Errorf("images file %s: row %d, %w", path, i+2, err)
		}
		coco.Images, pa4.Images = append(coco.Images, c), append(pa4.Images, p)
		coco.Overlap.add(c.overlap)
		coco.ROUGEL += c.ROUGEL / float64(len(rows))
		coco.CIDEr += c.CIDEr / float64(len(rows))
	}
	coco.BLEU = coco.Overlap.bleu()
	pa4.average()
	return coco, pa4, nil
}

// parseImage reads one row of an images file.
func parseImage(row []string) (c CocoImage, p PA4Image, err error) {
	var numbers [11]float64
	for k := range numbers {
		if numbers[k], err = strconv.ParseFloat(row[k+1], 64); err != nil {
			return c, p, fmt.Errorf("column %s: %w", imageColumns[k+1], err)
		}
	}
	o := Overlap{TestLen: int(numbers[0]), RefLen: int(numbers[1])}
	for n := range maxOrder {
		o.Guess[n], o.Correct[n] = max(o.TestLen-n, 0), int(numbers[2+n])
	}
	id := ID(row[0])
	c = CocoImage{ID: id, BLEU: o.bleu(), ROUGEL: numbers[6], CIDEr: numbers[7], overlap: o}
	p = PA4Image{ID: id, BLEU1: numbers[8], BLEU4: numbers[9], BLEU4Individual: numbers[10]}
	return c, p, nil
}
