package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/google/pprof/profile"
	pushv1 "github.com/grafana/pyroscope/api/gen/proto/go/push/v1"
	"github.com/grafana/pyroscope/api/gen/proto/go/push/v1/pushv1connect"
	querierv1 "github.com/grafana/pyroscope/api/gen/proto/go/querier/v1"
	"github.com/grafana/pyroscope/api/gen/proto/go/querier/v1/querierv1connect"
	queryv1 "github.com/grafana/pyroscope/api/gen/proto/go/query/v1"
	"github.com/grafana/pyroscope/api/gen/proto/go/query/v1/queryv1connect"
	typesv1 "github.com/grafana/pyroscope/api/gen/proto/go/types/v1"
)

const (
	canaryService = "pyroscope-canary-exporter"
	canaryType    = "deadmans_switch:made_up:profilos:made_up:profilos"
	canarySpan    = "00000bac2a5ab0c7"
)

// CliResult is what the commands of profilecli were answered over one protocol.
type CliResult struct {
	Ready string `json:"ready"`
	// What a server without the newer service answers: the command then asks the older one.
	FrontendCode  string           `json:"frontendCode"`
	ProfileTotal  int64            `json:"profileTotal"`
	TreeBytes     int              `json:"treeBytes"`
	PgoTotal      int64            `json:"pgoTotal"`
	SeriesCount   int              `json:"seriesCount"`
	Cardinality   map[string]int   `json:"cardinality"`
	Top           map[string]int64 `json:"top"`
	ExemplarCount int              `json:"exemplarCount"`
	SpanIDs       []string         `json:"spanIds"`
	Canary        map[string]any   `json:"canary"`
}

// runProfilecli makes the requests of profilecli's commands (upload, query, ready, and the probes of canary-exporter)
// over Connect, gRPC and gRPC-Web. Source of what they are: grafana/pyroscope cmd/profilecli.
func runProfilecli(address, service string) (map[string]*CliResult, error) {
	results := map[string]*CliResult{}
	for _, transport := range transports {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		cli := newCli(ctx, address, service+"-"+transport.name, transport)
		result := &CliResult{}
		for _, command := range []func(*CliResult) error{
			cli.ready, cli.upload, cli.queryProfile, cli.querySeries, cli.queryTop, cli.queryExemplars, cli.canary,
		} {
			if err := command(result); err != nil {
				cancel()
				return nil, fmt.Errorf("%s: %w", transport.name, err)
			}
		}
		cancel()
		results[transport.name] = result
	}
	return results, nil
}

// asProfilecli sends the headers of profilecli; its list of capabilities comes as a second value of Accept.
type asProfilecli struct{ next http.RoundTripper }

func (trip asProfilecli) RoundTrip(request *http.Request) (*http.Response, error) {
	request.Header.Set("X-Scope-OrgID", "anonymous")
	request.Header.Add("Accept", "*/*;allow-utf8-labelnames=true")
	request.Header.Set("User-Agent", "pyroscope/2.2.0")
	return trip.next.RoundTrip(request)
}

type cli struct {
	ctx              context.Context
	http             *http.Client
	address, service string
	selector         string
	start, end       int64
	querier          querierv1connect.QuerierServiceClient
	frontend         queryv1connect.QueryFrontendServiceClient
	pusher           pushv1connect.PusherServiceClient
}

func newCli(ctx context.Context, address, service string, transport transport) *cli {
	next := transport.client.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	client := &http.Client{Transport: asProfilecli{next}}
	return &cli{
		ctx: ctx, http: client, address: address, service: service,
		selector: fmt.Sprintf(`{service_name=%q}`, service),
		start:    time.Now().Add(-time.Hour).UnixMilli(), end: time.Now().Add(time.Minute).UnixMilli(),
		querier:  querierv1connect.NewQuerierServiceClient(client, address, transport.options...),
		frontend: queryv1connect.NewQueryFrontendServiceClient(client, address, transport.options...),
		pusher:   pushv1connect.NewPusherServiceClient(client, address, transport.options...),
	}
}

func (c *cli) get(path string, parameters url.Values) ([]byte, error) {
	request, err := http.NewRequestWithContext(c.ctx, "GET", c.address+path+"?"+parameters.Encode(), nil)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %d %s", path, response.StatusCode, body)
	}
	return body, err
}

func (c *cli) ready(result *CliResult) error {
	body, err := c.get("/ready", nil)
	result.Ready = string(body)
	return err
}

func (c *cli) push(labels []*typesv1.LabelPair, payload []byte) error {
	_, err := c.pusher.Push(c.ctx, connect.NewRequest(&pushv1.PushRequest{Series: []*pushv1.RawProfileSeries{{
		Labels:  labels,
		Samples: []*pushv1.RawSample{{ID: "7a3c6d0e-5b1f-4c43-9e57-0d7a2f8b9c11", RawProfile: payload}},
	}}}))
	return err
}

