package captioning

// stepper takes a run's optimizer steps, epoch by epoch.
type stepper interface {
	// plan plans an epoch, from 0, and returns the number of its batches. The plan depends only on settings, data and
	// the number of the epoch.
	plan(epoch int) int
	// step trains on one batch of the planned epoch.
	step(batch int) (stepped, error)
}

// stepped is what a step reports.
type stepped struct {
	loss   float64 // before the step
	tokens int     // real tokens trained on
	// With loss=self-critical: the mean reward of the sampled captions, and the mean negative log-probability of their
	// tokens, in nats, an estimate of the entropy of a word.
	reward, entropy float64
}

// crossEntropy takes the steps of the objectives that predict the next word of the training captions.
type crossEntropy struct {
	run   *trainRun
	plans []plan
}

func (c *crossEntropy) plan(epoch int) int {
	c.plans = c.run.train.epoch(epoch)
	return len(c.plans)
}

func (c *crossEntropy) step(batch int) (done stepped, err error) {
	r, p := c.run, c.plans[batch]
	done.loss, err = r.trainer.Step(r.images.give(r.train.fill(p, r.objective)))
	for _, i := range p.members {
		done.tokens += r.train.pairs[i].steps()
	}
	return done, err
}
