package main

import (
	"context"
	"fmt"
	"time"

	"connectrpc.com/connect"
	querierv1 "github.com/grafana/pyroscope/api/gen/proto/go/querier/v1"
	"github.com/grafana/pyroscope/api/gen/proto/go/querier/v1/querierv1connect"
	typesv1 "github.com/grafana/pyroscope/api/gen/proto/go/types/v1"
)

const cpuType = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"

// ReadResult is what the calls of Grafana's data source and of profilecli answered over one transport.
type ReadResult struct {
	ProfileTypes   []string `json:"profileTypes"`
	LabelNames     []string `json:"labelNames"`
	Routes         []string `json:"routes"`
	SeriesCount    int      `json:"seriesCount"`
	Names          []string `json:"names"`
	Total          int64    `json:"total"`
	TreeBytes      int      `json:"treeBytes"`
	SpanTotal      int64    `json:"spanTotal"`
	PprofTotal     int64    `json:"pprofTotal"`
	PgoTotal       int64    `json:"pgoTotal"`
	MergeTotal     int64    `json:"mergeTotal"`
	PointSum       float64  `json:"pointSum"`
	ExemplarTotal  int64    `json:"exemplarTotal"`
	HeatmapCount   int32    `json:"heatmapCount"`
	DiffTotal      int64    `json:"diffTotal"`
	HasData        bool     `json:"hasData"`
	AnalyzedScopes int      `json:"analyzedScopes"`
}

// runRead makes every call of querier.v1 over each transport, for the profile that runAlloy pushed.
func runRead(address, service string) (map[string]*ReadResult, error) {
	results := map[string]*ReadResult{}
	for _, transport := range transports {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		options := append([]connect.ClientOption{connect.WithInterceptors(asGrafana())}, transport.options...)
		reader := reader{
			ctx:      ctx,
			client:   querierv1connect.NewQuerierServiceClient(transport.client, address, options...),
			selector: fmt.Sprintf(`{service_name=%q}`, service),
			start:    time.Now().Add(-10 * time.Minute).UnixMilli(),
			end:      time.Now().Add(time.Minute).UnixMilli(),
		}
		result := &ReadResult{}
		for _, call := range []func(*ReadResult) error{reader.labels, reader.flameGraphs, reader.pprofs, reader.series, reader.rest} {
			if err := call(result); err != nil {
				cancel()
				return nil, fmt.Errorf("%s: %w", transport.name, err)
			}
		}
		cancel()
		results[transport.name] = result
	}
	return results, nil
}

// asGrafana sends the headers that the data source and profilecli send.
func asGrafana() connect.UnaryInterceptorFunc {
	return func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, request connect.AnyRequest) (connect.AnyResponse, error) {
			request.Header().Set("User-Agent", "Grafana/12.3.0")
			request.Header().Set("Accept", "*/*; allow-utf8-labelnames=true")
			return next(ctx, request)
		}
	}
}

type reader struct {
	ctx        context.Context
	client     querierv1connect.QuerierServiceClient
	selector   string
	start, end int64
}

func (r reader) labels(result *ReadResult) error {
	types, err := r.client.ProfileTypes(r.ctx, connect.NewRequest(&querierv1.ProfileTypesRequest{Start: r.start, End: r.end}))
	if err != nil {
		return err
	}
	// The health check of the data source gives no range.
	if _, err := r.client.ProfileTypes(r.ctx, connect.NewRequest(&querierv1.ProfileTypesRequest{})); err != nil {
		return err
	}
	for _, one := range types.Msg.ProfileTypes {
		result.ProfileTypes = append(result.ProfileTypes, one.ID)
	}
	matchers := []string{r.selector}
	names, err := r.client.LabelNames(r.ctx, connect.NewRequest(&typesv1.LabelNamesRequest{Matchers: matchers, Start: r.start, End: r.end}))
	if err != nil {
		return err
	}
	result.LabelNames = names.Msg.Names
	values, err := r.client.LabelValues(r.ctx, connect.NewRequest(&typesv1.LabelValuesRequest{Name: "route", Matchers: matchers, Start: r.start, End: r.end}))
	if err != nil {
		return err
	}
	result.Routes = values.Msg.Names
	series, err := r.client.Series(r.ctx, connect.NewRequest(&querierv1.SeriesRequest{
		Matchers: matchers, LabelNames: []string{"service_name", "__profile_type__"}, Start: r.start, End: r.end,
	}))
	if err != nil {
		return err
	}
	result.SeriesCount = len(series.Msg.LabelsSet)
	return nil
}

func (r reader) stacktraces(format querierv1.ProfileFormat) *querierv1.SelectMergeStacktracesRequest {
	maxNodes := int64(16384)
	return &querierv1.SelectMergeStacktracesRequest{
		ProfileTypeID: cpuType, LabelSelector: r.selector, Start: r.start, End: r.end, MaxNodes: &maxNodes, Format: format,
	}
}

