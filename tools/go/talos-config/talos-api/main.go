// talos-api serves what tests ask of a Talos machine, on Talos's own API: the same messages, the same certificates, and a
// machine behind it that moves on with each look at it, whatever the time.
//
//	talos-api --listen HOST:50000 [OPTION...] <CONTROLPLANE.yaml
//
// The config on stdin is a control plane's: its machine.ca signs the server's certificate and the client's. It prints a
// line when it serves, and one for each request that would change something.
package main

import (
	"crypto/tls"
	stdx509 "crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"bootstrap-pxe.local/tools/go/talos-config/loader"
	"github.com/cosi-project/runtime/api/v1alpha1"
	"github.com/siderolabs/crypto/x509"
	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"github.com/siderolabs/talos/pkg/machinery/config"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// apidTLS is what apid has: a certificate for the address, and only clients of the same authority.
func apidTLS(config config.Provider, of string, age time.Duration) (*tls.Config, error) {
	if config.Machine() == nil {
		return nil, errors.New("the config on stdin has no machine.ca")
	}
	return serverTLS(config.Machine().Security().IssuingCA(), of, age)
}

// serverTLS has a certificate for an address, made so long ago, and takes only clients of the same authority.
func serverTLS(pair *x509.PEMEncodedCertificateAndKey, of string, age time.Duration) (*tls.Config, error) {
	authority, err := x509.NewCertificateAuthorityFromCertificateAndKey(pair)
	if err != nil {
		return nil, err
	}
	address := net.ParseIP(of)
	if address == nil {
		return nil, fmt.Errorf("%s is no address", of)
	}
	made, err := x509.NewKeyPair(authority,
		x509.IPAddresses([]net.IP{address}),
		x509.NotBefore(time.Now().Add(-age)),
		x509.NotAfter(time.Now().Add(-age+24*time.Hour)),
	)
	if err != nil {
		return nil, err
	}
	clients := stdx509.NewCertPool()
	clients.AddCert(authority.Crt)
	return &tls.Config{
		Certificates: []tls.Certificate{*made.Certificate},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    clients,
	}, nil
}

func run() error {
	node := &node{kubeconfig: []byte("apiVersion: v1\nkind: Config\n")}
	listen := flag.String("listen", "127.0.0.1:50000", "the address that is served")
	of := flag.String("certificate-for", "", "the address in the server's certificate; unset, the one that is served")
	age := flag.Duration("certificate-age", time.Minute, "how long ago the server's certificate was made; it holds for a day")
	kubernetes := flag.String("kubernetes", "", "the address, as HOST:6443, on which a stand-in for its Kubernetes API is served; unset: none is")
	flag.StringVar(&node.kind, "type", "controlplane", "controlplane or worker")
	flag.StringVar(&node.etcd, "etcd", "empty", "empty: waits for bootstrap; runs: done before; data: done before and still starting; stuck: never starts")
	flag.IntVar(&node.installing, "installing", 0, "looks at it until it is installed")
	flag.IntVar(&node.unsynced, "unsynced", 0, "requests for bootstrap that it refuses since its clock is not set")
	flag.BoolVar(&node.drops, "drops", false, "goes away in the middle of bootstrap, once that is done")
	flag.BoolVar(&node.netbooted, "netbooted", false, "this start came over the network")
	flag.Parse()
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	host, _, err := net.SplitHostPort(*listen)
	if err != nil {
		return err
	}
	if *of == "" {
		*of = host
	}
	config, _, err := loader.Load(text)
	if err != nil {
		return err
	}
	with, err := apidTLS(config, *of, *age)
	if err != nil {
		return err
	}
	if *kubernetes != "" {
		if err := node.serveKubernetes(config, *kubernetes); err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(with)))
	machine.RegisterMachineServiceServer(server, node)
	v1alpha1.RegisterStateServer(server, resources{of: node})
	fmt.Printf("serving %s\n", listener.Addr())
	return server.Serve(listener)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
