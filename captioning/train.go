package captioning

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/gofrs/flock"
	"github.com/gomlx/compute"

	"captionlab/captioning/decoder"
	"captionlab/captioning/encoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/internal/atomicfile"
	"captionlab/captioning/score"
	"captionlab/captioning/vocab"
	"captionlab/datasets"
)

// TrainConfig is all that a training run reads. Dir, Dataset, Fingerprint, Features and Settings are needed.
type TrainConfig struct {
	Dir         string // of the run; made where it is not there
	Dataset     datasets.Dataset
	Fingerprint string // datasets.Fingerprint of Dataset
	Features    *encoder.Features
	Settings    experiment.Settings
	// Cell is a cell of one's own; Settings.Cell must be its name. Nil takes the built-in cell that Settings names.
	Cell decoder.Cell
	// Resume goes on from the run's last checkpoint. Without it a folder that holds a checkpoint is refused.
	Resume bool
	// Progress is called after every step and at the end of every epoch; may be nil.
	Progress func(TrainProgress)
	// AfterEpoch is called at the end of every epoch, when its checkpoint is written, with the model as it is then, which it must
	// not keep or finalize. Its error ends the training. May be nil.
	AfterEpoch func(*Model, CurvePoint) error
	// Warn is told, in a line each, what is odd but no error; may be nil.
	Warn func(string)
	// CheckpointEvery is how often, beside the end of every epoch, a checkpoint is written; 0 means five minutes.
	CheckpointEvery time.Duration
}

// TrainProgress tells how far a run is.
type TrainProgress struct {
	Epoch, Epochs  int // the running epoch, from 1, and how many there are at most
	Batch, Batches int
	Loss           float64 // mean over the epoch so far, nats
	Tokens         int     // real tokens trained on in this call
	Rate           float64 // real tokens a second, since the start of this call
	Remaining      time.Duration
	// Point is set at the end of an epoch.
	Point *CurvePoint
}

// ErrStopped tells that a run was stopped on purpose and can be resumed.
var ErrStopped = errors.New("stopped; run the same command with --resume to go on")

// ErrInUse tells that another process works in the run folder.
var ErrInUse = errors.New("in use by another process")

// Train trains one model and leaves the best checkpoint, by validation loss, in the run folder; it returns that
// checkpoint. When ctx is done it writes a checkpoint and returns ErrStopped. A run that goes on ends in the same bits
// as one that was never stopped.
func Train(ctx context.Context, backend compute.Backend, c TrainConfig) (*Checkpoint, error) {
	r, err := newTrainRun(backend, c)
	if err != nil {
		return nil, err
	}
	defer r.close()
	for r.at.Epoch < c.Settings.Epochs && !r.outOfPatience() {
		if err := r.epoch(ctx); err != nil {
			return nil, err
		}
	}
	return ReadCheckpoint(filepath.Join(c.Dir, bestFile))
}

// trainRun is a run while it trains.
type trainRun struct {
	TrainConfig
	checkpoint *Checkpoint // its parts but for weights and optimizer state are current
	at         *Training
	model      decoder.Model
	trainer    *decoder.Trainer
	train      *batcher
	val        []pair
	lock       *flock.Flock
	started    time.Time // of this call
	before     float64   // seconds trained in earlier calls
	tokens     int
	lastSaved  time.Time
}

func newTrainRun(backend compute.Backend, c TrainConfig) (_ *trainRun, err error) {
	allow := func(name string) bool { return c.Cell != nil && c.Cell.Name() == name }
	if err := c.Settings.Check(allow); err != nil {
		return nil, err
	}
	if c.Warn == nil {
		c.Warn = func(string) {}
	}
	if c.CheckpointEvery == 0 {
		c.CheckpointEvery = 5 * time.Minute
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("run folder: %w", err)
	}
	r := &trainRun{TrainConfig: c, lock: flock.New(filepath.Join(c.Dir, ".lock"))}
	if locked, err := r.lock.TryLock(); err != nil || !locked {
		return nil, fmt.Errorf("run folder %s is %w (%v): wait for it, or choose another folder", c.Dir, ErrInUse, err)
	}
	defer func() {
		if err != nil {
			r.lock.Unlock()
		}
	}()
	if err := r.begin(); err != nil {
		return nil, err
	}
	train, err := makePairs(c.Dataset, datasets.Train, c.Features, r.checkpoint.Vocabulary, c.Settings)
	if err != nil {
		return nil, err
	}
	if r.val, err = makePairs(c.Dataset, datasets.Val, c.Features, r.checkpoint.Vocabulary, c.Settings); err != nil {
		return nil, err
	}
	r.train = newBatcher(train, c.Settings.BatchSize, c.Settings.Seed, c.Settings.Batching == "length")
	if r.model, err = r.checkpoint.model(c.Cell); err != nil {
		return nil, err
	}
	if r.checkpoint.Values == nil {
		r.checkpoint.Values = r.model.Initialize(c.Settings.Seed)
	}
	r.trainer, err = decoder.NewTrainer(backend, r.model, r.checkpoint.Values, r.checkpoint.State, decoder.TrainOptions{
		LearningRate: r.at.LearningRate, Dropout: c.Settings.Dropout, ClipNorm: c.Settings.ClipNorm, Seed: c.Settings.Seed,
		Precision: c.Settings.Precision, BatchWeight: r.batchWeight()})
	if err != nil {
		return nil, err
	}
	r.checkpoint.Values, r.checkpoint.State = nil, nil // they live on the device now
	debug.FreeOSMemory()
	r.started, r.lastSaved = time.Now(), time.Now()
	return r, nil
}

