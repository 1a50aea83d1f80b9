package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	// pollPause is short against the seconds that a start takes.
	pollPause = 20 * time.Millisecond
	// startPatience is many times what a start takes on a busy machine.
	startPatience = 2 * time.Minute
)

// waitUntil asks again and again, and on giving up says what the last answer was.
func waitUntil(ctx context.Context, what string, ask func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for {
		err := ask(limited)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(pollPause):
			continue
		case <-limited.Done():
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("no %s within %s: %w", what, startPatience, err)
	}
}

// waitForAPI returns when the API server calls itself ready.
func waitForAPI(ctx context.Context, client kubernetes.Interface) error {
	return waitUntil(ctx, "ready API server", func(ctx context.Context) error {
		return client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	})
}

// waitForFirstPod returns when pods can be created in the namespace default:
// they are refused until their service account is there.
func waitForFirstPod(ctx context.Context, client kubernetes.Interface) error {
	return waitUntil(ctx, "default service account", func(ctx context.Context) error {
		_, err := client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}

func newAdminClient(c *credentials) (kubernetes.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", c.kubeconfigFile(adminUser))
	if err != nil {
		return nil, err
	}
	// Asking for readiness shall never wait for a rate limit of our own.
	config.QPS = -1
	return kubernetes.NewForConfig(config)
}

// announcement is what starters need to know of a ready control plane.
type announcement struct {
	Dir        string         `json:"dir"`
	Kubeconfig string         `json:"kubeconfig"`
	URL        string         `json:"url"`
	Ports      map[string]int `json:"ports"`
	PID        int            `json:"pid"`
	Log        string         `json:"log"`
}

// announcementFile holds the announcement for as long as the control plane is
// ready, for those who did not start it.
func announcementFile(dir string) string { return filepath.Join(dir, "control-plane.json") }

// publish prints the announcement as one line, for the starter, and leaves it
// in the data directory. The file appears whole or not at all.
func (a announcement) publish(out io.Writer) error {
	line, err := json.Marshal(a)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	unfinished := announcementFile(a.Dir) + ".new"
	if err := os.WriteFile(unfinished, line, 0o600); err != nil {
		return err
	}
	if err := os.Rename(unfinished, announcementFile(a.Dir)); err != nil {
		return err
	}
	_, err = out.Write(line)
	return err
}

func withdrawAnnouncement(dir string) {
	// It may never have been made.
	_ = os.Remove(announcementFile(dir))
}
