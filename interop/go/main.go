// Command interop pushes known workloads with the official Go clients, and reads back with the client of Grafana's data source.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"
)

func main() {
	if len(os.Args) < 4 {
		fail(fmt.Errorf("usage: interop sdk|otlp-grpc|otlp-http|alloy|alloy-http1|read|profilecli ADDRESS SERVICE [SECONDS]"))
	}
	command, address, service := os.Args[1], os.Args[2], os.Args[3]
	var result any
	var err error
	switch command {
	case "sdk":
		seconds := 3.0
		if len(os.Args) > 4 {
			seconds, err = strconv.ParseFloat(os.Args[4], 64)
		}
		if err == nil {
			result, err = runSdk(address, service, time.Duration(seconds*float64(time.Second)))
		}
	case "otlp-grpc":
		result, err = exportGrpc(address, service)
	case "otlp-http":
		result, err = exportHTTP(address, service)
	case "alloy":
		result, err = runAlloy(address, service, transports)
	case "alloy-http1":
		result, err = runAlloy(address, service, transports[:2])
	case "read":
		result, err = runRead(address, service)
	case "profilecli":
		result, err = runProfilecli(address, service)
	default:
		err = fmt.Errorf("unknown command %q", command)
	}
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
