package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"github.com/google/pprof/profile"
	pushv1 "github.com/grafana/pyroscope/api/gen/proto/go/push/v1"
	"github.com/grafana/pyroscope/api/gen/proto/go/push/v1/pushv1connect"
	typesv1 "github.com/grafana/pyroscope/api/gen/proto/go/types/v1"
	"golang.org/x/net/http2"
)

// h2c speaks HTTP/2 in cleartext, as gRPC does without TLS.
var h2c = &http.Client{Transport: &http2.Transport{
	AllowHTTP: true,
	DialTLSContext: func(ctx context.Context, network, address string, _ *tls.Config) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	},
}}

// transport is one way to make a call.
type transport struct {
	name    string
	client  *http.Client
	options []connect.ClientOption
}

// transports are every way in which a client of connect-go talks.
var transports = []transport{
	{"connect", http.DefaultClient, nil},
	{"connect-gzip", http.DefaultClient, []connect.ClientOption{connect.WithSendGzip()}},
	{"connect-json", http.DefaultClient, []connect.ClientOption{connect.WithProtoJSON()}},
	{"connect-h2c", h2c, nil},
	{"grpc", h2c, []connect.ClientOption{connect.WithGRPC()}},
	{"grpc-gzip", h2c, []connect.ClientOption{connect.WithGRPC(), connect.WithSendGzip()}},
	{"grpc-json", h2c, []connect.ClientOption{connect.WithGRPC(), connect.WithProtoJSON()}},
	{"grpc-web", http.DefaultClient, []connect.ClientOption{connect.WithGRPCWeb()}},
	{"grpc-web-json", http.DefaultClient, []connect.ClientOption{connect.WithGRPCWeb(), connect.WithProtoJSON()}},
	{"grpc-web-h2c", h2c, []connect.ClientOption{connect.WithGRPCWeb()}},
}

// runAlloy pushes as Alloy's pyroscope.write does, over each transport to a service of its own.
func runAlloy(address, service string, transports []transport) ([]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var names []string
	for _, transport := range transports {
		client := pushv1connect.NewPusherServiceClient(transport.client, address, transport.options...)
		request := connect.NewRequest(&pushv1.PushRequest{Series: []*pushv1.RawProfileSeries{{
			Labels: []*typesv1.LabelPair{
				{Name: "__name__", Value: "process_cpu"},
				{Name: "__delta__", Value: "false"},
				{Name: "service_name", Value: service + "-" + transport.name},
				{Name: "instance", Value: "10.0.0.7:6060"},
				{Name: "job", Value: "integrations/shop"},
			},
			Samples: []*pushv1.RawSample{{ID: "7a3c6d0e-5b1f-4c43-9e57-0d7a2f8b9c11", RawProfile: exampleProfile()}},
		}}})
		request.Header().Set("User-Agent", "Alloy/v1.12.0 (linux; amd64)")
		request.Header().Set("X-Alloy-Id", "5f0c9f2e-6f0b-4f9e-8f37-2d52a3b1f2aa")
		if _, err := client.Push(ctx, request); err != nil {
			return nil, fmt.Errorf("%s: %w", transport.name, err)
		}
		names = append(names, service+"-"+transport.name)
	}
	return names, nil
}

// exampleProfile is what a Go target answers at /debug/pprof/profile.
func exampleProfile() []byte {
	function := func(id uint64, name string) (*profile.Function, *profile.Location) {
		function := &profile.Function{ID: id, Name: name, SystemName: name, Filename: "main.go", StartLine: int64(id)}
		return function, &profile.Location{ID: id, Line: []profile.Line{{Function: function, Line: int64(id) + 1}}}
	}
	mainFunction, main := function(1, "main.main")
	hotFunction, hot := function(2, "main.hotCheckout")
	coldFunction, cold := function(3, "main.coldSearch")
	encoded := &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}},
		PeriodType: &profile.ValueType{Type: "cpu", Unit: "nanoseconds"},
		Period:     10_000_000,
		TimeNanos:  time.Now().UnixNano(), DurationNanos: int64(14 * time.Second),
		Function: []*profile.Function{mainFunction, hotFunction, coldFunction},
		Location: []*profile.Location{main, hot, cold},
		Sample: []*profile.Sample{
			{Location: []*profile.Location{hot, main}, Value: []int64{30, 300_000_000},
				Label: map[string][]string{"route": {"/checkout"}, "span_id": {"00f067aa0ba902b7"}}},
			{Location: []*profile.Location{cold, main}, Value: []int64{10, 100_000_000}},
		},
	}
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	if err := encoded.WriteUncompressed(writer); err != nil {
		panic(err)
	}
	_ = writer.Close()
	return buffer.Bytes()
}
