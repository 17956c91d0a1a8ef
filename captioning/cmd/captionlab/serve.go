package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/spf13/cobra"

	"captionlab/captioning"
	"captionlab/captioning/pretrained"
	"captionlab/captioning/serve"
)

// serveCall is one call of captionlab serve.
type serveCall struct {
	address, token string
	insecure       bool
	options        captioning.CaptionerOptions
}

func newServeCommand() *cobra.Command {
	var c serveCall
	cmd := &cobra.Command{
		Use:   "serve [RUN]",
		Short: "Show a page that captions images, and answer programs over HTTP",
		Long: "Captions images with a run folder or a packed model or, without RUN, with the model that comes with\n" +
			"captionlab. Programs use POST /api/caption; go doc captionlab/captioning/serve describes it. Ctrl-C or\n" +
			"SIGTERM ends the server once the requests in work are answered.\n\n" +
			"The server is for this machine alone unless --addr says otherwise. It then wants a token with every\n" +
			"request, or --insecure. It speaks HTTP: put a proxy with TLS in front of it.",
		Example: "  captionlab serve\n" +
			"  captionlab serve results/flickr8k/baseline/seed-1 --addr 127.0.0.1:9000\n" +
			"  captionlab serve --addr :8080 --token SECRET   # page: http://HOST:8080/#token=SECRET\n" +
			"  curl -F image=@photo.jpg -F beam=5 -F candidates=5 localhost:8080/api/caption",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{fmt.Errorf("%d arguments given, want at most one, a run", len(args))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd, append(args, "")[0]) },
	}
	cmd.Flags().StringVar(&c.address, "addr", "127.0.0.1:8080", "address and port to listen on")
	cmd.Flags().StringVar(&c.token, "token", "", "token that every request must carry: Authorization: Bearer TOKEN")
	cmd.Flags().BoolVar(&c.insecure, "insecure", false, "let other machines in without a token")
	cmd.Flags().StringVar(&c.options.Weights, "weights", "",
		"weights of the run's encoder, .pth or safetensors (default: where they are kept)")
	registerMaxPixels(cmd, &c.options.MaxPixels)
	return cmd
}

// check returns whether the address is open to other machines, and fails if that is not allowed.
func (c *serveCall) check() (public bool, err error) {
	host, _, err := net.SplitHostPort(c.address)
	if err != nil {
		return false, usageError{fmt.Errorf("--addr %s: write it as HOST:PORT, such as 127.0.0.1:8080 (%w)", c.address,
			err)}
	}
	address, err := netip.ParseAddr(host)
	if host == "localhost" || err == nil && address.IsLoopback() {
		return false, nil
	}
	if c.token == "" && !c.insecure {
		return false, usageError{fmt.Errorf("--addr %s lets other machines in: set a --token, or say --insecure",
			c.address)}
	}
	return true, nil
}

func (c *serveCall) run(cmd *cobra.Command, run string) error {
	public, err := c.check()
	if err != nil {
		return err
	}
	if err := checkMaxPixels(c.options.MaxPixels); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.address) // before the model is opened: a port in use is a common mistake
	if err != nil {
		return fmt.Errorf("%w; choose another address with --addr", err)
	}
	defer listener.Close()
	backend, _, err := openBackend()
	if err != nil {
		return err
	}
	captioner, err := captioning.OpenCaptioner(cmd.Context(), backend, run, c.options)
	if err != nil {
		return err
	}
	defer captioner.Close()
	name := cmp.Or(run, pretrained.Source)
	server := serve.New(captioner, serve.Options{Name: name, Token: c.token, Public: public})
	fmt.Fprintf(cmd.OutOrStdout(), "http://%s captions with %s; Ctrl-C ends it\n", listener.Addr(), name)
	err = server.Run(cmd.Context(), listener)
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
