package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/pprofile/pprofileotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip"
)

// exportGrpc exports with the client of the collector.
func exportGrpc(address, service string) (string, error) {
	target, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	connection, err := grpc.NewClient(target.Host, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return "", err
	}
	defer connection.Close()
	client := pprofileotlp.NewGRPCClient(connection)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if _, err := client.Export(ctx, exampleRequest(service+"-grpc")); err != nil {
		return "", fmt.Errorf("gRPC: %w", err)
	}
	if _, err := client.Export(ctx, exampleRequest(service+"-grpc-gzip"), grpc.UseCompressor("gzip")); err != nil {
		return "", fmt.Errorf("gRPC with gzip: %w", err)
	}
	return "exported", nil
}

// exportHTTP exports over OTLP/HTTP, in each encoding to a service of its own.
func exportHTTP(address, service string) (string, error) {
	proto, err := exampleRequest(service + "-proto").MarshalProto()
	if err != nil {
		return "", err
	}
	if err := post(address, "application/x-protobuf", "", proto); err != nil {
		return "", err
	}
	proto, err = exampleRequest(service + "-proto-gzip").MarshalProto()
	if err != nil {
		return "", err
	}
	if err := post(address, "application/x-protobuf", "gzip", compress(proto)); err != nil {
		return "", err
	}
	text, err := exampleRequest(service + "-json").MarshalJSON()
	if err != nil {
		return "", err
	}
	if err := post(address, "application/json", "", text); err != nil {
		return "", err
	}
	return "exported", nil
}

func post(address, contentType, encoding string, body []byte) error {
	request, err := http.NewRequest(http.MethodPost, address+"/v1development/profiles", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("User-Agent", "OTel-OTLP-Exporter-Go/interop")
	if encoding != "" {
		request.Header.Set("Content-Encoding", encoding)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %d %s", contentType, encoding, response.StatusCode, text)
	}
	return err
}

func compress(body []byte) []byte {
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	_, _ = writer.Write(body)
	_ = writer.Close()
	return buffer.Bytes()
}

// exampleRequest holds what the eBPF profiler sends: on-CPU samples to be counted, and off-CPU times.
func exampleRequest(service string) pprofileotlp.ExportRequest {
	profiles := pprofile.NewProfiles()
	dictionary := profiles.Dictionary()
	text := func(value string) int32 {
		table := dictionary.StringTable()
		for i := range table.Len() {
			if table.At(i) == value {
				return int32(i)
			}
		}
		table.Append(value)
		return int32(table.Len() - 1)
	}
	text("")
	mapping := dictionary.MappingTable().AppendEmpty()
	mapping.SetFilenameStrindex(text("shop"))
	dictionary.LinkTable().AppendEmpty()
	link := dictionary.LinkTable().AppendEmpty()
	link.SetTraceID(pcommon.TraceID{0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36})
	link.SetSpanID(pcommon.SpanID{0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7})
	dictionary.AttributeTable().AppendEmpty()
	thread := dictionary.AttributeTable().AppendEmpty()
	thread.SetKeyStrindex(text("thread.name"))
	thread.Value().SetStr("worker")
	location := func(name string) int32 {
		function := dictionary.FunctionTable().AppendEmpty()
		function.SetNameStrindex(text(name))
		entry := dictionary.LocationTable().AppendEmpty()
		entry.Lines().AppendEmpty().SetFunctionIndex(int32(dictionary.FunctionTable().Len() - 1))
		return int32(dictionary.LocationTable().Len() - 1)
	}
	main, hot, cold := location("main"), location("hotCheckout"), location("coldSearch")
	stack := func(leaf int32) int32 {
		dictionary.StackTable().AppendEmpty().LocationIndices().FromRaw([]int32{leaf, main})
		return int32(dictionary.StackTable().Len() - 1)
	}
	dictionary.StackTable().AppendEmpty()
	hotStack, coldStack := stack(hot), stack(cold)

	resource := profiles.ResourceProfiles().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", service)
	resource.Resource().Attributes().PutStr("container.id", "c0ffee")
	resource.Resource().Attributes().PutInt("process.pid", 42)
	scope := resource.ScopeProfiles().AppendEmpty()
	now := pcommon.NewTimestampFromTime(time.Now())

	onCPU := scope.Profiles().AppendEmpty()
	onCPU.SetTime(now)
	onCPU.SetDurationNano(uint64(5 * time.Second))
	onCPU.SampleType().SetTypeStrindex(text("samples"))
	onCPU.SampleType().SetUnitStrindex(text("count"))
	onCPU.PeriodType().SetTypeStrindex(text("cpu"))
	onCPU.PeriodType().SetUnitStrindex(text("nanoseconds"))
	onCPU.SetPeriod(50_000_000)
	sample := onCPU.Samples().AppendEmpty()
	sample.SetStackIndex(hotStack)
	sample.SetLinkIndex(1)
	sample.AttributeIndices().Append(1)
	for i := range 30 {
		sample.TimestampsUnixNano().Append(uint64(now) + uint64(i))
	}
	sample = onCPU.Samples().AppendEmpty()
	sample.SetStackIndex(coldStack)
	sample.Values().Append(10)

	offCPU := scope.Profiles().AppendEmpty()
	offCPU.SetTime(now)
	offCPU.SampleType().SetTypeStrindex(text("off_cpu"))
	offCPU.SampleType().SetUnitStrindex(text("nanoseconds"))
	sample = offCPU.Samples().AppendEmpty()
	sample.SetStackIndex(coldStack)
	sample.Values().Append(7_000_000, 5_000_000)
	sample.TimestampsUnixNano().Append(uint64(now), uint64(now)+1)
	return pprofileotlp.NewExportRequestFromProfiles(profiles)
}
