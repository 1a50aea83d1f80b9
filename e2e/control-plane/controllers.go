package main

import (
	"context"
	"fmt"
	"path/filepath"

	"k8s.io/kubernetes/cmd/kube-controller-manager/app"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
)

// runControllers runs Kubernetes' own controllers until ctx ends.
func runControllers(ctx context.Context, c *credentials) error {
	o, err := options.NewKubeControllerManagerOptions()
	if err != nil {
		return fmt.Errorf("options: %w", err)
	}
	known, offByDefault, aliases := app.KnownControllers(), app.ControllersDisabledByDefault(), app.ControllerAliases()
	err = parseFlags("kube-controller-manager", o.Flags(known, offByDefault, aliases),
		"--kubeconfig="+c.kubeconfigFile(controllersUser),
		"--bind-address=127.0.0.1",
		"--secure-port=0",
		"--leader-elect=false",
		"--use-service-account-credentials=true",
		"--service-account-private-key-file="+c.serviceAccountKeyFile(),
		"--root-ca-file="+c.authorityFile(),
		// With the default rates the first service account, and with it the
		// first pod, comes twice as late.
		"--kube-api-qps=1000",
		"--kube-api-burst=2000",
		"--flex-volume-plugin-dir="+filepath.Join(c.dir, "flex"),
		// Nodes are modelled and send no heartbeats. A node goes away in a test
		// when the test says so.
		"--node-monitor-grace-period=24h",
		"--controllers=*,-nodeipam,-node-route-controller,-cloud-node-lifecycle-controller",
	)
	if err != nil {
		return err
	}
	if err := o.ComponentGlobalsRegistry.Set(); err != nil {
		return fmt.Errorf("feature gates: %w", err)
	}
	config, err := o.Config(ctx, known, offByDefault, aliases)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	return app.Run(ctx, config.Complete())
}
