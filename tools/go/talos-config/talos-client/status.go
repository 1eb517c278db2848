package main

import (
	"context"
	"strings"

	"github.com/cosi-project/runtime/pkg/safe"
	"github.com/cosi-project/runtime/pkg/state"
	"github.com/siderolabs/talos/pkg/machinery/client"
	"github.com/siderolabs/talos/pkg/machinery/resources/config"
	"github.com/siderolabs/talos/pkg/machinery/resources/runtime"
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
	Type     string             `json:"type"`
	Stage    string             `json:"stage"`
	Ready    bool               `json:"ready"`
	Unmet    []unmet            `json:"unmet"`
	Services map[string]service `json:"services"`
}

// statusOf is what talosctl version, get machinestatus, get machinetype and services tell.
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
