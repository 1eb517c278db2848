package main

import (
	"crypto/tls"
	stdx509 "crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"bootstrap-pxe.local/tools/go/talos-config/loader"
	"github.com/siderolabs/crypto/x509"
	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/constants"
)

// object is one of Kubernetes' API.
type object = map[string]any

// kubeconfigOf is the client config that Talos gives out: a certificate of an administrator, and where the cluster is reached.
func kubeconfigOf(pair *x509.PEMEncodedCertificateAndKey, endpoint string) ([]byte, error) {
	authority, err := x509.NewCertificateAuthorityFromCertificateAndKey(pair)
	if err != nil {
		return nil, err
	}
	client, err := x509.NewKeyPair(authority,
		x509.CommonName("admin"),
		x509.Organization("system:masters"),
		x509.ExtKeyUsage([]stdx509.ExtKeyUsage{stdx509.ExtKeyUsageClientAuth}),
		x509.NotBefore(time.Now().Add(-time.Minute)),
		x509.NotAfter(time.Now().Add(24*time.Hour)),
	)
	if err != nil {
		return nil, err
	}
	packed := base64.StdEncoding.EncodeToString
	return json.MarshalIndent(object{
		"apiVersion": "v1", "kind": "Config", "current-context": "admin",
		"clusters": []object{{"name": "cluster", "cluster": object{"server": endpoint, "certificate-authority-data": packed(pair.Crt)}}},
		"contexts": []object{{"name": "admin", "context": object{"cluster": "cluster", "user": "admin"}}},
		"users": []object{{"name": "admin", "user": object{
			"client-certificate-data": packed(client.CrtPEM), "client-key-data": packed(client.KeyPEM),
		}}},
	}, "", "  ")
}

// nodes are the cluster's, as a table for people: the form that kubectl asks for.
func (is *node) nodes() object {
	is.lock.Lock()
	defer is.lock.Unlock()
	state := "NotReady"
	if is.step() >= 5 {
		state = "Ready"
	}
	column := func(name string) object { return object{"name": name, "type": "string"} }
	return object{
		"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": object{},
		"columnDefinitions": []object{column("Name"), column("Status"), column("Roles"), column("Version")},
		"rows": []object{{
			"cells": []string{"node", state, "control-plane", "v" + constants.DefaultKubernetesVersion},
			"object": object{
				"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object{"name": "node"},
			},
		}},
	}
}

// answer is what its API server has for a path: its one group, what that has, and the nodes.
func (is *node) answer(path string) object {
	switch path {
	case "/api":
		return object{"kind": "APIVersions", "versions": []string{"v1"}}
	case "/apis":
		return object{"kind": "APIGroupList", "apiVersion": "v1", "groups": []string{}}
	case "/api/v1":
		return object{"kind": "APIResourceList", "groupVersion": "v1", "resources": []object{
			{"name": "nodes", "singularName": "node", "namespaced": false, "kind": "Node", "verbs": []string{"get", "list"}},
		}}
	case "/api/v1/nodes":
		return is.nodes()
	}
	return nil
}

// serveKubernetes is a stand-in for the machine's API server: it serves kubectl's question for nodes, to clients of the
// cluster's own authority, and fails as long as the control plane's pods do not run.
func (is *node) serveKubernetes(of config.Provider, listen string) error {
	pair := loader.KubernetesAuthority(of)
	if pair == nil {
		return errors.New("the config on stdin has no authority of Kubernetes")
	}
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return err
	}
	with, err := serverTLS(pair, host, time.Minute)
	if err != nil {
		return err
	}
	is.kubeconfig, err = kubeconfigOf(pair, loader.Endpoint(of))
	if err != nil {
		return err
	}
	listener, err := tls.Listen("tcp", listen, with)
	if err != nil {
		return err
	}
	go func() {
		err := http.Serve(listener, http.HandlerFunc(func(to http.ResponseWriter, asked *http.Request) {
			is.lock.Lock()
			runs := is.step() >= 3
			is.lock.Unlock()
			found := is.answer(asked.URL.Path)
			to.Header().Set("Content-Type", "application/json")
			switch {
			case !runs:
				to.WriteHeader(http.StatusServiceUnavailable)
			case found == nil:
				to.WriteHeader(http.StatusNotFound)
			default:
				fmt.Printf("Kubernetes: %s %s\n", asked.Method, asked.URL.Path)
			}
			_ = json.NewEncoder(to).Encode(found)
		}))
		fmt.Println("Kubernetes:", err)
	}()
	return nil
}
