// This kubectl is the real one, built from the same module as the control
// plane, for machines that have none installed.
package main

import (
	// Kubeconfigs of all kinds work, as they do with any other kubectl.
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
)

func main() {
	if err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()); err != nil {
		// Prints the error as kubectl does and ends with its exit code.
		util.CheckErr(err)
	}
}
