package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"embed"
	"encoding/json"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

//go:embed page/index.html page/page.css page/page.js
var page embed.FS

const captionRoute = "/api/caption"

// pagePolicy lets the page use its own script and style, and show the images that the user chose. Nothing else.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src blob: data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler answers all requests.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	route := func(pattern string, secret bool, h http.HandlerFunc) {
		_, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			begun, out := time.Now(), &recorder{ResponseWriter: w, status: http.StatusOK}
			if secret && !s.allowed(r) {
				out.Header().Set("WWW-Authenticate", "Bearer")
				fail(out, http.StatusUnauthorized, "a token is needed: Authorization: Bearer TOKEN")
			} else {
				h(out, r)
			}
			s.metrics.answered(path, out.status, time.Since(begun))
		})
	}
	files, err := fs.Sub(page, "page")
	if err != nil {
		panic(err) // cannot happen: the folder is embedded
	}
	for path, name := range map[string]string{"/{$}": "index.html", "/page.css": "page.css", "/page.js": "page.js"} {
		route("GET "+path, false, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, files, "/"+name)
		})
	}
	route("GET /healthz", false, func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) })
	route("GET /readyz", false, func(w http.ResponseWriter, _ *http.Request) {
		if !s.ready.Load() {
			fail(w, http.StatusServiceUnavailable, "not ready")
			return
		}
		w.Write([]byte("ready\n"))
	})
	route("GET /metrics", true, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		s.metrics.write(w)
	})
	route("GET /api/model", true, func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, s.info) })
	route("POST "+captionRoute, true, s.caption)
	return s.guard(mux)
}

// guard sets the headers of all answers, and refuses requests from other places.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !s.options.Public && !isLocal(r.Host) {
			fail(w, http.StatusMisdirectedRequest,
				"this server answers only for localhost: use http://localhost with its port")
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead && isForeign(r) {
			fail(w, http.StatusForbidden, "requests from other sites are refused")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLocal reports whether the host of a request, with or without port, is this machine.
func isLocal(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	address, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && address.IsLoopback()
}

// isForeign reports whether a browser says that the page of another site sent the request.
func isForeign(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return true
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	from, err := url.Parse(origin)
	return err != nil || from.Host != r.Host
}

// allowed reports whether a request carries the token, in a time that does not depend on it.
func (s *Server) allowed(r *http.Request) bool {
	if s.options.Token == "" {
		return true
	}
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(s.options.Token))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && ok
}

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// answer writes a value as JSON.
func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.Encode(value) // an error means that the client has gone
}

// fail writes an error as JSON.
func fail(w http.ResponseWriter, status int, message string) {
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	answer(w, status, map[string]string{"error": message})
}
