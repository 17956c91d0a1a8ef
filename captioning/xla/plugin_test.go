package xla

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFindPrefersTheDefaultThenTheNewest(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	for _, path := range []string{
		filepath.Join(first, "pjrt_c_api_cpu_v0.99.0_plugin.so"),
		filepath.Join(first, "pjrt_c_api_cpu_v0.200.1_plugin.so"),
		filepath.Join(second, "pjrt_c_api_cpu_v0.115.0_plugin.so"),
		filepath.Join(second, "pjrt_c_api_cpu_plugin.so"),
		filepath.Join(second, "pjrt_c_api_cuda_v0.300.0_plugin.so"),
		filepath.Join(second, "notes.txt"),
	} {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	list := strings.Join([]string{first, second, "/nowhere"}, string(os.PathListSeparator))
	t.Setenv("PJRT_PLUGIN_LIBRARY_PATH", list)
	var versions []string
	for _, p := range Find() {
		versions = append(versions, p.Version)
	}
	if got := strings.Join(versions, " "); got != "v0.115.0 v0.200.1 v0.99.0 " {
		t.Fatalf("order %q", got)
	}
}

func TestSetupUsesInstalledPluginWithoutNetwork(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PJRT_PLUGIN_LIBRARY_PATH", dir)
	t.Setenv("PATH", t.TempDir()) // hides pip
	t.Setenv("GOMLX_NO_AUTO_INSTALL", "1")
	path := filepath.Join(dir, "pjrt_c_api_cpu_v0.1.0_plugin.so")
	if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := Setup(context.Background(), SetupOptions{})
	if err != nil || p.Path != path || p.Origin != "found" {
		t.Fatalf("%+v, %v", p, err)
	}
	// SHA-256 of "x", by sha256sum.
	if p.SHA256 != "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881" {
		t.Fatalf("checksum %s", p.SHA256)
	}
}

func TestNoPlugin(t *testing.T) {
	t.Setenv("PJRT_PLUGIN_LIBRARY_PATH", t.TempDir())
	t.Setenv("GOMLX_BACKEND", "")
	if _, _, err := Open(OpenOptions{}); err == nil || !strings.Contains(err.Error(), "captionlab setup") {
		t.Fatalf("error %v does not say what to do", err)
	}
	warned := ""
	backend, info, err := Open(OpenOptions{AllowGo: true, Warn: func(line string) { warned = line }})
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	if !strings.Contains(strings.ToLower(info.Backend), "go") || !strings.Contains(warned, "WARNING") {
		t.Fatalf("%+v, warned %q", info, warned)
	}
}

func TestDamagedPlugin(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PJRT_PLUGIN_LIBRARY_PATH", dir)
	t.Setenv("GOMLX_BACKEND", "")
	path := filepath.Join(dir, "pjrt_c_api_cpu_v0.115.0_plugin.so")
	if err := os.WriteFile(path, []byte("not a library"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, _, err := Open(OpenOptions{AllowGo: true})
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "captionlab setup") {
		t.Fatalf("error %v does not name the file and the remedy", err)
	}
}

func TestUnknownWheelAndBackend(t *testing.T) {
	t.Setenv("PJRT_PLUGIN_LIBRARY_PATH", t.TempDir())
	_, err := Setup(context.Background(), SetupOptions{Wheel: "nosuch"})
	if err == nil || !strings.Contains(err.Error(), Wheels[0].Name) {
		t.Fatalf("error %v does not list the wheels", err)
	}
	t.Setenv("GOMLX_BACKEND", "nosuch:thing")
	if _, _, err := Open(OpenOptions{}); err == nil || !strings.Contains(err.Error(), "GOMLX_BACKEND=nosuch:thing") {
		t.Fatalf("error %v does not name GOMLX_BACKEND", err)
	}
}
