package fetch

import (
	"fmt"
	"slices"
	"strings"
)

// cocoBucket is where COCO's publishers keep its archives; images.cocodataset.org, their own name for it, has no encryption.
const cocoBucket = "https://s3.amazonaws.com/images.cocodataset.org/"

// pa4Lists are the id lists of the paper's split, in a repository of one of the class's teams, at a fixed commit.
const pa4Lists = "https://raw.githubusercontent.com/arition/CSE251B-PA/b00f19c76f0e6e8df63d5b25b32cfb712adf30c2/PA4/"

// gitHub is where releases on GitHub are kept.
var gitHub = []string{".githubusercontent.com"}

var pa4Files = []File{
	{URL: pa4Lists + "train_ids.csv", Path: "pa4/train_ids.csv", Size: 101429, SHA256: "c8b2f8dda764abe3f6a8cf388723e97dab8aad86400c39c41b52b001b2978a33"},
	{URL: pa4Lists + "val_ids.csv", Path: "pa4/val_ids.csv", Size: 11307, SHA256: "0ed3f2c0fae3b58adac2507d82a88f16026e9e8dabd3dfe276cbef6eeef871c3"},
	{URL: pa4Lists + "test_ids.csv", Path: "pa4/test_ids.csv", Size: 26413, SHA256: "67f73b7fe22e08707ef127b6e502c36469fb60d7c397f0d188881999bb945eac"},
}

// known are the collections that captionlab fetches. COCO's and Flickr8k's publishers give no SHA-256; the MD5 sums are those
// that the publishers' servers and several independent readers of these files give. Archives of pictures are read where they
// are and not unpacked.
var known = []Collection{
	{"coco", "COCO 2014 with the paper's id lists, the archives as they are", append([]File{
		{URL: cocoBucket + "annotations/annotations_trainval2014.zip", Path: "annotations_trainval2014.zip", Size: 252872794, MD5: "0a379cfc70b0e71301e0f377548639bd"},
		{URL: cocoBucket + "zips/train2014.zip", Path: "train2014.zip", Size: 13510573713, MD5: "0da8c0bd3d6becc4dcb32757491aca88"},
		{URL: cocoBucket + "zips/val2014.zip", Path: "val2014.zip", Size: 6645013297, MD5: "a3d79f5ed8d289b7a7554ce06a5782b3"},
	}, pa4Files...)},
	{"coco-2017", "COCO 2017 with the paper's id lists, the archives as they are", append([]File{
		{URL: cocoBucket + "annotations/annotations_trainval2017.zip", Path: "annotations_trainval2017.zip", Size: 252907541, MD5: "f4bbac642086de4f52a3fdda2de5fa2c"},
		{URL: cocoBucket + "zips/train2017.zip", Path: "train2017.zip", Size: 19336861798, MD5: "cced6f7f71b7629ddf16f17bbcfab6b2"},
		{URL: cocoBucket + "zips/val2017.zip", Path: "val2017.zip", Size: 815585330, MD5: "442b8da7639aecaf257c1dceb8ba8c80"},
	}, pa4Files...)},
	{"flickr8k", "Flickr8k, in the copy that is used since the publishers' own page is gone; for research and education alone", []File{
		{URL: "https://github.com/jbrownlee/Datasets/releases/download/Flickr8k/Flickr8k_Dataset.zip", Path: "Flickr8k_Dataset.zip", Size: 1115419746, MD5: "f18a1e2920de5bd84dae7cf08ec78978", Hosts: gitHub},
		{URL: "https://github.com/jbrownlee/Datasets/releases/download/Flickr8k/Flickr8k_text.zip", Path: "Flickr8k_text.zip", Size: 2340801, MD5: "bf6c1abcb8e4a833b7f922104de18627", Hosts: gitHub,
			Unpack: &Unpacking{To: "Flickr8k_text", Size: 20 << 20, Only: []string{"Flickr8k.token.txt", "Flickr_8k.trainImages.txt", "Flickr_8k.devImages.txt", "Flickr_8k.testImages.txt"}}},
	}},
	{"resnet50", "torchvision's ResNet-50, ImageNet weights V1, the paper's", []File{
		{URL: "https://download.pytorch.org/models/resnet50-0676ba61.pth", Path: "resnet50-0676ba61.pth", Size: 102530333, SHA256: "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a"},
	}},
	{"resnet50-v2", "torchvision's ResNet-50, ImageNet weights V2", []File{
		{URL: "https://download.pytorch.org/models/resnet50-11ad3fa6.pth", Path: "resnet50-11ad3fa6.pth", Size: 102540417, SHA256: "11ad3fa6"},
	}},
	{"resnet50-safetensors", "the weights V1 as safetensors, from HuggingFace (timm/resnet50.tv_in1k)", []File{
		{URL: "https://huggingface.co/timm/resnet50.tv_in1k/resolve/aa6c2d36d56bc0209040c02b5a7b7d7bf11d57b8/model.safetensors", Path: "resnet50.safetensors", Size: 102469840,
			SHA256: "5d061a3c593d795bfe682d9b152bafbcf550579873492def3515b46db1189888", Hosts: []string{".huggingface.co", ".hf.co"}},
	}},
}

// Known lists the collections.
func Known() []Collection { return slices.Clone(known) }

// Lookup returns the collection called name, or an error that lists the known ones.
func Lookup(name string) (Collection, error) {
	var names []string
	for _, c := range known {
		if c.Name == name {
			return c, nil
		}
		names = append(names, c.Name)
	}
	return Collection{}, fmt.Errorf("nothing is known of %q: what can be fetched is %s", name, strings.Join(names, ", "))
}

// IsWeights tells a collection of weights, which belongs into the folder of weights, from a dataset.
func (c Collection) IsWeights() bool { return strings.HasPrefix(c.Name, "resnet50") }

// Dataset is the name of the dataset that a collection is, as OpenDataset knows it.
func (c Collection) Dataset() string { return strings.TrimSuffix(c.Name, "-2017") }
