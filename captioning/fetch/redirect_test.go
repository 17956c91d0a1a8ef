package fetch

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRedirects(t *testing.T) {
	data := content()
	plain := serve(t, whole(data))
	encrypted := httptest.NewTLSServer(whole(data))
	defer encrypted.Close()
	redirect := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
	}
	downgrading := httptest.NewTLSServer(redirect(plain + "/thing.bin"))
	defer downgrading.Close()
	o := quick
	o.Client = encrypted.Client() // trusts both test servers
	for _, c := range []struct {
		name, url string
		hosts     []string
		want      string // part of the error, "" for success
	}{
		{"to an allowed host", serve(t, redirect(encrypted.URL)),
			[]string{strings.TrimPrefix(encrypted.URL, "https://")}, ""},
		{"to a host of an allowed domain", serve(t, redirect(encrypted.URL)),
			[]string{"." + strings.TrimPrefix(encrypted.URL, "https://127.0.0.")}, ""},
		{"to another host", serve(t, redirect(encrypted.URL)), nil, "another host"},
		{"from https to http", downgrading.URL, []string{strings.TrimPrefix(plain, "http://")}, "not encrypted"},
		{"to a file on this machine", serve(t, redirect("file:///etc/passwd")), []string{""}, "not encrypted"},
		{"in a circle", serve(t, redirect("/round")), nil, "five redirects"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			what := one(c.url, data)
			what.Files[0].Hosts = c.hosts
			_, err := Get(context.Background(), what, dir, o)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				wantWhole(t, dir, data)
				return
			}
			wantError(t, err, c.want)
			wantNothing(t, dir)
		})
	}
}
