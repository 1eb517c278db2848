package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"time"
)

// image is one of the mirror's list, images.json.
type image struct {
	Reference string
	// Repository is its name at the mirror: the registry's host, whose port has no colon there, comes first.
	Repository string
	Tag        string
	Digest     string
	// Index is the one above it that the reference names by its digest, if it does.
	Index string
}

// descriptor is a part of an image (OCI image specification, descriptor.md).
type descriptor struct {
	Digest   string
	Size     int64
	Platform struct{ OS, Architecture string }
}

// manifest is an image's, or an index of those of several platforms.
type manifest struct {
	Config    descriptor
	Layers    []descriptor
	Manifests []descriptor
}

const (
	tries     = 3
	pause     = 2 * time.Second
	mostBytes = 4 << 20 // of a manifest, as containerd reads it
)

// manifestTypes are what containerd accepts (core/remotes/docker).
var manifestTypes = strings.Join([]string{
	"application/vnd.docker.distribution.manifest.v2+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
	"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.oci.image.index.v1+json",
	"*/*",
}, ", ")

// source is where the parts of an image are asked for: a mirror, or the registry itself.
type source struct {
	base endpoint
	// host is what a mirror is told that it stands for; empty for the registry itself.
	host string
}

func (from source) url(repository, kind, reference string) string {
	query := ""
	if from.host != "" {
		query = "?ns=" + url.QueryEscape(from.host)
	}
	return fmt.Sprintf("%s/%s/%s/%s%s", from.base, repository, kind, reference, query)
}

// ask asks again where the server may come up yet; the answer's body is the caller's to close.
func ask(method, url string) (*http.Response, error) {
	var failed error
	for try := 0; try < tries; try++ {
		if try > 0 {
			time.Sleep(pause)
		}
		request, err := http.NewRequest(method, url, nil)
		if err != nil {
			return nil, err
		}
		request.Header.Set("Accept", manifestTypes)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			failed = err
			continue
		}
		if answer.StatusCode == http.StatusOK {
			return answer, nil
		}
		answer.Body.Close()
		failed = fmt.Errorf("%s %s: %s", method, url, answer.Status)
		if answer.StatusCode < 500 {
			break
		}
	}
	return nil, failed
}

// fetch reads a part to its end and compares it with its digest; what is larger than keep is not kept.
func fetch(url string, part descriptor, keep int64) ([]byte, int64, error) {
	answer, err := ask(http.MethodGet, url)
	if err != nil {
		return nil, 0, err
	}
	defer answer.Body.Close()
	hash := sha256.New()
	var kept strings.Builder
	_, err = io.CopyN(io.MultiWriter(hash, &kept), answer.Body, keep)
	rest := int64(0)
	if err == nil {
		rest, err = io.Copy(hash, answer.Body)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, 0, fmt.Errorf("GET %s: %w", url, err)
	}
	size := int64(kept.Len()) + rest
	if is := "sha256:" + hex.EncodeToString(hash.Sum(nil)); is != part.Digest {
		return nil, 0, fmt.Errorf("GET %s: %d bytes whose digest is %s", url, size, is)
	}
	return []byte(kept.String()), size, nil
}

// pull fetches all of an image for this platform. It returns how many parts that were, and their bytes.
func pull(from source, repository string, wanted image) (parts int, size int64, err error) {
	if wanted.Tag != "" {
		answer, err := ask(http.MethodHead, from.url(repository, "manifests", wanted.Tag))
		if err != nil {
			return 0, 0, err
		}
		answer.Body.Close()
		if is := answer.Header.Get("Docker-Content-Digest"); is != wanted.Digest {
			return 0, 0, fmt.Errorf("the tag %s is of %s, not of %s", wanted.Tag, is, wanted.Digest)
		}
	}
	next := wanted.Digest
	if wanted.Index != "" {
		next = wanted.Index
	}
	for next != "" {
		last := next
		text, read, err := fetch(from.url(repository, "manifests", next), descriptor{Digest: next}, mostBytes)
		if err != nil {
			return parts, size, err
		}
		parts, size, next = parts+1, size+read, ""
		var is manifest
		if err := json.Unmarshal(text, &is); err != nil {
			return parts, size, fmt.Errorf("the manifest: %w", err)
		}
		for _, one := range is.Manifests {
			if one.Platform.OS == "linux" && one.Platform.Architecture == "amd64" {
				next = one.Digest
			}
		}
		if is.Manifests != nil {
			if next == "" {
				return parts, size, errors.New("the index names no image for linux/amd64")
			}
			continue
		}
		if last != wanted.Digest {
			return parts, size, fmt.Errorf("the index names %s for linux/amd64, not %s", last, wanted.Digest)
		}
		for _, one := range append(is.Layers, is.Config) {
			_, read, err := fetch(from.url(repository, "blobs", one.Digest), one, 0)
			if err != nil {
				return parts, size, err
			}
			parts, size = parts+1, size+read
		}
	}
	return parts, size, nil
}

// sourcesOf lists where containerd asks for an image of a registry: its mirrors, then itself unless that is ruled out.
func sourcesOf(host string, mirrors map[string]mirror) (sources []source) {
	of, ok := mirrors[host]
	if !ok {
		of = mirrors["*"]
	}
	for _, each := range of.endpoints {
		sources = append(sources, source{each, host})
	}
	if !of.skipFallback {
		sources = append(sources, source{endpoint("https://" + host + "/v2"), ""})
	}
	return sources
}

// listed fetches the list of the first mirror that has one.
func listed(mirrors map[string]mirror) ([]image, error) {
	var hosts []string
	for host := range mirrors {
		hosts = append(hosts, host)
	}
	sort.Strings(hosts)
	for _, host := range hosts {
		for _, each := range mirrors[host].endpoints {
			at, err := url.Parse(string(each))
			if err != nil {
				return nil, err
			}
			answer, err := ask(http.MethodGet, at.Scheme+"://"+at.Host+"/images.json")
			if err != nil {
				return nil, err
			}
			defer answer.Body.Close()
			var list struct{ Images []image }
			err = json.NewDecoder(answer.Body).Decode(&list)
			return list.Images, err
		}
	}
	return nil, nil
}

// pullAll pulls every image of the list from the mirrors that a machine config names, and says how each went.
func pullAll(config []byte, say func(string)) error {
	mirrors, err := mirrorsIn(config)
	if err != nil || len(mirrors) == 0 {
		return err
	}
	images, err := listed(mirrors)
	if err != nil {
		return fmt.Errorf("the list of images: %w", err)
	}
	whole := 0
	for _, wanted := range images {
		host, _, _ := strings.Cut(wanted.Reference, "/")
		_, repository, _ := strings.Cut(wanted.Repository, "/")
		var failed []string
		isHere := false
		for _, from := range sourcesOf(host, mirrors) {
			parts, size, err := pull(from, repository, wanted)
			if isHere = err == nil; isHere {
				say(fmt.Sprintf("image %s: %s, %d parts, %d bytes, each as its digest says", wanted.Reference, wanted.Digest, parts, size))
				whole++
				break
			}
			failed = append(failed, err.Error())
		}
		if !isHere {
			say(fmt.Sprintf("image %s FAILED: %s", wanted.Reference, strings.Join(failed, "; ")))
		}
	}
	say(fmt.Sprintf("images: %d of %d are here", whole, len(images)))
	return nil
}
