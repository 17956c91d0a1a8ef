package captioning

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/gomlx/compute"

	"captionlab/captioning/decoder"
	"captionlab/captioning/experiment"
	"captionlab/datasets"
)

// TrainConfig describes a training run. Dir and Settings are required.
type TrainConfig struct {
	Dir      string // run folder; created if it does not exist
	Settings experiment.Settings
	// Cell is a custom cell; Settings.Cell must be its name. Nil takes the built-in cell that Settings names.
	Cell decoder.Cell
	// Objective is a custom objective; Settings.Loss must be its name. Nil takes the built-in one that Settings names.
	Objective *Objective
	// From is the trained run whose best weights and vocabulary the run starts with: anything that OpenModel opens.
	// Empty means random weights, which loss=self-critical does not accept. A resumed run does not need it.
	From string
	// Devices is the number of the backend's devices that share each batch; 0 means 1. Losses are those of one device
	// up to rounding, without dropout, and a run may resume on another number.
	Devices int
	// Resume continues from the run's last checkpoint. Without it, a folder that holds a checkpoint is refused.
	Resume bool
	// Progress is called after every step and at the end of every epoch; may be nil.
	Progress func(TrainProgress)
	// AfterEpoch is called at the end of every epoch, once its checkpoint is written, with the current model. It must
	// not keep or close the model. If it returns an error, training stops with that error. May be nil.
	AfterEpoch func(*Model, experiment.CurvePoint) error
	// Warn is called with one line for everything that is odd but not an error; may be nil.
	Warn func(string)
	// Evaluate lists the splits on which the model will be evaluated. Train fails before the first step if one of them
	// cannot be used; train and val are always checked. Nil means test, if the dataset has test images.
	Evaluate []datasets.Split
	// Lease is the time without a sign of life after which another process may take over the run folder; 0 means three
	// minutes. Processes on one machine exclude each other by a file lock, those on several by a lease: a file in the
	// run folder that this process renews while it trains.
	Lease time.Duration
	// CheckpointEvery is the time between checkpoints within an epoch; 0 means five minutes.
	CheckpointEvery time.Duration
}

// TrainProgress reports how far a run is.
type TrainProgress struct {
	Epoch, Epochs  int // the current epoch, from 1, and the largest number of epochs
	Batch, Batches int
	Loss           float64 // mean over the epoch so far, nats
	Tokens         int     // real tokens trained on in this call
	Rate           float64 // real tokens per second since the start of this call
	// Sampled is set with loss=self-critical: the means over the epoch so far.
	Sampled   *experiment.Sampled
	Remaining time.Duration
	// Point is set at the end of an epoch.
	Point *experiment.CurvePoint
}

// ErrStopped reports that a run was stopped on purpose and can be resumed.
var ErrStopped = errors.New("stopped; resume to continue")

// ErrRunExists reports that a folder already holds a run, and that the run was not to be resumed.
var ErrRunExists = errors.New("the folder already holds a run")

// ErrInUse reports that another process works in the run folder.
var ErrInUse = errors.New("in use by another process")

// Train trains one model on data and returns the best checkpoint, by validation loss (with loss=self-critical by the
// CIDEr-D of greedy validation captions), as an opened model; the run folder keeps it. It fails before the first step
// if a split that it or a later evaluation needs cannot be used, and with the checkpoints unchanged if the loss or a
// weight is no longer finite. When ctx is done, Train writes a checkpoint and returns ErrStopped. A resumed run ends
// in the same bits as one that was never stopped; a finished run is only opened.
func Train(ctx context.Context, backend compute.Backend, data *Data, c TrainConfig) (*Model, error) {
	if err := train(ctx, backend, data, c); err != nil {
		return nil, err
	}
	return OpenModel(backend, c.Dir, ModelOptions{Cell: c.Cell})
}

func train(ctx context.Context, backend compute.Backend, data *Data, c TrainConfig) error {
	r, err := beginRun(ctx, data, c)
	if err != nil {
		return err
	}
	defer r.close()
	ctx, cancel := r.whileLeased(ctx)
	defer cancel()
	if r.finished() {
		return nil
	}
	if err := r.prepare(ctx, backend); err != nil {
		return err
	}
	for !r.finished() {
		if err := r.epoch(ctx); err != nil {
			return err
		}
	}
	return nil
}

// epoch trains the current epoch to its end, measures the validation loss and writes checkpoints.
func (r *trainRun) epoch(ctx context.Context) error {
	batches := r.stepper.plan(r.at.Epoch)
	for r.at.Batch < batches {
		if ctx.Err() != nil {
			return r.stop()
		}
		if err := r.step(); err != nil {
			return err
		}
		r.report(batches, nil)
		if time.Since(r.lastSaved) >= r.CheckpointEvery {
			if err := r.save(); err != nil {
				return err
			}
		}
	}
	losses := lossPlan{r.Settings.BatchSize, r.Settings.Seed, r.objective.Pads}
	val, err := losses.measure(ctx, r.trainer.Decoder, &r.images, r.val)
	sampled := r.sampled(batches)
	if sampled != nil && err == nil {
		sampled.CIDErD, err = r.stepper.(*selfCritical).validate(ctx)
	}
	if err != nil {
		if ctx.Err() != nil {
			return r.stop()
		}
		return err
	}
	return r.endEpoch(batches, val, sampled)
}

