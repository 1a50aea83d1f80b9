// The control-plane command runs a real Kubernetes control plane in one
// process on loopback: etcd, API server, controller manager and scheduler, for
// tests and for trying things out. There is no kubelet; nodes and pods are
// modelled by whoever starts it.
//
// It prints one line of JSON when pods can be created, and ends on SIGTERM,
// SIGINT, the end of its standard input (if asked) or the end of any component.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/pflag"
)

// stopPatience is what each floor of the control plane gets to end in, so that
// all of it is gone within two seconds.
const stopPatience = 600 * time.Millisecond

type settings struct {
	dir              string
	port             int
	untilStdinCloses bool
}

func main() {
	s, err := parseSettings(os.Args[1:])
	if errors.Is(err, pflag.ErrHelp) {
		return
	}
	exitOn(err, 2, os.Stderr)
	claim, err := claimDataDir(s.dir)
	exitOn(err, 1, os.Stderr)
	stderr, err := logTo(s.logFile())
	exitOn(err, 1, os.Stderr)
	err = run(s, stderr)
	claim.Close()
	exitOn(err, 1, stderr)
}

func exitOn(err error, code int, stderr *os.File) {
	if err != nil {
		fmt.Fprintf(stderr, "control-plane: %v\n", err)
		os.Exit(code)
	}
}

func (s settings) logFile() string { return filepath.Join(s.dir, "control-plane.log") }

func parseSettings(args []string) (settings, error) {
	var s settings
	flags := pflag.NewFlagSet("control-plane", pflag.ContinueOnError)
	flags.StringVar(&s.dir, "dir", "", "absolute path of the data directory; made if it is missing, continued if it was used before")
	flags.IntVar(&s.port, "port", 0, "port of the API server on 127.0.0.1; 0 takes a free one")
	flags.BoolVar(&s.untilStdinCloses, "until-stdin-closes", false, "stop when standard input ends, as it does when the process at its other end dies")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q; see --help", flags.Arg(0))
	}
	if !filepath.IsAbs(s.dir) {
		return s, fmt.Errorf("--dir %q is not an absolute path; kubeconfigs point into it from anywhere", s.dir)
	}
	return s, nil
}

// run serves until it is told to stop, which is no error, or something breaks.
func run(s settings, stderr *os.File) error {
	// Worth 1.4 times the write rate for half a gigabyte.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	life := newLifetime()
	explainGivingUp(life, s.logFile(), stderr)
	stopOnSignal(life)
	if s.untilStdinCloses {
		stopOnEndOf(os.Stdin, life)
	}
	err := serve(s, life, stderr)
	if errors.Is(err, errStopRequested) {
		return nil
	}
	return err
}

// serve brings the components up in the order in which they need each other,
// and takes them down in reverse.
func serve(s settings, life lifetime, stderr *os.File) error {
	credentials, err := prepareCredentials(s.dir)
	if err != nil {
		return err
	}
	store, err := startEtcd(life, s.dir, stderr)
	if err != nil {
		return err
	}
	etcdPart := life.run("etcd", store.serve)
	defer stopWithin(stopPatience, etcdPart)

	server, err := prepareAPIServer(life, credentials, store.url(), s.port)
	if err != nil {
		return err
	}
	if err := credentials.writeKubeconfigs(server.url()); err != nil {
		return err
	}
	serverPart := life.run("API server", server.serve)
	defer stopWithin(stopPatience, serverPart)

	client, err := newAdminClient(credentials)
	if err != nil {
		return err
	}
	if err := waitForAPI(life, client); err != nil {
		return err
	}
	controllersPart := life.run("controller manager", func(ctx context.Context) error {
		return runControllers(ctx, credentials)
	})
	schedulerPart := life.run("scheduler", func(ctx context.Context) error {
		return runScheduler(ctx, credentials)
	})
	defer stopWithin(stopPatience, controllersPart, schedulerPart)
	if err := waitForFirstPod(life, client); err != nil {
		return err
	}

	defer withdrawAnnouncement(s.dir)
	err = announcement{
		Dir:        s.dir,
		Kubeconfig: credentials.kubeconfigFile(adminUser),
		URL:        server.url(),
		Ports:      map[string]int{"apiserver": server.address.(*net.TCPAddr).Port, "etcd": store.client.Port},
		PID:        os.Getpid(),
		Log:        s.logFile(),
	}.publish(os.Stdout)
	if err != nil {
		return fmt.Errorf("announce readiness: %w", err)
	}
	<-life.Done()
	return context.Cause(life)
}

// stopOnSignal ends the lifetime on the first SIGTERM or SIGINT and the process
// on the second.
func stopOnSignal(life lifetime) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-signals
		life.end(errStopRequested)
		<-signals
		os.Exit(1)
	}()
}

// stopOnEndOf ends the lifetime when the other end of a pipe is gone. The
// kernel closes a killed process's pipes, so its control plane goes with it.
func stopOnEndOf(input io.Reader, life lifetime) {
	go func() {
		_, _ = io.Copy(io.Discard, input)
		life.end(errStopRequested)
	}()
}