func (c *cli) upload(*CliResult) error {
	return c.push([]*typesv1.LabelPair{
		{Name: "__name__", Value: "process_cpu"}, {Name: "service_name", Value: c.service},
	}, exampleProfile())
}

// queryProfile is `query profile`, `query profile --function-names-only` and `query go-pgo`.
func (c *cli) queryProfile(result *CliResult) error {
	_, err := c.frontend.Query(c.ctx, connect.NewRequest(&queryv1.QueryRequest{StartTime: c.start, EndTime: c.end}))
	coded := new(connect.Error)
	if !errors.As(err, &coded) {
		return fmt.Errorf("QueryFrontendService answered %v", err)
	}
	result.FrontendCode = coded.Code().String()
	request := func() *querierv1.SelectMergeProfileRequest {
		return &querierv1.SelectMergeProfileRequest{
			ProfileTypeID: cpuType, LabelSelector: c.selector, Start: c.start, End: c.end,
		}
	}
	merged, err := c.querier.SelectMergeProfile(c.ctx, connect.NewRequest(request()))
	if err != nil {
		return err
	}
	for _, sample := range merged.Msg.Sample {
		result.ProfileTotal += sample.Value[0]
	}
	pgo := request()
	pgo.StackTraceSelector = &typesv1.StackTraceSelector{GoPgo: &typesv1.GoPGO{KeepLocations: 5, AggregateCallees: true}}
	guided, err := c.querier.SelectMergeProfile(c.ctx, connect.NewRequest(pgo))
	if err != nil {
		return err
	}
	for _, sample := range guided.Msg.Sample {
		result.PgoTotal += sample.Value[0]
	}
	tree, err := c.querier.SelectMergeStacktraces(c.ctx, connect.NewRequest(&querierv1.SelectMergeStacktracesRequest{
		ProfileTypeID: cpuType, LabelSelector: c.selector, Start: c.start, End: c.end,
		Format: querierv1.ProfileFormat_PROFILE_FORMAT_TREE,
	}))
	if err != nil {
		return err
	}
	result.TreeBytes = len(tree.Msg.Tree)
	return nil
}

// querySeries is `query series` and `query label-values-cardinality`.
func (c *cli) querySeries(result *CliResult) error {
	matchers := []string{c.selector}
	series, err := c.querier.Series(c.ctx, connect.NewRequest(&querierv1.SeriesRequest{Start: c.start, End: c.end, Matchers: matchers}))
	if err != nil {
		return err
	}
	result.SeriesCount = len(series.Msg.LabelsSet)
	names, err := c.querier.LabelNames(c.ctx, connect.NewRequest(&typesv1.LabelNamesRequest{Start: c.start, End: c.end, Matchers: matchers}))
	if err != nil {
		return err
	}
	result.Cardinality = map[string]int{}
	for _, name := range names.Msg.Names {
		values, err := c.querier.LabelValues(c.ctx, connect.NewRequest(&typesv1.LabelValuesRequest{
			Name: name, Start: c.start, End: c.end, Matchers: matchers,
		}))
		if err != nil {
			return err
		}
		result.Cardinality[name] = len(values.Msg.Names)
	}
	return nil
}

func (c *cli) queryTop(result *CliResult) error {
	series, err := c.querier.SelectSeries(c.ctx, connect.NewRequest(&querierv1.SelectSeriesRequest{
		ProfileTypeID: cpuType, LabelSelector: c.selector, Start: c.start, End: c.end,
		// One step over everything.
		Step: float64(c.end-c.start) / 1000, GroupBy: []string{"route"},
	}))
	if err != nil {
		return err
	}
	result.Top = map[string]int64{}
	for _, one := range series.Msg.Series {
		route := "<unknown>"
		if len(one.Labels) > 0 {
			route = one.Labels[0].Value
		}
		for _, point := range one.Points {
			result.Top[route] += int64(point.Value)
		}
	}
	return nil
}

// queryExemplars is `query exemplars profile` and `query exemplars span`.
func (c *cli) queryExemplars(result *CliResult) error {
	series, err := c.querier.SelectSeries(c.ctx, connect.NewRequest(&querierv1.SelectSeriesRequest{
		ProfileTypeID: cpuType, LabelSelector: c.selector, Start: c.start, End: c.end,
		Step: float64(c.end-c.start) / 1000 / 100, ExemplarType: typesv1.ExemplarType_EXEMPLAR_TYPE_INDIVIDUAL,
	}))
	if err != nil {
		return err
	}
	for _, one := range series.Msg.Series {
		for _, point := range one.Points {
			result.ExemplarCount += len(point.Exemplars)
		}
	}
	heatmap, err := c.querier.SelectHeatmap(c.ctx, connect.NewRequest(&querierv1.SelectHeatmapRequest{
		ProfileTypeID: cpuType, LabelSelector: c.selector, Start: c.start, End: c.end, Step: 60,
		QueryType:    querierv1.HeatmapQueryType_HEATMAP_QUERY_TYPE_SPAN,
		ExemplarType: typesv1.ExemplarType_EXEMPLAR_TYPE_SPAN,
	}))
	if err != nil {
		return err
	}
	for _, one := range heatmap.Msg.Series {
		for _, slot := range one.Slots {
			for _, exemplar := range slot.Exemplars {
				result.SpanIDs = append(result.SpanIDs, exemplar.SpanId)
			}
		}
	}
	return nil
}