// step trains on one batch.
func (r *trainRun) step() error {
	done, err := r.stepper.step(r.at.Batch)
	if err != nil {
		return err
	}
	if !isFinite(done.loss) {
		return r.diverged(r.at.Epoch+1, fmt.Errorf("the loss became %v", done.loss))
	}
	r.at.Batch++
	r.at.LossSum += done.loss
	r.at.RewardSum += done.reward
	r.at.EntropySum += done.entropy
	r.tokens += done.tokens
	return nil
}

// sampled returns the means over the first batches of the epoch, or nil if the run samples no captions.
func (r *trainRun) sampled(batches int) *experiment.Sampled {
	if !r.objective.selfCritical {
		return nil
	}
	return &experiment.Sampled{Reward: r.at.RewardSum / float64(batches), Entropy: r.at.EntropySum / float64(batches)}
}

// diverged adds to a problem of numbers that are not finite where it occurred and what to do. The checkpoints stay as
// they are.
func (r *trainRun) diverged(epoch int, problem error) error {
	kept := "no checkpoint has been written to " + r.Dir
	if holdsLast(r.Dir) {
		kept = "the last good checkpoint is in " + r.Dir
	}
	return fmt.Errorf("%w at step %d (epoch %d, learning rate %g): %s; try a lower learning rate or clip_norm=1",
		problem, r.trainer.Steps(), epoch, r.at.LearningRate, kept)
}

// written returns the error of writing a checkpoint in an epoch. One with unsound weights is refused, so that it does
// not replace a good one.
func (r *trainRun) written(epoch int, err error) error {
	if errors.Is(err, errUnsound) {
		return r.diverged(epoch, err)
	}
	return err
}

// stop keeps the work done so far.
func (r *trainRun) stop() error {
	if err := r.save(); err != nil {
		return err
	}
	return ErrStopped
}

// endEpoch adds the epoch to the curve, keeps the weights if they are the best so far, and adapts the learning rate.
func (r *trainRun) endEpoch(batches int, val experiment.Losses, sampled *experiment.Sampled) error {
	point := experiment.CurvePoint{Epoch: r.at.Epoch + 1, TrainLoss: r.at.LossSum / float64(batches), Val: val,
		LearningRate: r.at.LearningRate, Seconds: r.seconds(), Sampled: sampled}
	loss := r.objective.figure(point)
	if !isFinite(loss) {
		return r.diverged(point.Epoch, fmt.Errorf("the validation loss became %v", loss))
	}
	if err := r.stillLeased(); err != nil {
		return err
	}
	isBest := r.at.Best == 0 || loss < r.objective.figure(r.at.Curve[r.at.Best-1])
	r.at.Curve = append(r.at.Curve, point)
	r.at.Epoch, r.at.Batch, r.at.LossSum, r.at.RewardSum, r.at.EntropySum = point.Epoch, 0, 0, 0, 0
	if isBest {
		r.at.Best = point.Epoch
		best := *r.checkpoint
		best.Training.Seconds = r.seconds()
		if err := best.write(filepath.Join(r.Dir, bestFile), r.trainer, false); err != nil {
			return r.written(point.Epoch, err)
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
	r.report(batches, &point)
	if r.AfterEpoch != nil {
		return r.AfterEpoch(r.current(), point)
	}
	return nil
}

// current is the model as it is now. It shares the trainer's weights.
func (r *trainRun) current() *Model {
	return &Model{Checkpoint: r.checkpoint, Training: *r.at, decoder: r.trainer.Decoder, backend: r.backend,
		source: r.Dir}
}

// report calls the progress hook. point is set at the end of an epoch.
func (r *trainRun) report(batches int, point *experiment.CurvePoint) {
	if r.Progress == nil {
		return
	}
	p := TrainProgress{Epoch: r.at.Epoch + 1, Epochs: r.Settings.Epochs, Batch: r.at.Batch, Batches: batches,
		Tokens: r.tokens, Point: point}
	if point != nil {
		p.Epoch, p.Batch, p.Loss, p.Sampled = point.Epoch, batches, point.TrainLoss, point.Sampled
	} else {
		p.Loss, p.Sampled = r.at.LossSum/float64(r.at.Batch), r.sampled(r.at.Batch)
	}
	epochs := float64(r.Settings.Epochs-p.Epoch) + 1 - float64(p.Batch)/float64(batches)
	p.Rate, p.Remaining = r.pace.At(float64(r.tokens), float64(r.epochTokens)*epochs)
	r.Progress(p)
}
