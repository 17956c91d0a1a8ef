package captioning

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/gofrs/flock"
	"github.com/gomlx/compute"

	"captionlab/captioning/decoder"
	"captionlab/captioning/internal/atomicfile"
	"captionlab/captioning/internal/lease"
	"captionlab/captioning/internal/pace"
	"captionlab/datasets"
)

// trainRun is a run during training. beginRun finds out how far it is; prepare puts it on the device.
type trainRun struct {
	TrainConfig
	data        *Data
	backend     compute.Backend // from prepare
	objective   Objective
	checkpoint  *Checkpoint // everything in it except weights and optimizer state is current
	at          *Training
	model       decoder.Model
	trainer     *decoder.Trainer // nil until prepare
	images      imageTable       // of train and val
	train       *batcher
	stepper     stepper // nil until prepare
	epochTokens int     // real tokens of an epoch
	val         []pair
	lock        *flock.Flock // excludes processes on this machine
	lease       *lease.Lease // excludes those on others
	pace        pace.Pace    // of this call
	before      float64      // seconds trained in earlier calls
	tokens      int          // of this call
	lastSaved   time.Time
}

// beginRun checks the settings, locks the run folder and reads the checkpoint to resume from, if there is one.
func beginRun(ctx context.Context, data *Data, c TrainConfig) (_ *trainRun, err error) {
	r := &trainRun{TrainConfig: c, data: data, pace: pace.New()}
	builtin := c.Settings // Check knows the built-in objectives
	if c.Objective != nil {
		builtin.Loss = objectives[0].Name
	}
	if err := builtin.Check(func(name string) bool { return c.Cell != nil && c.Cell.Name() == name }); err != nil {
		return nil, err
	}
	if r.objective, err = objectiveFor(c.Settings.Loss, c.Objective); err != nil {
		return nil, err
	}
	if r.Warn == nil {
		r.Warn = func(string) {}
	}
	if r.CheckpointEvery == 0 {
		r.CheckpointEvery = 5 * time.Minute
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("run folder: %w", err)
	}
	if err := r.takeFolder(); err != nil {
		return nil, err
	}
	if err := r.begin(ctx); err != nil {
		r.leaveFolder()
		return nil, err
	}
	return r, nil
}

// begin creates a fresh checkpoint, or reads the one to resume from.
func (r *trainRun) begin(ctx context.Context) error {
	if err := atomicfile.Clean(r.Dir); err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	old, err := readLast(r.Dir, r.Warn)
	if err != nil {
		return err
	}
	if old != nil {
		switch {
		case !r.Resume:
			return fmt.Errorf("%s: %w (epoch %d): resume it, or choose another folder", r.Dir, ErrRunExists,
				old.Training.Epoch)
		case old.Settings != r.Settings:
			return fmt.Errorf("%s holds a run with other settings (%s): choose another folder",
				r.Dir, old.Settings.Differences(r.Settings))
		case old.Data != r.data.Fingerprint || old.Encoder != r.data.Encoder():
			return fmt.Errorf("%s holds a run on other data or with another encoder (%s, %s): choose another folder",
				r.Dir, old.Dataset, old.Encoder.Name)
		}
		r.checkpoint, r.at, r.before = old, &old.Training, old.Training.Seconds
		return nil
	}
	if err := trainable(r.data.Dataset); err != nil {
		return err
	}
	r.checkpoint = &Checkpoint{Settings: r.Settings, Encoder: r.data.Encoder(), Dataset: r.data.Name(),
		Data: r.data.Fingerprint, Source: r.data.Source, Training: Training{LearningRate: r.Settings.LearningRate}}
	r.at = &r.checkpoint.Training
	if r.checkpoint.Places, err = r.places(); err != nil {
		return err
	}
	switch {
	case r.From != "":
		err = r.startFrom()
	case r.objective.selfCritical:
		err = fmt.Errorf("loss=%s improves a trained run: say which one to start from", r.objective.Name)
	default:
		r.checkpoint.Vocabulary, err = buildVocabulary(r.data.Dataset, r.Settings)
	}
	return cmp.Or(err, ctx.Err())
}

// places is the number of places of the encoder's grids, or 0 for a cell that does not look.
func (r *trainRun) places() (int, error) {
	cell := r.Cell
	if cell == nil {
		var err error
		if cell, err = decoder.Builtin(r.Settings.Cell, r.Settings.Attention); err != nil {
			return 0, err
		}
	}
	if !(decoder.Model{Cell: cell}).Looks() {
		return 0, nil
	}
	spec, err := r.data.chosen.spec.WithGrids()
	if err != nil {
		return 0, fmt.Errorf("cell %q looks at feature maps: %w", cell.Name(), err)
	}
	return spec.Places, nil
}