// canary pushes a profile of this moment and asks for it in ranges that begin with it, as canary-exporter does.
func (c *cli) canary(result *CliResult) error {
	now := time.Now()
	hostname := c.service
	err := c.push([]*typesv1.LabelPair{
		{Name: "__name__", Value: "deadmans_switch"}, {Name: "service_name", Value: canaryService},
		{Name: "job", Value: "canary-exporter"}, {Name: "instance", Value: hostname},
	}, canaryProfile(now))
	if err != nil {
		return err
	}
	selector := fmt.Sprintf(`{service_name=%q, job="canary-exporter", instance=%q}`, canaryService, hostname)
	start, end := now.UnixMilli(), now.Add(5*time.Second).UnixMilli()
	seen := map[string]any{}
	result.Canary = seen
	select1 := &querierv1.SelectMergeStacktracesRequest{ProfileTypeID: canaryType, LabelSelector: selector, Start: start, End: end}
	graph, err := c.querier.SelectMergeStacktraces(c.ctx, connect.NewRequest(select1))
	if err != nil {
		return err
	}
	seen["names"], seen["levels"] = len(graph.Msg.Flamegraph.Names), len(graph.Msg.Flamegraph.Levels)
	span, err := c.querier.SelectMergeSpanProfile(c.ctx, connect.NewRequest(&querierv1.SelectMergeSpanProfileRequest{
		ProfileTypeID: canaryType, LabelSelector: selector, Start: start, End: end, SpanSelector: []string{canarySpan},
	}))
	if err != nil {
		return err
	}
	seen["spanNames"], seen["spanLevels"] = len(span.Msg.Flamegraph.Names), len(span.Msg.Flamegraph.Levels)
	// A step that is far longer than the range, and one that is as long.
	for _, step := range []float64{1000, 5} {
		series, err := c.querier.SelectSeries(c.ctx, connect.NewRequest(&querierv1.SelectSeriesRequest{
			ProfileTypeID: canaryType, LabelSelector: selector, Start: start, End: end, Step: step,
			GroupBy: []string{"service_name"}, ExemplarType: typesv1.ExemplarType_EXEMPLAR_TYPE_INDIVIDUAL,
		}))
		if err != nil {
			return err
		}
		points := []int64{}
		for _, one := range series.Msg.Series {
			for _, point := range one.Points {
				points = append(points, int64(point.Value))
				for _, exemplar := range point.Exemplars {
					points = append(points, exemplar.Value)
				}
			}
		}
		seen[fmt.Sprintf("points of step %v", step)] = points
	}
	for _, path := range []string{"/pyroscope/render", "/pyroscope/render-diff"} {
		times := []string{fmt.Sprint(start), fmt.Sprint(end)}
		parameters := url.Values{"query": {canaryType + selector}, "from": {times[0]}, "until": {times[1]}}
		if strings.HasSuffix(path, "diff") {
			parameters = url.Values{
				"leftQuery": {canaryType + selector}, "leftFrom": {times[0]}, "leftUntil": {times[1]},
				"rightQuery": {canaryType + selector}, "rightFrom": {times[0]}, "rightUntil": {times[1]},
			}
		}
		body, err := c.get(path, parameters)
		if err != nil {
			return err
		}
		var rendered struct{ Flamebearer struct{ Names []string } }
		if err := json.Unmarshal(body, &rendered); err != nil {
			return err
		}
		seen[path] = len(rendered.Flamebearer.Names)
	}
	return nil
}

// canaryProfile names its span by the older label, on one of its two samples.
func canaryProfile(now time.Time) []byte {
	functions := make([]*profile.Function, 2)
	locations := make([]*profile.Location, 2)
	for i := range functions {
		functions[i] = &profile.Function{ID: uint64(i + 1), Name: fmt.Sprintf("func%d", i+1)}
		locations[i] = &profile.Location{ID: uint64(i + 1), Line: []profile.Line{{Function: functions[i]}}}
	}
	encoded := &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "made_up", Unit: "profilos"}},
		PeriodType: &profile.ValueType{Type: "made_up", Unit: "profilos"},
		TimeNanos:  now.UnixNano(),
		Function:   functions, Location: locations,
		Sample: []*profile.Sample{
			{Location: []*profile.Location{locations[0], locations[1]}, Value: []int64{10}},
			{Location: []*profile.Location{locations[0]}, Value: []int64{20}, Label: map[string][]string{"profile_id": {canarySpan}}},
		},
	}
	var buffer bytes.Buffer
	if err := encoded.WriteUncompressed(&buffer); err != nil {
		panic(err)
	}
	return buffer.Bytes()
}
