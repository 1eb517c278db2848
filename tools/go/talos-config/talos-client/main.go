// talos-client asks one Talos machine, with Talos's own client. The client config comes by stdin: it never touches a disk.
//
//	talos-client --address HOST status
//	talos-client --address HOST bootstrap
//	talos-client --address HOST kubeconfig
//
// It prints {"answer": ...}, or {"fault": {"kind": ..., "words": ...}} where the machine or the network does not give one.
// What is wrong with the client config ends it with status 3, and what is wrong with its arguments with status 2.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"github.com/siderolabs/talos/pkg/machinery/client"
	clientconfig "github.com/siderolabs/talos/pkg/machinery/client/config"
	"google.golang.org/grpc"
)

const usage = `talos-client --address HOST [--seconds N] status|bootstrap|kubeconfig <TALOSCONFIG
  status      prints what the machine says of itself
  bootstrap   starts its etcd, which is done once for a cluster
  kubeconfig  prints the client config for Kubernetes
  --address   the machine's address or name, its port 50000 unless another is given
  --seconds   how long it may take to answer; 20 by default`

// misuse is what is wrong with the arguments.
type misuse struct{ error }

// unreadable is what is wrong with the client config.
type unreadable struct{ error }

// kubeconfig is what goes into a file as it is.
type kubeconfig struct {
	Text string `json:"text"`
}

// answer is what stdout has: one of the two.
type answer struct {
	Answer any    `json:"answer,omitempty"`
	Fault  *fault `json:"fault,omitempty"`
}

// unbracketed takes the brackets off an IPv6 address without a port, as Talos's client wants it.
func unbracketed(address string) string {
	if strings.HasPrefix(address, "[") && strings.HasSuffix(address, "]") {
		return address[1 : len(address)-1]
	}
	return address
}

// open makes a client of the context that the config names; nothing is sent yet.
func open(text []byte, address string) (*client.Client, error) {
	config, err := clientconfig.FromBytes(text)
	if err != nil {
		// Its words may quote the config.
		return nil, unreadable{errors.New("it is not one that Talos reads")}
	}
	if config.Contexts[config.Context] == nil {
		return nil, unreadable{fmt.Errorf("it has no context %q, which it names as its own", config.Context)}
	}
	opened, err := client.New(context.Background(),
		client.WithConfig(config),
		client.WithEndpoints(unbracketed(address)),
		// A machine on the desk's own networks is not behind a proxy that the environment may name.
		client.WithGRPCDialOptions(grpc.WithNoProxy()),
	)
	if err != nil {
		return nil, unreadable{err}
	}
	return opened, nil
}

func ask(ctx context.Context, with *client.Client, command string) (any, error) {
	switch command {
	case "status":
		return statusOf(ctx, with)
	case "bootstrap":
		return struct{}{}, with.Bootstrap(ctx, &machine.BootstrapRequest{})
	case "kubeconfig":
		text, err := with.Kubeconfig(ctx)
		return kubeconfig{string(text)}, err
	}
	return nil, misuse{errors.New("it takes status, bootstrap or kubeconfig")}
}

func run(args []string) error {
	var address string
	var seconds int
	flags := flag.NewFlagSet("talos-client", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&address, "address", "", "")
	flags.IntVar(&seconds, "seconds", 20, "")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		_, err = fmt.Println(usage)
		return err
	} else if err != nil {
		return misuse{err}
	}
	if address == "" {
		return misuse{errors.New("--address is missing")}
	}
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	with, err := open(text, address)
	if err != nil {
		return err
	}
	defer with.Close() //nolint:errcheck
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(seconds)*time.Second)
	defer cancel()
	given, err := ask(ctx, with, flags.Arg(0))
	if errors.As(err, &misuse{}) {
		return err
	}
	if err != nil {
		return json.NewEncoder(os.Stdout).Encode(answer{Fault: judge(err)})
	}
	return json.NewEncoder(os.Stdout).Encode(answer{Answer: given})
}

func main() {
	err := run(os.Args[1:])
	if err == nil {
		return
	}
	if errors.As(err, &misuse{}) {
		fmt.Fprintf(os.Stderr, "%s; talos-client --help says how it is used\n", strings.TrimSpace(err.Error()))
		os.Exit(2)
	}
	fmt.Fprintln(os.Stderr, err)
	if errors.As(err, &unreadable{}) {
		os.Exit(3)
	}
	os.Exit(1)
}
