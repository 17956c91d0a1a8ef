package fetch

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// client returns a client that follows redirects only to the hosts that f names, and never from an encrypted address
// to an unencrypted one.
func client(f File, o Options) *http.Client {
	c := http.Client{}
	if o.Client != nil {
		c = *o.Client
	}
	c.CheckRedirect = func(to *http.Request, via []*http.Request) error {
		if len(via) > 5 {
			return errRefused{errors.New("more than five redirects")}
		}
		from := via[len(via)-1].URL
		if to.URL.Scheme != "https" && (to.URL.Scheme != "http" || from.Scheme == "https") {
			return errRefused{fmt.Errorf("refused a redirect from %s to %s, which is not encrypted",
				from.Scheme, to.URL.Redacted())}
		}
		if !f.allows(to.URL) {
			return errRefused{fmt.Errorf("refused a redirect to another host, %s", to.URL.Host)}
		}
		return nil
	}
	return &c
}

// allows reports whether an address is at the file's own host or at one that it may redirect to.
func (f File) allows(to *url.URL) bool {
	own, err := url.Parse(f.URL)
	if err == nil && own.Host == to.Host {
		return true
	}
	return slices.ContainsFunc(f.Hosts, func(host string) bool {
		return to.Host == host || strings.HasPrefix(host, ".") && strings.HasSuffix(to.Host, host)
	})
}
