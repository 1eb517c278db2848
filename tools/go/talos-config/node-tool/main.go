// The parts of the demo's node that busybox lacks, with the libraries that Talos itself uses.
//
//	node-tool time SERVER   asks SERVER by NTP and sets the clock
//	node-tool config        reads a machine config from stdin with Talos's own loader and has it validated for metal
//	node-tool images        pulls what the mirrors that a machine config on stdin names list, as containerd would
//
// None prints the config.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"bootstrap-pxe.local/tools/go/talos-config/loader"
	"github.com/beevik/ntp"
	"github.com/siderolabs/talos/pkg/machinery/config/machine"
)

func load(text []byte) (string, error) {
	config, _, err := loader.Load(text)
	if err != nil {
		return "", err
	}
	// A config may be partial, as one that only joins a server of Omni.
	kind := machine.TypeUnknown
	if config.Machine() != nil {
		kind = config.Machine().Type()
	}
	return fmt.Sprintf("machine.type=%s endpoint=%s install.image=%s", kind, loader.Endpoint(config),
		loader.Installer(config)), nil
}

func setClock(server string) (string, error) {
	answer, err := ntp.QueryWithOptions(server, ntp.QueryOptions{Timeout: 3 * time.Second})
	if err != nil {
		return "", err
	}
	if err := answer.Validate(); err != nil {
		return "", err
	}
	now := syscall.NsecToTimeval(time.Now().Add(answer.ClockOffset).UnixNano())
	if err := syscall.Settimeofday(&now); err != nil {
		return "", err
	}
	return fmt.Sprintf("stratum=%d offset=%s", answer.Stratum, answer.ClockOffset.Round(time.Millisecond)), nil
}

func run(args []string) (string, error) {
	switch {
	case len(args) == 2 && args[0] == "time":
		return setClock(args[1])
	case len(args) == 1 && args[0] == "config":
		text, err := io.ReadAll(os.Stdin)
		if err != nil {
			return "", err
		}
		return load(text)
	case len(args) == 1 && args[0] == "images":
		text, err := io.ReadAll(os.Stdin)
		if err != nil {
			return "", err
		}
		return "", pullAll(text, func(line string) { fmt.Println(line) })
	}
	return "", errors.New("usage: node-tool time SERVER | node-tool config <FILE | node-tool images <FILE")
}

func main() {
	said, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if said != "" {
		fmt.Println(said)
	}
}
