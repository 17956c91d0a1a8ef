package fetch

import (
	"fmt"
	"slices"
	"strings"
)

const (
	// cocoBucket is the publishers' storage of COCO's archives. Their own name for it, images.cocodataset.org, has no
	// encryption.
	cocoBucket = "https://s3.amazonaws.com/images.cocodataset.org/"
	// pa4Lists holds the id lists of the paper's split, in a repository of one of the class's teams at a fixed commit.
	pa4Lists = "https://raw.githubusercontent.com/arition/CSE251B-PA/b00f19c76f0e6e8df63d5b25b32cfb712adf30c2/PA4/"
	// flickr8kRelease holds the copy of Flickr8k in common use.
	flickr8kRelease = "https://github.com/jbrownlee/Datasets/releases/download/Flickr8k/"
	// timmResNet50 is timm/resnet50.tv_in1k at a fixed commit.
	timmResNet50 = "https://huggingface.co/timm/resnet50.tv_in1k/resolve/aa6c2d36d56bc0209040c02b5a7b7d7bf11d57b8/"
)

// gitHub lists the hosts that serve GitHub's releases.
var gitHub = []string{".githubusercontent.com"}

var pa4Files = []File{
	{URL: pa4Lists + "train_ids.csv", Path: "pa4/train_ids.csv", Size: 101429,
		SHA256: "c8b2f8dda764abe3f6a8cf388723e97dab8aad86400c39c41b52b001b2978a33"},
	{URL: pa4Lists + "val_ids.csv", Path: "pa4/val_ids.csv", Size: 11307,
		SHA256: "0ed3f2c0fae3b58adac2507d82a88f16026e9e8dabd3dfe276cbef6eeef871c3"},
	{URL: pa4Lists + "test_ids.csv", Path: "pa4/test_ids.csv", Size: 26413,
		SHA256: "67f73b7fe22e08707ef127b6e502c36469fb60d7c397f0d188881999bb945eac"},
}

// cocoFile is one of COCO's archives.
func cocoFile(folder, name string, size int64, md5 string) File {
	return File{URL: cocoBucket + folder + "/" + name, Path: name, Size: size, MD5: md5}
}

// known lists the collections that captionlab fetches. The publishers of COCO and Flickr8k give no SHA-256. Their MD5
// sums come from the publishers' servers and agree with those of several independent users. Archives of images are
// not unpacked, because captionlab reads them in place.
var known = []Collection{
	{"coco", "COCO 2014 with the paper's id lists, as archives", append([]File{
		cocoFile("annotations", "annotations_trainval2014.zip", 252872794, "0a379cfc70b0e71301e0f377548639bd"),
		cocoFile("zips", "train2014.zip", 13510573713, "0da8c0bd3d6becc4dcb32757491aca88"),
		cocoFile("zips", "val2014.zip", 6645013297, "a3d79f5ed8d289b7a7554ce06a5782b3"),
	}, pa4Files...)},
	{"coco-2017", "COCO 2017 with the paper's id lists, as archives", append([]File{
		cocoFile("annotations", "annotations_trainval2017.zip", 252907541, "f4bbac642086de4f52a3fdda2de5fa2c"),
		cocoFile("zips", "train2017.zip", 19336861798, "cced6f7f71b7629ddf16f17bbcfab6b2"),
		cocoFile("zips", "val2017.zip", 815585330, "442b8da7639aecaf257c1dceb8ba8c80"),
	}, pa4Files...)},
	{"flickr8k", "Flickr8k, the copy in common use since the publishers' page is gone; for research and education only",
		[]File{
			{URL: flickr8kRelease + "Flickr8k_Dataset.zip", Path: "Flickr8k_Dataset.zip", Size: 1115419746,
				MD5: "f18a1e2920de5bd84dae7cf08ec78978", Hosts: gitHub},
			{URL: flickr8kRelease + "Flickr8k_text.zip", Path: "Flickr8k_text.zip", Size: 2340801,
				MD5: "bf6c1abcb8e4a833b7f922104de18627", Hosts: gitHub,
				Unpack: &Unpacking{To: "Flickr8k_text", Size: 20 << 20, Only: []string{"Flickr8k.token.txt",
					"Flickr_8k.trainImages.txt", "Flickr_8k.devImages.txt", "Flickr_8k.testImages.txt"}}},
		}},
	{"resnet50", "torchvision's ResNet-50, ImageNet weights V1, as in the paper", []File{
		{URL: "https://download.pytorch.org/models/resnet50-0676ba61.pth", Path: "resnet50-0676ba61.pth",
			Size: 102530333, SHA256: "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a"},
	}},
	{"resnet50-v2", "torchvision's ResNet-50, ImageNet weights V2", []File{
		{URL: "https://download.pytorch.org/models/resnet50-11ad3fa6.pth", Path: "resnet50-11ad3fa6.pth",
			Size: 102540417, SHA256: "11ad3fa6"},
	}},
	{"resnet50-safetensors", "the weights V1 as safetensors, from HuggingFace (timm/resnet50.tv_in1k)", []File{
		{URL: timmResNet50 + "model.safetensors", Path: "resnet50.safetensors", Size: 102469840,
			SHA256: "5d061a3c593d795bfe682d9b152bafbcf550579873492def3515b46db1189888",
			Hosts:  []string{".huggingface.co", ".hf.co"}},
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
	return Collection{}, fmt.Errorf("unknown collection %q: the known ones are %s", name, strings.Join(names, ", "))
}

// IsWeights reports whether the collection holds weights, which belong in the folder of weights, and not a dataset.
func (c Collection) IsWeights() bool { return strings.HasPrefix(c.Name, "resnet50") }

// Dataset returns the name by which captioning opens the collection's dataset.
func (c Collection) Dataset() string { return strings.TrimSuffix(c.Name, "-2017") }
