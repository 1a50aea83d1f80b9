package main

import (
	_ "k8s.io/api/core/v1"
	_ "k8s.io/apimachinery/pkg/util/rand"
	_ "k8s.io/client-go/kubernetes/scheme"
	_ "k8s.io/kube-openapi/pkg/common"
	_ "k8s.io/kubernetes/pkg/generated/openapi"
)

func main() {}
