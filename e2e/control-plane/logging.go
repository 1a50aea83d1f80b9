package main

import (
	"fmt"
	"os"

	"k8s.io/client-go/rest"
	logsapi "k8s.io/component-base/logs/api/v1"
	"k8s.io/klog/v2"
)

// logTo sends what the components log to a file, so that a test's own output
// stays readable. They share one logger, which can be set only once.
func logTo(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("log file: %w", err)
	}
	streams := &logsapi.LoggingOptions{ErrorStream: file, InfoStream: file}
	if err := logsapi.ValidateAndApplyWithOptions(logsapi.NewLoggingConfiguration(), streams, nil); err != nil {
		return fmt.Errorf("logging: %w", err)
	}
	// Components that give up end the process from inside the logger; without
	// this line the reader would see an exit code and nothing else.
	klog.OsExit = func(code int) {
		fmt.Fprintf(os.Stderr, "control-plane: a Kubernetes component gave up; the last lines of %s say why\n", path)
		os.Exit(code)
	}
	// The components talk to the API server of their own version, in old API
	// versions too; that is no news to anybody here.
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	return nil
}
