// talos-config makes Talos's configs and checks machine configs, with Talos's own generator and loader.
//
//	talos-config generate --cluster NAME --endpoint URL --talos-version vX.Y.Z --install-image REF --install-disk PATH
//	talos-config validate [--talos-version vX.Y.Z]
//	talos-config images
//	talos-config version
//
// It reads stdin and writes stdout and stderr: no config ever touches a disk or an argument.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"bootstrap-pxe.local/tools/go/talos-config/loader"
	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/bundle"
	"github.com/siderolabs/talos/pkg/machinery/config/configpatcher"
	"github.com/siderolabs/talos/pkg/machinery/config/encoder"
	"github.com/siderolabs/talos/pkg/machinery/config/generate"
	"github.com/siderolabs/talos/pkg/machinery/config/generate/secrets"
	"github.com/siderolabs/talos/pkg/machinery/config/machine"
	"github.com/siderolabs/talos/pkg/machinery/constants"
)

const usage = `talos-config generate --cluster NAME --endpoint https://HOST:6443 --talos-version vX.Y.Z
    --install-image REF --install-disk /dev/DISK [--additional-sans A,B] [--kubernetes-version X.Y.Z]
    [--config-patch YAML]... [--from-control-plane <CONTROLPLANE.yaml]
  prints {"controlplane": ..., "worker": ..., "talosconfig": ...}; --from-control-plane: for that one's cluster
talos-config validate [--talos-version vX.Y.Z] <FILE
  says what Talos would refuse, and warns of what it would warn of; --talos-version: also which versions of Kubernetes
  that release would refuse once it runs
talos-config images
  prints the images that the release runs where a config names none, one a line
talos-config version`

// misuse is an argument that is wrong, as against a config that is.
type misuse struct{ error }

type request struct {
	cluster, endpoint, talosVersion, installImage, installDisk, kubernetesVersion, sans string
	patches                                                                             []string
	fromControlPlane                                                                    bool
}

func parse(args []string) (request, error) {
	var asked request
	flags := flag.NewFlagSet("generate", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&asked.cluster, "cluster", "", "")
	flags.StringVar(&asked.endpoint, "endpoint", "", "")
	flags.StringVar(&asked.talosVersion, "talos-version", "", "")
	flags.StringVar(&asked.installImage, "install-image", "", "")
	flags.StringVar(&asked.installDisk, "install-disk", "", "")
	flags.StringVar(&asked.kubernetesVersion, "kubernetes-version", constants.DefaultKubernetesVersion, "")
	flags.StringVar(&asked.sans, "additional-sans", "", "")
	flags.Func("config-patch", "", func(patch string) error {
		asked.patches = append(asked.patches, patch)
		return nil
	})
	flags.BoolVar(&asked.fromControlPlane, "from-control-plane", false, "")
	if err := flags.Parse(args); err != nil {
		return asked, misuse{err}
	}
	if flags.NArg() > 0 {
		return asked, misuse{fmt.Errorf("%q is no flag", flags.Arg(0))}
	}
	for _, name := range []string{"cluster", "endpoint", "talos-version", "install-image", "install-disk"} {
		if flags.Lookup(name).Value.String() == "" {
			return asked, misuse{fmt.Errorf("--%s is missing", name)}
		}
	}
	if at, err := url.Parse(asked.endpoint); err != nil || at.Scheme != "https" || at.Host == "" {
		return asked, misuse{fmt.Errorf("--endpoint %s is not of the form https://HOST:6443", asked.endpoint)}
	}
	return asked, nil
}

// contractFor is what configs are made for: the release asked for, or the loader's own if that is older.
func contractFor(version string) (*config.VersionContract, error) {
	contract, err := config.ParseContractFromVersion(version)
	if err != nil {
		return nil, misuse{fmt.Errorf("--talos-version %s is not of the form v1.11.6", version)}
	}
	own, err := config.ParseContractFromVersion(loader.Version())
	if err == nil && contract.Greater(own) {
		fmt.Fprintf(os.Stderr, "warning: this generator is of Talos %s: what it makes is for %s, not yet for %s\n",
			loader.Version(), own, contract)
		return own, nil
	}
	return contract, nil
}

