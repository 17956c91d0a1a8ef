package nbkit

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"math/rand/v2"
	"slices"

	"captionlab/captioning/encoder"
	"captionlab/captioning/score"
	"captionlab/datasets"
)

// StageTable shows what the stages of the encoder called name compute for one picture.
func (l *Lab) StageTable(name string) (template.HTML, error) {
	spec, err := encoder.Lookup(name)
	if err != nil {
		return "", err
	}
	backend, err := l.Backend()
	if err != nil {
		return "", err
	}
	stages, err := spec.Stages(backend)
	if err != nil {
		return "", err
	}
	rows := [][]string{{"the picture", "", "", "", fmt.Sprintf("%d x %d x 3", spec.Crop, spec.Crop), ""}}
	var sum encoder.Stage
	for _, s := range stages {
		sum.Convolutions, sum.Parameters, sum.Products = sum.Convolutions+s.Convolutions, sum.Parameters+s.Parameters, sum.Products+s.Products
		sees := fmt.Sprintf("%d x %d", s.Receptive, s.Receptive)
		if s.Receptive >= spec.Crop {
			sees = "the whole picture" // beyond its edge there are zeros
		}
		rows = append(rows, []string{s.Name, fmt.Sprint(s.Convolutions), fmt.Sprintf("%.2f", float64(s.Parameters)/1e6), fmt.Sprintf("%.0f", float64(s.Products)/1e6),
			fmt.Sprintf("%d x %d x %d", s.Side, s.Side, s.Channels), sees})
	}
	rows = append(rows, []string{name + " in all", fmt.Sprint(sum.Convolutions), fmt.Sprintf("%.2f", float64(sum.Parameters)/1e6), fmt.Sprintf("%.0f", float64(sum.Products)/1e6), "", ""})
	return Table([]string{"stage", "convolutions", "parameters, millions", "products a picture, millions", "output: height x width x channels", "pixels that one output position sees"}, rows), nil
}

// row is the feature vector of a picture, or an error that says why there is none.
func (l *Lab) row(id string) ([]float32, error) {
	features, err := l.Features()
	if err != nil {
		return nil, err
	}
	if row, ok := features.Row(id); ok {
		return row, nil
	}
	for _, s := range features.Manifest.Skipped {
		if s.ID == id {
			return nil, fmt.Errorf("picture %s has no features: %s", id, s.Reason)
		}
	}
	return nil, fmt.Errorf("dataset %s has no picture %q: take an id from its examples", l.Dataset.Name(), id)
}

// FeatureStrips shows pictures with their feature vectors as strips of heat, all with the same colours, and what the values are.
func (l *Lab) FeatureStrips(ids ...string) (template.HTML, error) {
	top := float32(0)
	for _, id := range ids {
		row, err := l.row(id)
		if err != nil {
			return "", err
		}
		top = max(top, slices.Max(row), -slices.Min(row))
	}
	var rows [][]template.HTML
	for _, id := range ids {
		row, err := l.row(id)
		if err != nil {
			return "", err
		}
		picture, err := l.Picture(id, 96)
		if err != nil {
			return "", err
		}
		strip, err := Strip(row, 128, float64(top))
		if err != nil {
			return "", err
		}
		zeros, sum := 0, 0.0
		for _, x := range row {
			sum += float64(x)
			if x == 0 {
				zeros++
			}
		}
		told := Text("%d values from %.3f to %.2f, mean %.3f, %d of them zero (%.0f %%)", len(row), slices.Min(row), slices.Max(row), sum/float64(len(row)), zeros, percent(zeros, len(row)))
		rows = append(rows, []template.HTML{template.HTML(fmt.Sprintf(`<img src="%s" alt="%s">`, picture, html.EscapeString(id))), strip + told})
	}
	return Table(nil, rows), nil
}

// FeatureValues draws how the feature values of a split are spread, and how often each of them is far above its own mean.
func (l *Lab) FeatureValues(split datasets.Split) (template.HTML, error) {
	s := Sample{Name: string(split)}
	small := 0
	for _, ex := range l.Dataset.Examples(split) {
		row, err := l.row(ex.ID)
		if err != nil {
			continue // a skipped picture
		}
		for _, x := range row {
			s.Values = append(s.Values, float64(x))
			if math.Abs(float64(x)) < 0.05 {
				small++
			}
		}
	}
	if len(s.Values) == 0 {
		return "", fmt.Errorf("split %s of %s has no pictures with features", split, l.Dataset.Name())
	}
	slices.Sort(s.Values)
	most := s.Values[len(s.Values)*995/1000]
	for i, v := range s.Values {
		s.Values[i] = min(v, most) // the last bin takes the rest
	}
	drawn, err := Histogram("feature values", fmt.Sprintf("value; the last bin holds all above %.2f", most), most/40, s)
	if err != nil {
		return "", err
	}
	return drawn + Text("%.0f %% of the %d values are below 0.05.", percent(small, len(s.Values)), len(s.Values)), nil
}

