// Package score compares generated captions with reference captions. It computes BLEU, ROUGE-L and CIDEr-D as
// coco-caption (pycocoevalcap 1.2) does, and NLTK's sentence BLEU, which the paper used. It also gives confidence
// intervals, paired tests and measures of diversity.
//
// # Use
//
// [ReadBoth] reads captions and references in COCO's formats; [References] and [Caption] can also be made in memory.
// [Coco] and [PA4] score them in one of two protocols, which must not be mixed in one table: BLEU of protocol coco is
// of the corpus, that of pa4 is a mean over images. [Bootstrap] adds confidence intervals, [Compare] tests two files of
// captions on the same images, [Explain] shows which n-grams match, and [Diversity] measures how captions vary.
// [MeasureSamples] measures how several captions of one image differ: Div-n, mBLEU and Self-CIDEr.
//
// [Measure] computes any list of metrics; a [Metric] can be defined anywhere, also in a notebook cell. To add a
// built-in metric, write its file and add it to [Metrics].
//
// # Agreement with the reference implementations
//
// The tests of this package compare it with files that the reference implementations wrote; the scripts that made them
// are in testdata. A tolerance is the largest difference that passes.
//
//	score, from 0 to 1          reference              compared on                              tolerance
//	BLEU-1 to 4 (coco)          pycocoevalcap 1.2      1,000 images of Flickr8k, 119 others     1e-9
//	ROUGE-L                     pycocoevalcap 1.2      the same                                 1e-9
//	CIDEr-D, from 0 to 10       pycocoevalcap 1.2      the same                                 1e-9
//	BLEU-1 and 4 (pa4)          NLTK 3.9, method 1     the same                                 1e-12
//	mBLEU, Div-n                pycocoevalcap 1.2,     162 samples of 29 images                 1e-12
//	                            formula
//	Self-CIDEr                  pycocoevalcap 1.2,     the same                                 1e-12; 1e-7 with
//	                            numpy                                                           equal captions
//
//	tokenizer                   reference              compared on                              tokens that differ
//	ptb                         CoreNLP 3.4.1          40,460 captions of Flickr8k,             none
//	                                                   2,136 hard cases, 1.8 million lines
//	treebank                    NLTK 3.9.2             40,460 captions of Flickr8k,             none
//	                                                   1,168 hard cases, 60,000 made-up texts
//
// In the benchmark of scoring (results/benchmarks/score.json), BLEU, ROUGE-L and CIDEr-D of 5,000 synthetic images
// agree with pycocoevalcap 1.2 within 1e-9. The number of cores does not change a bit of a score.
//
// CIDEr-D takes its document frequencies from the scored references, or from [DocumentFrequencies].
//
// # Limits
//
// What is scored is bounded, see [MaxWords], [MaxReferences], [MaxSamples] and [MaxDraws]; more is an error. Time and
// memory grow linearly with the captions: their tokens are kept, their n-grams are counted again in each pass.
//
// The package does not generate captions and knows nothing about models, datasets or GoMLX. It has no metric that
// needs a neural network or a download; METEOR, which needs tables, is in package meteor. SPICE is left out because it
// needs a Java parser with models of 384 MB, CLIPScore because it needs the weights of CLIP.
package score
