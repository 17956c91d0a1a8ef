package captioning

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/gomlx/compute"

	"captionlab/captioning/decoder"
	"captionlab/captioning/encoder"
	"captionlab/captioning/score"
	"captionlab/datasets/regular"
)

// Captioner captions images: a model with its encoder. Safe for concurrent use.
//
// Photographs are turned upright, as their EXIF orientation says, before they are captioned. The images of datasets are
// not: their features are computed from the stored pixels, as in other implementations.
type Captioner struct {
	encoder *encoder.Encoder
	images  encoder.ImageOptions
	mu      sync.Mutex // of the model
	model   *Model
}

// CaptionerOptions change how a captioner is opened. The zero value is right for built-in cells and encoders.
type CaptionerOptions struct {
	Weights string        // of the run's encoder; empty means the place that the encoder knows
	Encoder *encoder.Spec // the custom encoder with which the run was trained
	Cell    decoder.Cell  // the custom cell with which the run was trained
	// MaxPixels is the size of the largest image that is captioned; 0 means encoder.MaxPixels. See
	// encoder.ImageOptions.
	MaxPixels int
}

// OpenCaptioner opens the run in the folder run (see OpenModel) with the encoder that it was trained with.
func OpenCaptioner(ctx context.Context, backend compute.Backend, run string, o CaptionerOptions) (*Captioner, error) {
	model, err := OpenModel(backend, run, ModelOptions{Cell: o.Cell})
	if err != nil {
		return nil, err
	}
	e, err := model.openEncoder(ctx, EncoderOptions{Weights: o.Weights, Spec: o.Encoder})
	if err != nil {
		model.Close()
		return nil, err
	}
	c, err := NewCaptioner(model, e)
	if err != nil {
		model.Close()
		e.Finalize()
		return nil, err
	}
	c.images.MaxPixels = o.MaxPixels
	return c, nil
}

// openEncoder opens the encoder that the model was trained with, with grids if it looks at them.
func (m *Model) openEncoder(ctx context.Context, o EncoderOptions) (*encoder.Encoder, error) {
	o.Name = m.Checkpoint.Encoder.Name
	chosen, err := chooseEncoder(ctx, o)
	if err == nil && m.decoder.Looks() {
		chosen.spec, err = chosen.spec.WithGrids()
	}
	if err != nil {
		return nil, err
	}
	return chosen.open(m.backend)
}

// NewCaptioner makes a captioner of an opened model and an opened encoder, and takes over both. It fails if the model
// was trained with another encoder.
func NewCaptioner(model *Model, e *encoder.Encoder) (*Captioner, error) {
	if err := model.checkEncoder(e.Identity()); err != nil {
		return nil, err
	}
	if want, dim := model.rowDim(), e.Spec().RowDim(); dim != want {
		return nil, fmt.Errorf("the model reads %d numbers of an image, the encoder returns %d: open it as "+
			"encoder.Spec.WithGrids says if the model looks at feature maps, and else without", want, dim)
	}
	return &Captioner{encoder: e, images: encoder.ImageOptions{Upright: true}, model: model}, nil
}

// Model returns the captioner's model. Do not use it while the captioner is in use.
func (c *Captioner) Model() *Model { return c.model }

// Spec describes the captioner's encoder.
func (c *Captioner) Spec() encoder.Spec { return c.encoder.Spec() }

// CaptionFile captions the image in the file path (JPEG, PNG, WebP or GIF).
func (c *Captioner) CaptionFile(ctx context.Context, path string, o decoder.GenerateOptions) (score.Caption, error) {
	f, err := openFile(path)
	if err != nil {
		return score.Caption{}, err
	}
	defer f.Close()
	return c.CaptionReader(ctx, path, f, o)
}

// openFile opens a regular file. Others, such as pipes and devices, may block or never end, so they are errors.
func openFile(path string) (io.ReadCloser, error) { return regular.Open(path) }

// CaptionReader captions the encoded image that r yields. name is the ID of the caption and stands in errors.
func (c *Captioner) CaptionReader(ctx context.Context, name string, r io.Reader, o decoder.GenerateOptions) (
	score.Caption, error) {
	pixels, err := c.Decode(r)
	if err != nil {
		return score.Caption{}, fmt.Errorf("%s: %w", name, err)
	}
	features, err := c.encoder.Encode(ctx, []*encoder.Pixels{pixels})
	if err != nil {
		return score.Caption{}, err
	}
	captions, err := c.captionFeatures([]string{name}, [][]float32{features}, o)
	if err != nil {
		return score.Caption{}, err
	}
	return captions[0], nil
}

// FilesOptions change how CaptionFiles works. The zero value captions greedily.
type FilesOptions struct {
	Generate decoder.GenerateOptions
	// Progress is called after every batch with the number of images encoded, and of images that could not be read,
	// since the last call; may be nil.
	Progress func(encoded, unreadable int)
}

// CaptionFiles captions the images in files, decoding ahead while the encoder computes. For a file that cannot be read,
// problems holds an error in its place; the others are captioned all the same.
func (c *Captioner) CaptionFiles(ctx context.Context, paths []string, o FilesOptions) (
	captions []score.Caption, problems []error, err error) {
	features, problems, err := c.EncodeFiles(ctx, paths, o.Progress)
	if err != nil {
		return nil, nil, err
	}
	var ids []string
	var rows [][]float32
	var good []int
	for i, path := range paths {
		if problems[i] == nil {
			ids, rows, good = append(ids, path), append(rows, features[i]), append(good, i)
		}
	}
	generated, err := c.captionFeatures(ids, rows, o.Generate)
	if err != nil {
		return nil, nil, err
	}
	captions = make([]score.Caption, len(paths))
	for row, i := range good {
		captions[i] = generated[row]
	}
	return captions, problems, nil
}

// CaptionFeatures captions images given by their features, like Model.CaptionFeatures. The captions
// have no ids. It is safe for concurrent use.
func (c *Captioner) CaptionFeatures(rows [][]float32, o decoder.GenerateOptions) ([]score.Caption, error) {
	return c.captionFeatures(make([]string, len(rows)), rows, o)
}

func (c *Captioner) captionFeatures(ids []string, rows [][]float32,
	o decoder.GenerateOptions) ([]score.Caption, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.model.CaptionFeatures(ids, rows, o)
}

// Close frees the model and the encoder. The captioner must not be used afterwards.
func (c *Captioner) Close() {
	c.model.Close()
	c.encoder.Finalize()
}