// EncodeAgain computes the features of pictures from their pixels and compares them with those in the cache folder. Fails where
// they differ by more than rounding.
func (l *Lab) EncodeAgain(ids ...string) (template.HTML, error) {
	features, err := l.Features()
	if err != nil {
		return "", err
	}
	e, err := l.openEncoder(features.Manifest.Encoder.Name)
	if err != nil {
		return "", err
	}
	var pictures []*encoder.Pixels
	for _, id := range ids {
		p, err := l.Pixels(id)
		if err != nil {
			return "", err
		}
		if p, err = e.Spec().Preprocess(p); err != nil {
			return "", fmt.Errorf("picture %s: %w", id, err)
		}
		pictures = append(pictures, p)
	}
	vectors, err := e.Encode(l.Context, pictures)
	if err != nil {
		return "", err
	}
	worst := 0.0
	for i, id := range ids {
		row, err := l.row(id)
		if err != nil {
			return "", err
		}
		for k, x := range row {
			worst = max(worst, math.Abs(float64(x-vectors[i*len(row)+k])))
		}
	}
	if !(worst < 1e-3) {
		return "", fmt.Errorf("the encoder's features of %v differ by %g from those in the cache folder: the folder was made by other code; remove it, and they are made anew", ids, worst)
	}
	return Text("%s, weights %.12s: computed again, %d vectors of %d values; the largest difference from the cache is %.1g.", e.Spec().Name, e.Identity().WeightsSHA256, len(ids), features.Dim(), worst), nil
}

// Neighbours shows for each picture the n training pictures that are nearest to it in feature space, with the cosine and, of
// each, the first caption.
func (l *Lab) Neighbours(n int, ids ...string) (template.HTML, error) {
	features, err := l.Features()
	if err != nil {
		return "", err
	}
	captions := l.firstCaptions()
	var train []string
	for _, ex := range l.Dataset.Examples(datasets.Train) {
		train = append(train, ex.ID)
	}
	shown := func(id, above string) (template.HTML, error) {
		picture, err := l.Picture(id, 120)
		return template.HTML(fmt.Sprintf(`<div style="width:128px"><b>%s</b><br><img src="%s" alt="%s">%s</div>`, html.EscapeString(above), picture, html.EscapeString(id), Text("%s", captions[id]))), err
	}
	var rows [][]template.HTML
	for _, id := range ids {
		vector, err := l.row(id)
		if err != nil {
			return "", err
		}
		others := slices.DeleteFunc(slices.Clone(train), func(other string) bool { return other == id })
		nearest, err := features.Nearest(vector, n, others)
		if err != nil {
			return "", err
		}
		first, err := shown(id, "picture")
		if err != nil {
			return "", err
		}
		row := []template.HTML{first}
		for _, near := range nearest {
			cell, err := shown(near.ID, fmt.Sprintf("cosine %.3f", near.Similarity))
			if err != nil {
				return "", err
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	return Table(nil, rows), nil
}

func (l *Lab) firstCaptions() map[string]string {
	captions := make(map[string]string)
	for _, split := range datasets.Splits {
		for _, ex := range l.Dataset.Examples(split) {
			captions[ex.ID] = ex.Captions[0]
		}
	}
	return captions
}

// Copied are captions that were copied from training pictures, and how near those were.
type Copied struct {
	Captions     []score.Caption
	Similarities []float64
}

// CopyNearest captions the first n test pictures without any decoder: each gets the first caption of the training picture that
// is nearest to it in feature space, or, in second, of one drawn at random.
func (l *Lab) CopyNearest(n int) (nearest, random Copied, err error) {
	features, err := l.Features()
	if err != nil {
		return nearest, random, err
	}
	captions := l.firstCaptions()
	var train []string
	for _, ex := range l.Dataset.Examples(datasets.Train) {
		if _, ok := features.Row(ex.ID); ok {
			train = append(train, ex.ID)
		}
	}
	draw := rand.New(rand.NewPCG(uint64(l.Seed), 0))
	for _, ex := range l.Watched(n) {
		if err := l.Context.Err(); err != nil {
			return nearest, random, err
		}
		vector, err := l.row(ex.ID)
		if err != nil {
			return nearest, random, err
		}
		near, err := features.Nearest(vector, 1, train)
		if err != nil {
			return nearest, random, err
		}
		drawn, err := features.Nearest(vector, 1, []string{train[draw.IntN(len(train))]})
		if err != nil {
			return nearest, random, err
		}
		nearest.add(ex.ID, near[0], captions)
		random.add(ex.ID, drawn[0], captions)
	}
	return nearest, random, nil
}

func (c *Copied) add(id string, from encoder.Neighbour, captions map[string]string) {
	c.Captions = append(c.Captions, score.Caption{ID: score.ID(id), Text: captions[from.ID]})
	c.Similarities = append(c.Similarities, from.Similarity)
}
