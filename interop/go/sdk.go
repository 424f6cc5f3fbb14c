package main

import (
	"context"
	"math"
	"net/http"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/grafana/pyroscope-go"
)

const (
	parkedCount     = 40
	contentionCount = 20
	blockCount      = 30
	holdTime        = 10 * time.Millisecond
	retainedBytes   = 64 << 20
	pageBytes       = 8 << 20
	leakedCount     = 7
)

var (
	sink     float64
	retained [][]byte
)

// SdkResult is what the program knows of its own work.
type SdkResult struct {
	CPUSeconds float64 `json:"cpuSeconds"`
}

//go:noinline
func hotCheckout(until time.Duration) { burn(until) }

//go:noinline
func coldSearch(until time.Duration) { burn(until) }

// burn works until the process has used so much CPU time: a busy machine makes it longer, not different.
func burn(until time.Duration) {
	for cpuTime() < until {
		for i := 1.0; i < 20_000; i++ {
			sink += math.Sqrt(i) * math.Sin(i)
		}
	}
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

//go:noinline
func retainPages() {
	// Large against the 512 KiB between two samples: each page is sampled, and none has to stand for others.
	for range retainedBytes / pageBytes {
		retained = append(retained, make([]byte, pageBytes))
	}
}

//go:noinline
func parkedWorker(release <-chan struct{}, done *sync.WaitGroup) {
	defer done.Done()
	<-release
}

//go:noinline
func leakedWorker() { <-make(chan struct{}) }

//go:noinline
func waitForAnswer(answers <-chan struct{}) { <-answers }

//go:noinline
func holdLock(lock *sync.Mutex) {
	time.Sleep(holdTime)
	lock.Unlock()
}

// contend lets another goroutine wait for a lock, a known number of times.
func contend() {
	var lock sync.Mutex
	for range contentionCount {
		lock.Lock()
		waited := make(chan struct{})
		go func() {
			lock.Lock()
			lock.Unlock()
			close(waited)
		}()
		holdLock(&lock)
		<-waited
	}
}

// block waits for a channel, a known number of times.
func block() {
	answers := make(chan struct{})
	for range blockCount {
		go func() {
			time.Sleep(holdTime)
			answers <- struct{}{}
		}()
		waitForAnswer(answers)
	}
}

func runSdk(address, service string, work time.Duration) (SdkResult, error) {
	runtime.SetMutexProfileFraction(1)
	runtime.SetBlockProfileRate(1)
	profiler, err := pyroscope.Start(pyroscope.Config{
		ApplicationName: service,
		ServerAddress:   address,
		Tags:            map[string]string{"region": "eu"},
		// One window: it ends with the program.
		UploadRate: time.Hour,
		HTTPClient: http.DefaultClient,
		Logger:     errorLogger{},
		ProfileTypes: []pyroscope.ProfileType{
			pyroscope.ProfileCPU,
			pyroscope.ProfileAllocObjects, pyroscope.ProfileAllocSpace,
			pyroscope.ProfileInuseObjects, pyroscope.ProfileInuseSpace,
			pyroscope.ProfileGoroutines, pyroscope.ProfileGoroutineLeak,
			pyroscope.ProfileMutexCount, pyroscope.ProfileMutexDuration,
			pyroscope.ProfileBlockCount, pyroscope.ProfileBlockDuration,
		},
	})
	if err != nil {
		return SdkResult{}, err
	}
	release := make(chan struct{})
	var parked sync.WaitGroup
	for range parkedCount {
		parked.Add(1)
		go parkedWorker(release, &parked)
	}
	for range leakedCount {
		go leakedWorker()
	}
	retainPages()
	contend()
	block()
	start := cpuTime()
	pyroscope.TagWrapper(context.Background(), pyroscope.Labels("route", "/checkout"), func(context.Context) {
		hotCheckout(start + work*3/4)
	})
	coldSearch(start + work)
	used := cpuTime()
	// Heap profiles show what the last garbage collection left.
	runtime.GC()
	profiler.Flush(true)
	err = profiler.Stop()
	close(release)
	parked.Wait()
	runtime.KeepAlive(retained)
	return SdkResult{CPUSeconds: used.Seconds()}, err
}

type errorLogger struct{}

func (errorLogger) Infof(string, ...interface{})  {}
func (errorLogger) Debugf(string, ...interface{}) {}
func (errorLogger) Errorf(format string, values ...interface{}) {
	println("pyroscope-go: " + format)
	_ = os.Stderr.Sync()
}