// prepare makes the training examples and puts the model and the optimizer on the device.
func (r *trainRun) prepare(ctx context.Context, backend compute.Backend) error {
	r.backend = backend
	var err error
	if r.model, err = r.checkpoint.model(r.Cell); err != nil {
		return err
	}
	if _, err := r.data.featuresFor(ctx, r.model); err != nil {
		return err
	}
	if err := r.data.CheckSplits(ctx, r.Evaluate); err != nil {
		return err
	}
	pairs, err := r.images.makePairs(ctx, r.data, datasets.Train, r.checkpoint, r.model)
	if err != nil {
		return err
	}
	if r.val, err = r.images.makePairs(ctx, r.data, datasets.Val, r.checkpoint, r.model); err != nil {
		return err
	}
	r.train = newBatcher(pairs, r.Settings.BatchSize, r.Settings.Seed, r.Settings.Batching == "length")
	r.epochTokens = tokensOf(pairs)
	r.stepper = &crossEntropy{run: r}
	if r.objective.selfCritical {
		critic, err := newSelfCritical(ctx, r)
		if err != nil {
			return err
		}
		// As long as the training captions; the estimate of the time left needs no more.
		r.epochTokens = r.epochTokens * r.Settings.Samples * len(critic.rows) / len(pairs)
		r.stepper = critic
	}
	if r.checkpoint.Values == nil {
		r.checkpoint.Values = r.model.Initialize(r.Settings.Seed)
	} else if err := r.checkpoint.fits(r.model); err != nil {
		return fmt.Errorf("the last checkpoint in %s is not of this model: %w; choose another folder", r.Dir, err)
	}
	options := decoder.TrainOptions{LearningRate: r.at.LearningRate, Dropout: r.Settings.Dropout,
		ClipNorm: r.Settings.ClipNorm, Seed: r.Settings.Seed, Precision: r.Settings.Precision,
		LabelSmoothing: r.Settings.LabelSmoothing, EmbeddingDropout: r.Settings.EmbeddingDropout,
		BatchWeight: r.batchWeight(), WordsOnly: r.objective.selfCritical,
		AttentionRegulariser: r.Settings.AttentionRegulariser, Devices: r.Devices}
	r.trainer, err = decoder.NewTrainer(backend, r.model, r.checkpoint.Values, r.checkpoint.State, options)
	if err != nil {
		return err
	}
	if r.Devices < 2 { // several devices get the features that they need with each batch
		if err := r.images.upload(backend, maxOnDevice); err != nil {
			return err
		}
	}
	r.checkpoint.Values, r.checkpoint.State = nil, nil // they are on the device now
	debug.FreeOSMemory()
	r.pace, r.lastSaved = pace.New(), time.Now()
	return nil
}

// batchWeight is the number of sampled captions with loss=self-critical. With batches of similar length it is the
// mean weight of a batch's real tokens. Otherwise it is 0, which stands for each batch's own weight. Every token then
// counts the same, also in the last batch of an epoch, which may be small.
func (r *trainRun) batchWeight() float64 {
	if critic, ok := r.stepper.(*selfCritical); ok {
		return float64(critic.captions())
	}
	if r.Settings.Batching != "length" || r.objective.Pads {
		return 0
	}
	total := 0.0
	for _, p := range r.train.pairs {
		total += r.objective.total(p)
	}
	return total / float64(len(r.train.epoch(0)))
}

// finished reports whether the run trained all its epochs or ran out of patience.
func (r *trainRun) finished() bool { return r.at.Finished(r.Settings) }

// save writes the last checkpoint, with everything that is needed to resume.
func (r *trainRun) save() error {
	if err := r.stillLeased(); err != nil {
		return err
	}
	c := *r.checkpoint
	c.Training.Seconds = r.seconds()
	r.lastSaved = time.Now()
	epoch := r.at.Epoch
	if r.at.Batch > 0 {
		epoch++
	}
	return r.written(epoch, c.writeLast(r.Dir, r.trainer))
}

func (r *trainRun) seconds() float64 { return r.before + r.pace.Elapsed().Seconds() }

func (r *trainRun) close() {
	if r.trainer != nil {
		r.trainer.Finalize()
	}
	r.images.finalize()
	r.leaveFolder()
}
