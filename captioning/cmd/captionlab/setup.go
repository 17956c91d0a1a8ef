package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"captionlab/captioning/weights"
	"captionlab/captioning/xla"
)

func newSetupCommand() *cobra.Command {
	var options xla.SetupOptions
	var asJSON, pluginOnly bool
	cmd := &cobra.Command{
		Use:     "setup",
		Short:   "Find or install the XLA plugin and the small encoder",
		Example: "  captionlab setup\n  captionlab setup --plugin fastatomstruct-xla-cpu --lib ~/plugins",
		Args:    exactly(0, "none"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			m := newMeter()
			options.Progress = func(line string) { m.say("setup: %s", line) }
			plugin, err := xla.Setup(cmd.Context(), options)
			if err != nil {
				return err
			}
			backend, err := xla.OpenPlugin(plugin.Path)
			if err != nil {
				return err
			}
			backend.Finalize()
			var source weights.Source
			if !pluginOnly {
				if source, err = weights.EfficientNetLite0(cmd.Context()); err != nil {
					return err
				}
			}
			out := cmd.OutOrStdout()
			if asJSON {
				return json.NewEncoder(out).Encode(map[string]any{"plugin": plugin, "encoder": source})
			}
			fmt.Fprintf(out, "XLA plugin    %s\n              version %s, %s\n              SHA-256 %s\n",
				plugin.Path, plugin.Version, origin(plugin.Origin), plugin.SHA256)
			if !pluginOnly {
				printEncoder(out, source)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&options.Wheel, "plugin", "",
		"install the plugin of this wheel, even if another one is installed")
	cmd.Flags().StringVar(&options.Dir, "lib", "",
		"folder to install the plugin in (default: the user's go-xla folder)")
	cmd.Flags().BoolVar(&pluginOnly, "plugin-only", false, "do not fetch the encoder's weights")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	return cmd
}

func printEncoder(out io.Writer, source weights.Source) {
	from := "found"
	if source.Fetched {
		from = source.Origin
	}
	if source.Replaced {
		from += " (a damaged file was replaced)"
	}
	fmt.Fprintf(out, "small encoder %s\n              %s\n              SHA-256 %s\n", source.Path, origin(from),
		source.SHA256)
}

// origin says where an installed file came from.
func origin(from string) string {
	if from == "found" {
		return "already installed"
	}
	return "installed from " + from
}
