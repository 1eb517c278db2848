package main

import (
	"regexp"
	"strings"

	"github.com/siderolabs/talos/pkg/machinery/client"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"
)

// fault is why there is no answer. Its kinds are those that steps/talos/talos-client.ts lists.
type fault struct {
	Kind  string `json:"kind"`
	Words string `json:"words"`
}

// Go's TLS says so for a certificate that this side refuses (x509), and for an alert of the other side (tls).
var (
	clock       = regexp.MustCompile(`x509: certificate has expired or is not yet valid|tls: expired certificate`)
	name        = regexp.MustCompile(`x509: certificate is (?:not )?valid for|x509: cannot validate certificate for`)
	certificate = regexp.MustCompile(`x509: |tls: `)
	// What gRPC puts before the cause of a failed connection.
	wrapping = regexp.MustCompile(`(?s)^.*desc = "?(?:transport: )?(?:Error while dialing: )?(?:authentication handshake failed: )?`)
	// The other side hangs up while the connection is made.
	preface = regexp.MustCompile(`^error reading server preface: `)
)

// unsent is what gRPC says of a request that it had no connection for; of others nobody knows whether they arrived.
var unsent = regexp.MustCompile(`^connection error: |(?:last|latest) (?:connection |balancer )?error: |while waiting for |^name resolver error: `)

var kinds = map[codes.Code]string{
	codes.Unavailable:        "lost",
	codes.DeadlineExceeded:   "lost",
	codes.PermissionDenied:   "forbidden",
	codes.Unauthenticated:    "forbidden",
	codes.AlreadyExists:      "exists",
	codes.FailedPrecondition: "not-yet",
	codes.Unimplemented:      "unimplemented",
}

func judge(err error) *fault {
	said := err.Error()
	if status, ok := grpcstatus.FromError(err); ok {
		said = status.Message()
	}
	code := client.StatusCode(err)
	kind := kinds[code]
	if kind == "lost" && unsent.MatchString(said) {
		kind = "unreachable"
	}
	if kind == "unreachable" {
		switch {
		case clock.MatchString(said):
			kind = "clock"
		case name.MatchString(said):
			kind = "name"
		case certificate.MatchString(said):
			kind = "certificate"
		}
	}
	if kind == "" {
		kind = "other"
	}
	switch {
	case code == codes.DeadlineExceeded && kind == "lost":
		said = "no answer in time"
	case code == codes.DeadlineExceeded && kind == "unreachable" && !wrapping.MatchString(said):
		said = "no connection in time"
	case strings.HasPrefix(said, "name resolver error: "):
		said = "its name has no address here"
	}
	words := preface.ReplaceAllString(strings.TrimSuffix(wrapping.ReplaceAllString(said, ""), `"`), "")
	return &fault{Kind: kind, Words: strings.Join(strings.Fields(words), " ")}
}