// batchWeight is the mean number of real tokens in a batch where batches are of similar length, and 0, each batch's own
// number, elsewhere. Every token then counts the same, those of an epoch's last batch, which may be small, too.
func (r *trainRun) batchWeight() float64 {
	if r.Settings.Batching != "length" || r.Settings.Loss != "token" {
		return 0
	}
	tokens := 0
	for _, p := range r.train.pairs {
		tokens += p.steps()
	}
	return float64(tokens) / float64(len(r.train.epoch(0)))
}

// begin makes a fresh checkpoint, or reads the one to go on from.
func (r *trainRun) begin() error {
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
			return fmt.Errorf("%s holds a run already (epoch %d): go on with it by --resume, or choose another folder", r.Dir, old.Training.Epoch)
		case old.Settings != r.Settings:
			return fmt.Errorf("%s holds a run with other settings (%s): choose another folder", r.Dir, old.Settings.Differences(r.Settings))
		case old.Data != r.Fingerprint || old.Encoder != r.Features.Manifest.Encoder:
			return fmt.Errorf("%s holds a run on other data or another encoder (%s, %s): choose another folder", r.Dir, old.Dataset, old.Encoder.Name)
		}
		r.checkpoint, r.at, r.before = old, &old.Training, old.Training.Seconds
		return nil
	}
	words, err := buildVocabulary(r.Dataset, r.Settings)
	if err != nil {
		return err
	}
	r.checkpoint = &Checkpoint{Settings: r.Settings, Vocabulary: words, Encoder: r.Features.Manifest.Encoder,
		Dataset: r.Dataset.Name(), Data: r.Fingerprint, Training: Training{LearningRate: r.Settings.LearningRate}}
	r.at = &r.checkpoint.Training
	return nil
}

// epoch trains the running epoch to its end, measures the validation loss and writes checkpoints.
func (r *trainRun) epoch(ctx context.Context) error {
	plans := r.train.epoch(r.at.Epoch)
	for r.at.Batch < len(plans) {
		if ctx.Err() != nil {
			return r.stop()
		}
		p := plans[r.at.Batch]
		loss, err := r.trainer.Step(r.train.fill(p, r.model.Features, r.Settings.Loss == "padded"))
		if err != nil {
			return err
		}
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return fmt.Errorf("the loss became %v at step %d (epoch %d, learning rate %g): the last good checkpoint is in %s; try a lower learning rate or clip_norm=1",
				loss, r.trainer.Steps(), r.at.Epoch+1, r.at.LearningRate, r.Dir)
		}
		r.at.Batch++
		r.at.LossSum += loss
		for _, i := range p.members {
			r.tokens += r.train.pairs[i].steps()
		}
		r.tell(len(plans), nil)
		if time.Since(r.lastSaved) >= r.CheckpointEvery {
			if err := r.save(); err != nil {
				return err
			}
		}
	}
	val, err := measure(ctx, r.trainer.Decoder, r.val, r.Settings.BatchSize, r.Settings.Seed, r.Settings.Loss == "padded")
	if err != nil {
		if ctx.Err() != nil {
			return r.stop()
		}
		return err
	}
	return r.endEpoch(len(plans), val)
}

// stop keeps what was done so far.
func (r *trainRun) stop() error {
	if err := r.save(); err != nil {
		return err
	}
	return ErrStopped
}

