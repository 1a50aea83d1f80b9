package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// claimDataDir makes dir this process's own, until the file that it returns is
// closed. The claim is a lock that the kernel drops when the process ends in
// whatever way, so a directory is never left claimed.
func claimDataDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("--dir: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("--dir: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("--dir %s: another control plane runs there; stop it or give another directory", dir)
	}
	return lock, nil
}
