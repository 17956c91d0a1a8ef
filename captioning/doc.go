// Package captioning trains, evaluates and reads out image-captioning models: a pretrained and frozen convolutional
// encoder, one recurrent decoder, on CPU or GPU through GoMLX and XLA. It reproduces "Image Captioning using an LSTM
// Network" (UCSD CSE 251B, 2021), and every setting of the paper can be changed.
//
// # The way of the data
//
// [OpenDataset] gives photographs with captions, [OpenEncoder] a ResNet-50 or EfficientNet-Lite0, and [Features] the
// photographs' feature vectors, computed once and kept in the user's cache folder. [Train] turns them into a run folder; it
// can be stopped at any moment and goes on to the same bits. [Open] opens a run folder, and the [Model] captions features,
// whole splits or photographs, and measures losses and scores.
//
// A [Reproduction] plans and makes the runs that package experiment declares, each with all its ways of reading out, and
// leaves records; package experiment/report turns these into tables, figures and verdicts on the paper's claims.
//
// A checkpoint holds the settings, the vocabulary, the identity of the encoder and the weights, so it is enough to caption
// a new photograph. Nothing that is loaded can run code.
//
// # Parts
//
// Package encoder computes features; package decoder has the cells, the training step and the generation on the device;
// package score scores captions as coco-caption and NLTK do; package experiment declares the paper's experiments and what
// a run's records hold; package nbkit is what notebooks are written with; package fetch downloads datasets and weights;
// package xla finds, installs and opens the XLA plugin.
package captioning
