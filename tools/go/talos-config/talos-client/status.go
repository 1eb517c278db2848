package main

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/cosi-project/runtime/pkg/safe"
	"github.com/cosi-project/runtime/pkg/state"
	"github.com/siderolabs/talos/pkg/machinery/client"
	"github.com/siderolabs/talos/pkg/machinery/resources/config"
	"github.com/siderolabs/talos/pkg/machinery/resources/k8s"
	"github.com/siderolabs/talos/pkg/machinery/resources/runtime"
	"google.golang.org/grpc/codes"
)

// unmet is what the machine itself misses before it calls itself ready.
type unmet struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// service is one of Talos's own, such as etcd.
type service struct {
	State   string `json:"state"`
	Healthy bool   `json:"healthy"`
	// Last is what its newest event says.
	Last string `json:"last"`
}

type status struct {
	Version string `json:"version"`
	// Type is controlplane or worker; empty while the machine has no config.
	Type string `json:"type"`
	// Netbooted is whether this start came over the network; false where the client config may not ask.
	Netbooted bool               `json:"netbooted"`
	Stage     string             `json:"stage"`
	Ready     bool               `json:"ready"`
	Unmet     []unmet            `json:"unmet"`
	Services  map[string]service `json:"services"`
	// Known is whether Kubernetes answers the machine, and has a node of its name.
	Known bool `json:"known"`
}

// netbooted is whether the kernel was started by iPXE, which names its initrd in the kernel's line. What starts an installed
// Talos, GRUB or the kernel's own image, does not (files/boot.ipxe, docs/design.md).
func netbooted(ctx context.Context, with *client.Client) (bool, error) {
	file, err := with.Read(ctx, "/proc/cmdline")
	if err != nil {
		return false, err
	}
	defer file.Close() //nolint:errcheck
	line, err := io.ReadAll(file)
	// A role of less than os:admin may not read files.
	if client.StatusCode(err) == codes.PermissionDenied {
		return false, nil
	}
	return slices.ContainsFunc(strings.Fields(string(line)), func(argument string) bool {
		return strings.HasPrefix(argument, "initrd=")
	}), err
}

// known is whether Talos has seen its node in Kubernetes (its controller k8s.NodeStatusController).
func known(ctx context.Context, with *client.Client) (bool, error) {
	name, err := safe.StateGetByID[*k8s.Nodename](ctx, with.COSI, k8s.NodenameID)
	if err == nil {
		_, err = safe.StateGetByID[*k8s.NodeStatus](ctx, with.COSI, name.TypedSpec().Nodename)
	}
	if state.IsNotFoundError(err) {
		return false, nil
	}
	return err == nil, err
}

// statusOf is what talosctl version, get machinestatus, get machinetype, get nodestatus, read /proc/cmdline and services tell.
func statusOf(ctx context.Context, with *client.Client) (*status, error) {
	found := status{Unmet: []unmet{}, Services: map[string]service{}}
	versions, err := with.Version(ctx)
	if err != nil {
		return nil, err
	}
	for _, message := range versions.GetMessages() {
		found.Version = message.GetVersion().GetTag()
	}
	is, err := safe.StateGetByID[*runtime.MachineStatus](ctx, with.COSI, runtime.MachineStatusID)
	if err != nil && !state.IsNotFoundError(err) {
		return nil, err
	}
	if is != nil {
		found.Stage = is.TypedSpec().Stage.String()
		found.Ready = is.TypedSpec().Status.Ready
		for _, condition := range is.TypedSpec().Status.UnmetConditions {
			found.Unmet = append(found.Unmet, unmet{condition.Name, strings.ReplaceAll(condition.Reason, "\n", " ")})
		}
	}
	kind, err := safe.StateGetByID[*config.MachineType](ctx, with.COSI, config.MachineTypeID)
	if err != nil && !state.IsNotFoundError(err) {
		return nil, err
	}
	if kind != nil {
		found.Type = kind.MachineType().String()
	}
	if found.Netbooted, err = netbooted(ctx, with); err != nil {
		return nil, err
	}
	if found.Known, err = known(ctx, with); err != nil {
		return nil, err
	}
	services, err := with.ServiceList(ctx)
	if err != nil {
		return nil, err
	}
	for _, message := range services.GetMessages() {
		for _, each := range message.GetServices() {
			one := service{State: each.GetState(), Healthy: each.GetHealth().GetHealthy()}
			if events := each.GetEvents().GetEvents(); len(events) > 0 {
				one.Last = events[len(events)-1].GetMsg()
			}
			found.Services[each.GetId()] = one
		}
	}
	return &found, nil
}