// endEpoch notes the epoch on the curve, keeps the weights if they are the best, and adapts the learning rate.
func (r *trainRun) endEpoch(batches int, val Losses) error {
	point := CurvePoint{Epoch: r.at.Epoch + 1, TrainLoss: r.at.LossSum / float64(batches), Val: val,
		LearningRate: r.at.LearningRate, Seconds: r.seconds()}
	if loss := r.chosen(val); math.IsNaN(loss) || math.IsInf(loss, 0) {
		return fmt.Errorf("the validation loss became %v after epoch %d (learning rate %g): the last good checkpoint is in %s; try a lower learning rate",
			loss, point.Epoch, r.at.LearningRate, r.Dir)
	}
	isBest := r.at.Best == 0 || r.chosen(val) < r.chosen(r.at.Curve[r.at.Best-1].Val)
	r.at.Curve = append(r.at.Curve, point)
	r.at.Epoch, r.at.Batch, r.at.LossSum = point.Epoch, 0, 0
	if isBest {
		r.at.Best = point.Epoch
		best := *r.checkpoint
		best.Training.Seconds = r.seconds()
		if err := best.write(filepath.Join(r.Dir, bestFile), r.trainer, false); err != nil {
			return err
		}
	} else if since := point.Epoch - r.at.Best; r.Settings.LRDecay < 1 && since%r.Settings.LRPatience == 0 {
		r.at.LearningRate *= r.Settings.LRDecay
		if err := r.trainer.SetLearningRate(r.at.LearningRate); err != nil {
			return err
		}
	}
	if err := r.save(); err != nil {
		return err
	}
	r.tell(batches, &point)
	if r.AfterEpoch != nil {
		return r.AfterEpoch(&Model{Checkpoint: r.checkpoint, decoder: r.trainer.Decoder}, point)
	}
	return nil
}

// chosen is the validation loss that decides: the one that was trained on.
func (r *trainRun) chosen(l Losses) float64 {
	if r.Settings.Loss == "padded" {
		return l.Padded
	}
	return l.Token
}

func (r *trainRun) outOfPatience() bool {
	return r.Settings.Patience > 0 && r.at.Best > 0 && r.at.Epoch-r.at.Best >= r.Settings.Patience
}

// save writes the last checkpoint, with everything that training needs to go on.
func (r *trainRun) save() error {
	c := *r.checkpoint
	c.Training.Seconds = r.seconds()
	r.lastSaved = time.Now()
	return c.writeLast(r.Dir, r.trainer)
}

func (r *trainRun) seconds() float64 { return r.before + time.Since(r.started).Seconds() }

func (r *trainRun) tell(batches int, point *CurvePoint) {
	if r.Progress == nil {
		return
	}
	p := TrainProgress{Epoch: r.at.Epoch + 1, Epochs: r.Settings.Epochs, Batch: r.at.Batch, Batches: batches, Tokens: r.tokens, Point: point}
	if point != nil {
		p.Epoch, p.Batch, p.Loss = point.Epoch, batches, point.TrainLoss
	} else {
		p.Loss = r.at.LossSum / float64(r.at.Batch)
	}
	elapsed := time.Since(r.started)
	p.Rate = float64(r.tokens) / elapsed.Seconds()
	perEpoch := 0
	for _, x := range r.train.pairs {
		perEpoch += x.steps()
	}
	left := float64(perEpoch) * (float64(r.Settings.Epochs-p.Epoch) + 1 - float64(p.Batch)/float64(batches))
	p.Remaining = time.Duration(left / p.Rate * float64(time.Second))
	r.Progress(p)
}

func (r *trainRun) close() {
	r.trainer.Finalize()
	r.lock.Unlock()
}

// buildVocabulary counts the words of the training split alone.
func buildVocabulary(ds datasets.Dataset, s experiment.Settings) (*vocab.Vocabulary, error) {
	tokenize, err := score.Tokenizer(s.Tokens)
	if err != nil {
		return nil, err
	}
	var captions [][]string
	for _, ex := range ds.Examples(datasets.Train) {
		for _, c := range ex.Captions {
			captions = append(captions, tokenize(c))
		}
	}
	return vocab.Build(captions, s.MinCount)
}

// makePairs lists every caption of a split with the features of its picture. Pictures without features are left out.
func makePairs(ds datasets.Dataset, split datasets.Split, f *encoder.Features, words *vocab.Vocabulary, s experiment.Settings) ([]pair, error) {
	tokenize, err := score.Tokenizer(s.Tokens)
	if err != nil {
		return nil, err
	}
	var pairs []pair
	for _, ex := range ds.Examples(split) {
		row, ok := f.Row(ex.ID)
		if !ok {
			continue
		}
		for _, c := range ex.Captions {
			pairs = append(pairs, pair{row, words.Encode(tokenize(c), s.MaxTokens)})
		}
	}
	if len(pairs) == 0 {
		return nil, fmt.Errorf("the %s split of %s has no caption whose picture has features", split, ds.Name())
	}
	return pairs, nil
}
