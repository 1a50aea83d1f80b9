package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"syscall"

	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
)

// logTo sends what the components log to a file and returns the standard error
// of before, so that a test's own output stays readable. The descriptor itself
// is moved because some of them log past the logger that they share. A crash
// still reaches both.
func logTo(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("log file: %w", err)
	}
	defer file.Close()
	kept, err := syscall.Dup(syscall.Stderr)
	if err != nil {
		return nil, fmt.Errorf("keep standard error: %w", err)
	}
	syscall.CloseOnExec(kept)
	stderr := os.NewFile(uintptr(kept), "stderr")
	if err := debug.SetCrashOutput(stderr, debug.CrashOptions{}); err != nil {
		return nil, fmt.Errorf("keep crashes visible: %w", err)
	}
	if err := syscall.Dup3(int(file.Fd()), syscall.Stderr, 0); err != nil {
		return nil, fmt.Errorf("log to %s: %w", path, err)
	}
	// The components talk to the API server of their own version, in old API
	// versions too; that is no news to anybody here.
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	return stderr, nil
}

// explainGivingUp says where to look when a component ends the process from
// inside its logger, which otherwise leaves an exit code and nothing else. One
// that is stopped in the middle of its start does this too; that is no failure.
func explainGivingUp(life lifetime, logFile string, stderr *os.File) {
	klog.OsExit = func(code int) {
		if life.stopRequested() {
			os.Exit(0)
		}
		fmt.Fprintf(stderr, "control-plane: a Kubernetes component gave up; the last lines of %s say why\n", logFile)
		os.Exit(code)
	}
}
