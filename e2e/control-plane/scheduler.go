package main

import (
	"context"
	"fmt"

	"k8s.io/kubernetes/cmd/kube-scheduler/app"
	"k8s.io/kubernetes/cmd/kube-scheduler/app/options"
)

// runScheduler binds pods to nodes until ctx ends.
func runScheduler(ctx context.Context, c *credentials) error {
	o := options.NewOptions()
	err := parseFlags("kube-scheduler", *o.Flags,
		"--kubeconfig="+c.kubeconfigFile(schedulerUser),
		"--bind-address=127.0.0.1",
		"--secure-port=0",
		"--leader-elect=false",
		"--kube-api-qps=1000",
		"--kube-api-burst=2000",
	)
	if err != nil {
		return err
	}
	if err := o.ComponentGlobalsRegistry.Set(); err != nil {
		return fmt.Errorf("feature gates: %w", err)
	}
	config, scheduler, err := app.Setup(ctx, o)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	return app.Run(ctx, config, scheduler)
}
