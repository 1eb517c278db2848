package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"sync"

	"bootstrap-pxe.local/tools/go/talos-config/loader"
	"github.com/siderolabs/talos/pkg/machinery/api/common"
	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"github.com/siderolabs/talos/pkg/machinery/resources/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// node is a machine that gets one step further each time somebody asks for its version.
type node struct {
	machine.UnimplementedMachineServiceServer

	kind, etcd           string
	installing, unsynced int
	drops, netbooted     bool
	kubeconfig           []byte

	lock    sync.Mutex
	looks   int
	started int // looks when its etcd was started; 0: not yet
}

// step is how far it is since it is on its way up: 1 etcd, 2 kubelet, 3 the control plane's pods and its own node, 5 ready.
func (is *node) step() int {
	switch {
	case is.looks <= is.installing:
		return 0
	case is.kind == "worker":
		return is.looks - is.installing
	case is.etcd == "runs", is.etcd == "data" && is.looks > is.installing+2:
		return is.looks - is.installing
	case is.etcd == "stuck" || is.started == 0:
		return 0
	}
	return is.looks - is.started
}

// stage is what Talos calls how far it is: its boot ends when its services run.
func (is *node) stage() runtime.MachineStage {
	switch {
	case is.looks <= is.installing:
		return runtime.MachineStageInstalling
	case is.step() < 2:
		return runtime.MachineStageBooting
	}
	return runtime.MachineStageRunning
}

func (is *node) Version(context.Context, *emptypb.Empty) (*machine.VersionResponse, error) {
	is.lock.Lock()
	defer is.lock.Unlock()
	is.looks++
	return &machine.VersionResponse{Messages: []*machine.Version{
		{Version: &machine.VersionInfo{Tag: loader.Version()}},
	}}, nil
}

// Read sends the kernel's line, the one file that it has, as iPXE or the installed GRUB gives it.
func (is *node) Read(asked *machine.ReadRequest, to machine.MachineService_ReadServer) error {
	if asked.GetPath() != "/proc/cmdline" {
		return status.Error(codes.NotFound, "there is no such file")
	}
	line := "BOOT_IMAGE=/A/vmlinuz talos.platform=metal console=tty0\n"
	if is.netbooted {
		line = "vmlinuz initrd=initramfs.xz talos.platform=metal console=tty0\n"
	}
	return to.Send(&common.Data{Bytes: []byte(line)})
}

func service(id string, runs bool) *machine.ServiceInfo {
	state, said := "Preparing", "Running pre state"
	if runs {
		state, said = "Running", "Health check successful"
	}
	return &machine.ServiceInfo{
		Id: id, State: state,
		Events: &machine.ServiceEvents{Events: []*machine.ServiceEvent{{Msg: said, State: state}}},
		Health: &machine.ServiceHealth{Healthy: runs},
	}
}

func (is *node) ServiceList(context.Context, *emptypb.Empty) (*machine.ServiceListResponse, error) {
	is.lock.Lock()
	defer is.lock.Unlock()
	services := []*machine.ServiceInfo{service("apid", true)}
	if is.looks > is.installing {
		services = append(services, service("kubelet", is.step() >= 2))
		if is.kind != "worker" {
			services = append(services, service("etcd", is.step() >= 1))
		}
	}
	return &machine.ServiceListResponse{Messages: []*machine.ServiceList{{Services: services}}}, nil
}

// Bootstrap answers as machined does (internal/app/machined/internal/server/v1alpha1).
func (is *node) Bootstrap(context.Context, *machine.BootstrapRequest) (*machine.BootstrapResponse, error) {
	is.lock.Lock()
	defer is.lock.Unlock()
	fmt.Println("asked for bootstrap")
	if is.looks <= is.installing {
		return nil, status.Error(codes.FailedPrecondition, "bootstrap is not available yet")
	}
	if is.kind == "worker" {
		return nil, status.Error(codes.FailedPrecondition, "bootstrap can only be performed on a control plane node")
	}
	if is.unsynced > 0 {
		is.unsynced--
		return nil, status.Error(codes.FailedPrecondition, "time is not in sync yet")
	}
	if is.etcd == "runs" || is.etcd == "data" || is.started > 0 {
		return nil, status.Error(codes.AlreadyExists, "etcd data directory is not empty")
	}
	is.started = is.looks
	fmt.Println("bootstrapped")
	if is.drops {
		os.Exit(0)
	}
	return &machine.BootstrapResponse{Messages: []*machine.Bootstrap{{}}}, nil
}

// Kubeconfig sends an archive with one file, as machined does.
func (is *node) Kubeconfig(_ *emptypb.Empty, to machine.MachineService_KubeconfigServer) error {
	fmt.Println("asked for the kubeconfig")
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	archive := tar.NewWriter(zip)
	header := &tar.Header{Typeflag: tar.TypeReg, Name: "kubeconfig", Size: int64(len(is.kubeconfig)), Mode: 0o600}
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	if _, err := archive.Write(is.kubeconfig); err != nil {
		return err
	}
	if err := archive.Close(); err != nil {
		return err
	}
	if err := zip.Close(); err != nil {
		return err
	}
	return to.Send(&common.Data{Bytes: packed.Bytes()})
}
