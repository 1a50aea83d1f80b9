package main

import (
	"context"
	"errors"
	"fmt"
	"net"

	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
)

// apiServer is configured and listens, but does not serve yet.
type apiServer struct {
	options options.CompletedOptions
	address net.Addr
}

// prepareAPIServer takes the port (0 for any free one) and completes the
// server's options, which also writes its certificate.
//
// Options and Run are used rather than the server's command, because that
// command and the scheduler's each install the one signal handler that a
// process can have.
func prepareAPIServer(ctx context.Context, c *credentials, etcdURL string, port int) (*apiServer, error) {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, fmt.Errorf("API server: %w", err)
	}
	o := options.NewServerRunOptions()
	err = parseFlags("kube-apiserver", o.Flags(),
		"--etcd-servers="+etcdURL,
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--cert-dir="+c.certificateDir(),
		"--token-auth-file="+c.tokenFile(),
		"--authorization-mode=Node,RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+c.serviceAccountKeyFile(),
		"--service-account-signing-key-file="+c.serviceAccountKeyFile(),
		// Wide enough that no test run uses up its Service addresses.
		"--service-cluster-ip-range=10.0.0.0/16",
		"--allow-privileged=true",
		"--endpoint-reconciler-type=none",
	)
	if err != nil {
		return nil, err
	}
	o.SecureServing.Listener = listener
	if err := o.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return nil, fmt.Errorf("API server's feature gates: %w", err)
	}
	completed, err := o.Complete(ctx)
	if err != nil {
		return nil, fmt.Errorf("API server's options: %w", err)
	}
	if mistakes := completed.Validate(); len(mistakes) > 0 {
		return nil, fmt.Errorf("API server's options: %w", errors.Join(mistakes...))
	}
	return &apiServer{options: completed, address: listener.Addr()}, nil
}

func (s *apiServer) serve(ctx context.Context) error {
	return app.Run(ctx, s.options)
}

func (s *apiServer) url() string {
	return "https://" + s.address.String()
}
