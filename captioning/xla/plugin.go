// Package xla finds, installs and opens the PJRT plugin that compiles and runs captionlab's graphs: XLA on the CPU or,
// through GOMLX_BACKEND, on a GPU. Finding an installed plugin needs no network.
package xla

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gomlx/go-xla/installer"
)

// Plugin is an installed plugin.
type Plugin struct {
	Path    string `json:"path"`
	Version string `json:"version"` // from the file name; empty if the name has none
	SHA256  string `json:"sha256,omitempty"`
	// Origin is "found" for a plugin that was installed already, else the source that Setup installed it from.
	Origin string `json:"origin"`
}

// SearchPath lists the folders to search for plugins, in order. These are the folders of PJRT_PLUGIN_LIBRARY_PATH if
// it is set, else /usr/local/lib/go-xla and the user's own folder (~/.local/lib/go-xla on Linux).
func SearchPath() []string {
	if list := os.Getenv("PJRT_PLUGIN_LIBRARY_PATH"); list != "" {
		return filepath.SplitList(list)
	}
	dirs := []string{"/usr/local/lib/go-xla"}
	if home, err := installer.DefaultHomeLibPath(); err == nil {
		dirs = append(dirs, filepath.Join(home, "go-xla"))
	}
	return dirs
}

var pluginName = regexp.MustCompile(`^pjrt_c_api_cpu(?:_(v[0-9.]+))?_plugin\.(?:so|dylib|dll)$`)

// Find returns the installed CPU plugins in order of preference: captionlab's default version first, then the others
// from newest to oldest; among equal versions, earlier folders first. It returns nil if there are none.
func Find() []Plugin {
	var found []Plugin
	for _, dir := range SearchPath() {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // a missing folder holds no plugin
		}
		for _, e := range entries {
			if match := pluginName.FindStringSubmatch(e.Name()); match != nil {
				found = append(found, Plugin{Path: filepath.Join(dir, e.Name()), Version: match[1], Origin: "found"})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b Plugin) int { return slices.Compare(rank(b), rank(a)) })
	return found
}

// rank orders plugins: the default version above all others, then by version number.
func rank(p Plugin) []int {
	isDefault := 0
	if p.Version == Wheels[0].Version {
		isDefault = 1
	}
	out := []int{isDefault}
	for part := range strings.SplitSeq(strings.TrimPrefix(p.Version, "v"), ".") {
		n, _ := strconv.Atoi(part)
		out = append(out, n)
	}
	return out
}
