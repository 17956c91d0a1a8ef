package nbkit

import (
	"fmt"
	"html/template"
	"math"
	"slices"

	"captionlab/captioning"
	"captionlab/captioning/encoder"
	"captionlab/datasets"
)

// StageTable shows what the stages of the encoder called name compute for one image.
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
	row := func(s encoder.Stage, output, sees string) []string {
		return []string{s.Name, fmt.Sprint(s.Convolutions), fmt.Sprintf("%.2f", float64(s.Parameters)/1e6),
			fmt.Sprintf("%.0f", float64(s.Products)/1e6), output, sees}
	}
	rows := [][]string{{"the image", "", "", "", fmt.Sprintf("%d x %d x 3", spec.Crop, spec.Crop), ""}}
	sum := encoder.Stage{Name: name + " in total"}
	for _, s := range stages {
		sum.Convolutions += s.Convolutions
		sum.Parameters += s.Parameters
		sum.Products += s.Products
		sees := fmt.Sprintf("%d x %d", s.Receptive, s.Receptive)
		if s.Receptive >= spec.Crop {
			sees = "the whole image" // beyond its edge there are zeros
		}
		rows = append(rows, row(s, fmt.Sprintf("%d x %d x %d", s.Side, s.Side, s.Channels), sees))
	}
	rows = append(rows, row(sum, "", ""))
	return Table([]string{"stage", "convolutions", "parameters, millions", "products per image, millions",
		"output: height x width x channels", "pixels that one output position sees"}, rows), nil
}

// row returns the feature vector of an image, or an error that says why there is none.
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
			return nil, fmt.Errorf("image %s has no features: %s", id, s.Reason)
		}
	}
	return nil, fmt.Errorf("dataset %s has no image %q: use an id of one of its examples", l.Dataset.Name(), id)
}

// FeatureStrips shows images with their feature vectors as heat maps, all with the same colors, and a summary of the
// values.
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
		image, err := l.Image(id, 96)
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
		summary := Text("%d values from %.3f to %.2f, mean %.3f, %d of them zero (%.0f %%)", len(row), slices.Min(row),
			slices.Max(row), sum/float64(len(row)), zeros, percent(zeros, len(row)))
		rows = append(rows, []template.HTML{imageTag(image, id, 96), strip + summary})
	}
	return Table(nil, rows), nil
}

// FeatureValues draws the distribution of the feature values of a split, and says how many are close to zero.
func (l *Lab) FeatureValues(split datasets.Split) (template.HTML, error) {
	s := Sample{Name: string(split)}
	small := 0
	for _, ex := range l.Dataset.Examples(split) {
		row, err := l.row(ex.ID)
		if err != nil {
			continue // a skipped image
		}
		for _, x := range row {
			s.Values = append(s.Values, float64(x))
			if math.Abs(float64(x)) < 0.05 {
				small++
			}
		}
	}
	if len(s.Values) == 0 {
		return "", fmt.Errorf("no image in split %s of %s has features", split, l.Dataset.Name())
	}
	slices.Sort(s.Values)
	most := s.Values[len(s.Values)*995/1000]
	for i, v := range s.Values {
		s.Values[i] = min(v, most) // the last bin holds the rest
	}
	xLabel := fmt.Sprintf("value; the last bin holds all above %.2f", most)
	histogram, err := Histogram("feature values", xLabel, most/40, s)
	if err != nil {
		return "", err
	}
	share := percent(small, len(s.Values))
	return histogram + Text("%.0f %% of the %d values are below 0.05.", share, len(s.Values)), nil
}

// EncodeAgain computes the features of images from their pixels and compares them with those in the cache folder. It
// fails if they differ by more than rounding.
func (l *Lab) EncodeAgain(ids ...string) (template.HTML, error) {
	features, err := l.Features()
	if err != nil {
		return "", err
	}
	name := features.Manifest.Encoder.Name
	e, err := captioning.OpenEncoder(l.Context, l.backend, captioning.EncoderOptions{Name: name})
	if err != nil {
		return "", err
	}
	defer e.Finalize()
	var images []*encoder.Pixels
	for _, id := range ids {
		p, err := l.Pixels(id)
		if err != nil {
			return "", err
		}
		if p, err = e.Spec().Preprocess(p); err != nil {
			return "", fmt.Errorf("image %s: %w", id, err)
		}
		images = append(images, p)
	}
	vectors, err := e.Encode(l.Context, images)
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
		return "", fmt.Errorf("the encoder's features of %v differ by %g from those in the cache folder, "+
			"which other code computed: remove that folder to compute them again", ids, worst)
	}
	return Text("%s, weights %.12s: computed again, %d vectors of %d values; the largest difference from "+
		"the cache is %.1g.",
		e.Spec().Name, e.Identity().WeightsSHA256, len(ids), features.Dim(), worst), nil
}
