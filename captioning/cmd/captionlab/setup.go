package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"captionlab/captioning/weights"
	"captionlab/captioning/xla"
)

func newSetupCommand() *cobra.Command {
	var options xla.SetupOptions
	var asJSON, pluginOnly bool
	cmd := &cobra.Command{
		Use:     "setup",
		Short:   "Find or install the XLA plugin and the small encoder; say what was done",
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
			fmt.Fprintf(out, "XLA plugin    %s\n              version %s, %s\n              SHA-256 %s\n", plugin.Path, plugin.Version, came(plugin.Origin), plugin.SHA256)
			if !pluginOnly {
				origin := "found"
				if source.Fetched {
					origin = source.Origin
				}
				if source.Replaced {
					origin += " (a damaged file was replaced)"
				}
				fmt.Fprintf(out, "small encoder %s\n              %s\n              SHA-256 %s\n", source.Path, came(origin), source.SHA256)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&options.Wheel, "plugin", "", "install this wheel's plugin, even where there is another one")
	cmd.Flags().StringVar(&options.Dir, "lib", "", "folder to install the plugin to (default: the user's go-xla folder)")
	cmd.Flags().BoolVar(&pluginOnly, "plugin-only", false, "leave the encoder's weights alone")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	return cmd
}

func came(origin string) string {
	if origin == "found" {
		return "was there already"
	}
	return "installed from " + origin
}
