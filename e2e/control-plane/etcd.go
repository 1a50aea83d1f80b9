package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"

	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// etcd is the running store together with the address that it took.
type etcd struct {
	server *embed.Etcd
	client *net.TCPAddr
}

// startEtcd returns once the store answers. Both ports are chosen by the kernel
// while listening, so that no two control planes can race for one.
func startEtcd(ctx context.Context, dir string, stderr io.Writer) (*etcd, error) {
	anyPort := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	config := embed.NewConfig()
	config.Dir = filepath.Join(dir, "etcd")
	config.ListenClientUrls, config.AdvertiseClientUrls = anyPort, anyPort
	config.ListenPeerUrls, config.AdvertisePeerUrls = anyPort, anyPort
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	// Its HTTP gateway would dial the advertised port, which is 0.
	config.EnableGRPCGateway = false
	logger, err := etcdLogger(stderr)
	if err != nil {
		return nil, fmt.Errorf("etcd's logger: %w", err)
	}
	config.ZapLoggerBuilder = embed.NewZapLoggerBuilder(logger)
	// The data is worth nothing after a crash of the machine, and a sync per
	// write is most of what a write costs on a small disk.
	config.UnsafeNoFsync = true

	server, err := embed.StartEtcd(config)
	if err != nil {
		return nil, fmt.Errorf("start etcd in %s: %w", config.Dir, err)
	}
	select {
	case <-server.Server.ReadyNotify():
	case err := <-server.Err():
		return nil, fmt.Errorf("start etcd in %s: %w", config.Dir, err)
	case <-ctx.Done():
		server.Server.Stop()
		return nil, context.Cause(ctx)
	}
	client, ok := server.Clients[0].Addr().(*net.TCPAddr)
	if !ok {
		return nil, fmt.Errorf("etcd listens on %s, which is no TCP address", server.Clients[0].Addr())
	}
	return &etcd{server: server, client: client}, nil
}

// etcdLogger writes errors to the log. One on which etcd ends the process, such
// as a full disk, is also said to whoever started it.
func etcdLogger(stderr io.Writer) (*zap.Logger, error) {
	config := zap.NewProductionConfig()
	config.Level.SetLevel(zap.ErrorLevel)
	config.Sampling = nil
	return config.Build(zap.WithFatalHook(lastWords{stderr}))
}

type lastWords struct{ stderr io.Writer }

// OnWrite is called with the entry that was logged, to end the process.
func (l lastWords) OnWrite(entry *zapcore.CheckedEntry, fields []zapcore.Field) {
	reasons := zapcore.NewMapObjectEncoder()
	for _, field := range fields {
		field.AddTo(reasons)
	}
	fmt.Fprintf(l.stderr, "control-plane: etcd gave up: %s %v\n", entry.Message, reasons.Fields)
	os.Exit(1)
}

// serve waits for the store's end, or ends it.
func (e *etcd) serve(ctx context.Context) error {
	select {
	case <-ctx.Done():
		e.server.Close()
		return nil
	case err := <-e.server.Err():
		return err
	case <-e.server.Server.StopNotify():
		return errors.New("its server stopped")
	}
}

func (e *etcd) url() string {
	return "http://" + e.client.String()
}