// secretsFor are new ones, or those of the cluster whose control plane's config is on stdin.
func secretsFor(asked request, contract *config.VersionContract) (*secrets.Bundle, error) {
	clock := secrets.NewFixedClock(time.Now())
	if !asked.fromControlPlane {
		return secrets.NewBundle(clock, contract)
	}
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return nil, err
	}
	existing, _, err := loader.Load(text)
	if err != nil {
		return nil, fmt.Errorf("the config on stdin: %w", err)
	}
	if existing.Machine() == nil || existing.Machine().Type() == machine.TypeWorker {
		return nil, errors.New("the config on stdin is not that of a control plane, and only that has the cluster's keys")
	}
	return secretsOf(clock, existing, contract)
}

func generateConfigs(asked request) (map[string]string, error) {
	contract, err := contractFor(asked.talosVersion)
	if err != nil {
		return nil, err
	}
	kept, err := secretsFor(asked, contract)
	if err != nil {
		return nil, err
	}
	patches, err := configpatcher.LoadPatches(asked.patches)
	if err != nil {
		return nil, misuse{fmt.Errorf("--config-patch: %w", err)}
	}
	var sans []string
	if asked.sans != "" {
		sans = strings.Split(asked.sans, ",")
	}
	made, err := bundle.NewBundle(
		bundle.WithVerbose(false),
		bundle.WithPatch(patches),
		bundle.WithInputOptions(&bundle.InputOptions{
			ClusterName: asked.cluster,
			Endpoint:    asked.endpoint,
			KubeVersion: strings.TrimPrefix(asked.kubernetesVersion, "v"),
			GenOptions: append(releaseOptions(),
				generate.WithVersionContract(contract),
				generate.WithSecretsBundle(kept),
				generate.WithInstallDisk(asked.installDisk),
				generate.WithInstallImage(asked.installImage),
				generate.WithAdditionalSubjectAltNames(sans),
				// What talosctl gen config sets unless it is told otherwise.
				generate.WithDNSDomain(constants.DefaultDNSDomain),
				generate.WithClusterDiscovery(true),
			),
		}),
	)
	if err != nil {
		return nil, err
	}
	controlPlane, err := made.Serialize(encoder.CommentsDisabled, machine.TypeControlPlane)
	if err != nil {
		return nil, err
	}
	worker, err := made.Serialize(encoder.CommentsDisabled, machine.TypeWorker)
	if err != nil {
		return nil, err
	}
	client, err := made.TalosConfig().Bytes()
	if err != nil {
		return nil, err
	}
	return map[string]string{
		"controlplane": string(controlPlane), "worker": string(worker), "talosconfig": string(client),
	}, nil
}

func validate(args []string) error {
	var talosVersion string
	flags := flag.NewFlagSet("validate", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&talosVersion, "talos-version", "", "")
	if err := flags.Parse(args); err != nil {
		return misuse{err}
	}
	if flags.NArg() > 0 {
		return misuse{fmt.Errorf("%q is no flag", flags.Arg(0))}
	}
	release, err := loader.ParseRelease(talosVersion)
	if talosVersion != "" && err != nil {
		return misuse{fmt.Errorf("--talos-version %s is not of the form v1.11.6", talosVersion)}
	}
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	read, warnings, err := loader.Load(text)
	for _, warning := range warnings {
		fmt.Fprintf(os.Stderr, "warning: %s\n", warning)
	}
	if err != nil || talosVersion == "" {
		return err
	}
	if faults := loader.KubernetesFaults(read, release); len(faults) > 0 {
		return errors.New(strings.Join(faults, "; "))
	}
	return nil
}

func run(args []string) error {
	switch {
	case len(args) > 0 && args[0] == "generate":
		asked, err := parse(args[1:])
		if err != nil {
			return err
		}
		made, err := generateConfigs(asked)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(made)
	case len(args) > 0 && args[0] == "validate":
		return validate(args[1:])
	case len(args) == 1 && args[0] == "images":
		_, err := fmt.Println(strings.Join(ownImages(), "\n"))
		return err
	case len(args) == 1 && args[0] == "version":
		_, err := fmt.Println(strings.TrimPrefix(loader.Version(), "v"))
		return err
	case len(args) == 1 && (args[0] == "help" || args[0] == "--help"):
		_, err := fmt.Println(usage)
		return err
	}
	return misuse{errors.New("it takes generate, validate, images or version")}
}

func main() {
	err := run(os.Args[1:])
	if err == nil {
		return
	}
	if errors.As(err, &misuse{}) {
		fmt.Fprintf(os.Stderr, "%s; talos-config --help says how it is used\n", strings.TrimSpace(err.Error()))
		os.Exit(2)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
