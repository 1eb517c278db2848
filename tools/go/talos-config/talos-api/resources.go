package main

import (
	"context"

	"github.com/cosi-project/runtime/api/v1alpha1"
	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/cosi-project/runtime/pkg/resource/protobuf"
	kind "github.com/siderolabs/talos/pkg/machinery/config/machine"
	"github.com/siderolabs/talos/pkg/machinery/resources/config"
	"github.com/siderolabs/talos/pkg/machinery/resources/k8s"
	"github.com/siderolabs/talos/pkg/machinery/resources/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// resources serves what the machine says of itself, as talosctl get shows it. COSI's own server of them does not build in
// its older releases with a newer Go.
type resources struct {
	v1alpha1.UnimplementedStateServer

	of *node
}

func (serves resources) Get(_ context.Context, asked *v1alpha1.GetRequest) (*v1alpha1.GetResponse, error) {
	serves.of.lock.Lock()
	defer serves.of.lock.Unlock()
	var found resource.Resource
	switch {
	case asked.GetType() == config.MachineTypeType:
		found = serves.of.machineType()
	case asked.GetType() == runtime.MachineStatusType:
		found = serves.of.machineStatus()
	case asked.GetType() == k8s.NodenameType:
		found = nodename()
	case asked.GetType() == k8s.NodeStatusType && serves.of.step() >= 3:
		found = k8s.NewNodeStatus(k8s.NamespaceName, asked.GetId())
	default:
		return nil, status.Error(codes.NotFound, "there is no such resource")
	}
	message, err := protobuf.FromResource(found)
	if err != nil {
		return nil, err
	}
	marshaled, err := message.Marshal()
	if err != nil {
		return nil, err
	}
	return &v1alpha1.GetResponse{Resource: marshaled}, nil
}

func (is *node) machineType() *config.MachineType {
	made := config.NewMachineType()
	made.SetMachineType(kind.TypeControlPlane)
	if is.kind == "worker" {
		made.SetMachineType(kind.TypeWorker)
	}
	return made
}

func nodename() *k8s.Nodename {
	made := k8s.NewNodename(k8s.NamespaceName, k8s.NodenameID)
	made.TypedSpec().Nodename = "nuc1"
	return made
}

func (is *node) machineStatus() *runtime.MachineStatus {
	made := runtime.NewMachineStatus()
	spec := made.TypedSpec()
	// Without anything to check it calls itself ready, as Talos does.
	if spec.Stage = is.stage(); spec.Stage == runtime.MachineStageInstalling {
		spec.Status.Ready = true
		return made
	}
	add := func(name, reason string) {
		spec.Status.UnmetConditions = append(spec.Status.UnmetConditions, runtime.UnmetCondition{Name: name, Reason: reason})
	}
	if is.step() < 2 {
		add("services", "kubelet not healthy")
	}
	if is.kind != "worker" && is.step() < 3 {
		add("staticPods", "kube-system/kube-apiserver-nuc1 not ready")
	}
	if is.step() < 5 {
		add("nodeReady", `node "nuc1" is not ready`)
	}
	spec.Status.Ready = len(spec.Status.UnmetConditions) == 0
	return made
}
