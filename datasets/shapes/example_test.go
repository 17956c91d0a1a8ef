package shapes_test

import (
	"fmt"
	"image/png"
	"log"

	"captionlab/datasets"
	"captionlab/datasets/shapes"
)

func Example() {
	ds, err := shapes.Open(shapes.WithSize(100, 10, 10))
	if err != nil {
		log.Fatal(err)
	}
	first := ds.Examples(datasets.Train)[0]
	fmt.Println(first.ID)
	for _, caption := range first.Captions {
		fmt.Println(caption)
	}
	f, err := ds.OpenImage(first.ID)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	image, err := png.Decode(f)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(image.Bounds().Size())
	// Output:
	// 100001
	// A big red circle next to a big purple square on a striped beige background
	// The picture shows a purple square beside a red circle
	// A big purple square to the left of a red circle
	// There is a purple square to the left of a large red circle
	// A red circle sits beside a large purple square
	// (224,224)
}

func ExampleScene_Combinations() {
	scene := shapes.Scene{Arrangement: shapes.Beside, Objects: []shapes.Object{
		{Shape: "circle", Colour: "red"},
		{Shape: "square", Colour: "blue"},
	}}
	for _, c := range scene.Combinations() {
		fmt.Printf("%v: %v\n", c, c.Split())
	}
	// Output:
	// red circle | left of | blue square: train
}
