// Package captioning trains and evaluates image-captioning models and captions images with them: a pretrained, frozen
// convolutional encoder and a recurrent decoder, on CPU or GPU through GoMLX and XLA. It reproduces "Image Captioning
// using an LSTM Network" (UCSD CSE 251B, 2021), and every setting of the paper can be changed.
//
// # The way of the data
//
// [OpenData] opens a dataset with its features, which are computed once and kept in the user's cache folder. [Train]
// trains a [Model] on it and leaves a run folder; it can be stopped at any moment and resumes to the same bits.
// [OpenModel] opens a run folder again. A Model captions features and whole splits, and measures losses and scores. A
// [Captioner] is a model with its encoder and captions image files.
//
// A [Reproduction] plans and completes the runs that package experiment declares, each with all its decoding
// strategies, and leaves records. Package experiment/report turns the records into tables, figures and verdicts on the
// paper's claims.
//
// A checkpoint holds the settings, the vocabulary, the identity of the encoder and the weights, so it is all that
// captioning a new image needs. No file that is loaded can run code.
//
// # Looking at the image
//
// The paper's decoder reads one vector of the image, before the first word. The cells attention and top-down also look
// at its feature map before each word: [Data.Grids] computes the maps, once, and [Model.Attention] says where a model
// looks. The setting loss=self-critical trains a run further on the scores of captions that it samples. None of this is
// in the paper, and none of it changes what the paper's experiments compute.
//
// # What can be extended from outside
//
// A custom cell is a decoder.Cell in [TrainConfig]; a custom [Objective] goes there too. A custom encoder is an
// encoder.Spec in [EncoderOptions], a custom dataset a datasets.Dataset passed to [NewData], and a custom metric a
// score.Metric.
//
// # Parts
//
// Package encoder computes features. Package decoder has the cells, the training step and caption generation on the
// device. Package score scores captions as coco-caption and NLTK do. Package experiment declares the paper's
// experiments and their records. Package nbkit is the toolkit of the notebooks. Package fetch downloads datasets and
// weights. Package xla finds, installs and opens the XLA plugin.
package captioning
