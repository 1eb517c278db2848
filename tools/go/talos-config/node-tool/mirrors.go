package main

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"gopkg.in/yaml.v3"
)

// endpoint is a mirror's URL up to where a repository's name follows.
type endpoint string

// mirror is what is asked in the place of a registry, in that order, and whether the registry itself is asked after that.
type mirror struct {
	endpoints    []endpoint
	skipFallback bool
}

// sections are the parts of a machine config that name mirrors: machine.registries, and a document each since Talos 1.12.
type sections struct {
	Kind      string
	Name      string
	Endpoints []struct {
		URL          string `yaml:"url"`
		OverridePath bool   `yaml:"overridePath"`
	}
	SkipFallback bool `yaml:"skipFallback"`
	Machine      struct {
		Registries struct {
			Mirrors map[string]struct {
				Endpoints    []string
				OverridePath bool `yaml:"overridePath"`
				SkipFallback bool `yaml:"skipFallback"`
			}
		}
	}
}

// newEndpoint adds what containerd adds to a URL whose path is not the whole one already.
func newEndpoint(url string, overridePath bool) endpoint {
	url = strings.TrimRight(url, "/")
	if !overridePath && !strings.HasSuffix(url, "/v2") {
		url += "/v2"
	}
	return endpoint(url)
}

// mirrorsIn reads the mirrors of a machine config, by the registry's host; "*" stands for every other one.
func mirrorsIn(config []byte) (map[string]mirror, error) {
	found := map[string]mirror{}
	for documents := yaml.NewDecoder(bytes.NewReader(config)); ; {
		var is sections
		if err := documents.Decode(&is); errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return nil, err
		}
		for host, given := range is.Machine.Registries.Mirrors {
			one := mirror{skipFallback: given.SkipFallback}
			for _, url := range given.Endpoints {
				one.endpoints = append(one.endpoints, newEndpoint(url, given.OverridePath))
			}
			found[host] = one
		}
		if is.Kind == "RegistryMirrorConfig" {
			one := mirror{skipFallback: is.SkipFallback}
			for _, given := range is.Endpoints {
				one.endpoints = append(one.endpoints, newEndpoint(given.URL, given.OverridePath))
			}
			found[is.Name] = one
		}
	}
}
