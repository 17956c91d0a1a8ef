// Package score compares generated captions with reference captions. It computes BLEU, ROUGE-L and CIDEr-D as
// coco-caption (pycocoevalcap 1.2) does, and NLTK's sentence BLEU, which the paper used. It also gives confidence
// intervals, paired tests and measures of diversity.
//
// Two protocols exist: [Coco] and [PA4]. [Measure] computes any list of metrics; a [Metric] can be defined anywhere,
// also in a notebook cell. To add a built-in metric, write its file and add it to [Metrics].
// CIDEr-D takes its document frequencies from the scored references, or from [DocumentFrequencies].
//
// What is scored is bounded, see [MaxWords], [MaxReferences] and [MaxDraws]; more is an error.
//
// The package does not generate captions and knows nothing about models, datasets or GoMLX. It has no metric that
// needs a neural network or a download; METEOR, which needs tables, is in package meteor.
package score