func (r reader) flameGraphs(result *ReadResult) error {
	graph, err := r.client.SelectMergeStacktraces(r.ctx, connect.NewRequest(r.stacktraces(querierv1.ProfileFormat_PROFILE_FORMAT_FLAMEGRAPH)))
	if err != nil {
		return err
	}
	result.Names = graph.Msg.Flamegraph.Names
	result.Total = graph.Msg.Flamegraph.Total
	tree, err := r.client.SelectMergeStacktraces(r.ctx, connect.NewRequest(r.stacktraces(querierv1.ProfileFormat_PROFILE_FORMAT_TREE)))
	if err != nil {
		return err
	}
	result.TreeBytes = len(tree.Msg.Tree)
	span, err := r.client.SelectMergeSpanProfile(r.ctx, connect.NewRequest(&querierv1.SelectMergeSpanProfileRequest{
		ProfileTypeID: cpuType, LabelSelector: r.selector, SpanSelector: []string{"00f067aa0ba902b7"}, Start: r.start, End: r.end,
	}))
	if err != nil {
		return err
	}
	result.SpanTotal = span.Msg.Flamegraph.Total
	left := r.stacktraces(querierv1.ProfileFormat_PROFILE_FORMAT_UNSPECIFIED)
	diff, err := r.client.Diff(r.ctx, connect.NewRequest(&querierv1.DiffRequest{Left: left, Right: left}))
	if err != nil {
		return err
	}
	result.DiffTotal = diff.Msg.Flamegraph.Total
	return nil
}

func (r reader) pprofs(result *ReadResult) error {
	whole, err := r.client.SelectMergeStacktraces(r.ctx, connect.NewRequest(r.stacktraces(querierv1.ProfileFormat_PROFILE_FORMAT_PPROF)))
	if err != nil {
		return err
	}
	for _, sample := range whole.Msg.Pprof.Profile.Sample {
		result.PprofTotal += sample.Value[0]
	}
	pgo := r.stacktraces(querierv1.ProfileFormat_PROFILE_FORMAT_PPROF)
	pgo.StackTraceSelector = &typesv1.StackTraceSelector{GoPgo: &typesv1.GoPGO{KeepLocations: 5, AggregateCallees: true}}
	guided, err := r.client.SelectMergeStacktraces(r.ctx, connect.NewRequest(pgo))
	if err != nil {
		return err
	}
	for _, sample := range guided.Msg.Pprof.Profile.Sample {
		result.PgoTotal += sample.Value[0]
	}
	merged, err := r.client.SelectMergeProfile(r.ctx, connect.NewRequest(&querierv1.SelectMergeProfileRequest{
		ProfileTypeID: cpuType, LabelSelector: r.selector, Start: r.start, End: r.end,
	}))
	if err != nil {
		return err
	}
	for _, sample := range merged.Msg.Sample {
		result.MergeTotal += sample.Value[0]
	}
	return nil
}

func (r reader) series(result *ReadResult) error {
	series, err := r.client.SelectSeries(r.ctx, connect.NewRequest(&querierv1.SelectSeriesRequest{
		ProfileTypeID: cpuType, LabelSelector: r.selector, Start: r.start, End: r.end, Step: 15,
		GroupBy: []string{"route"}, ExemplarType: typesv1.ExemplarType_EXEMPLAR_TYPE_INDIVIDUAL,
	}))
	if err != nil {
		return err
	}
	exemplar := ""
	for _, one := range series.Msg.Series {
		for _, point := range one.Points {
			result.PointSum += point.Value
			for _, found := range point.Exemplars {
				exemplar = found.ProfileId
			}
		}
	}
	byID := r.stacktraces(querierv1.ProfileFormat_PROFILE_FORMAT_FLAMEGRAPH)
	byID.ProfileIdSelector = []string{exemplar}
	graph, err := r.client.SelectMergeStacktraces(r.ctx, connect.NewRequest(byID))
	if err != nil {
		return err
	}
	result.ExemplarTotal = graph.Msg.Flamegraph.Total
	heatmap, err := r.client.SelectHeatmap(r.ctx, connect.NewRequest(&querierv1.SelectHeatmapRequest{
		ProfileTypeID: cpuType, LabelSelector: r.selector, Start: r.start, End: r.end, Step: 15,
		QueryType: querierv1.HeatmapQueryType_HEATMAP_QUERY_TYPE_INDIVIDUAL,
	}))
	if err != nil {
		return err
	}
	for _, one := range heatmap.Msg.Series {
		for _, slot := range one.Slots {
			for _, count := range slot.Counts {
				result.HeatmapCount += count
			}
		}
	}
	return nil
}

func (r reader) rest(result *ReadResult) error {
	stats, err := r.client.GetProfileStats(r.ctx, connect.NewRequest(&typesv1.GetProfileStatsRequest{}))
	if err != nil {
		return err
	}
	result.HasData = stats.Msg.DataIngested
	analysis, err := r.client.AnalyzeQuery(r.ctx, connect.NewRequest(&querierv1.AnalyzeQueryRequest{
		Start: r.start, End: r.end, Query: cpuType + r.selector,
	}))
	if err != nil {
		return err
	}
	result.AnalyzedScopes = len(analysis.Msg.QueryScopes)
	return nil
}
