// Reads manifests of Knative services as Knative itself does, every unknown field an error, and validates them with its
// own rules. Usage: knative FILE...
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"knative.dev/pkg/apis"
	serving "knative.dev/serving/pkg/apis/serving/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	failed := false
	for _, file := range os.Args[1:] {
		if err := check(file); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", file, err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

func check(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var service serving.Service
	if err := yaml.UnmarshalStrict(text, &service); err != nil {
		return err
	}
	ctx := context.Background()
	service.SetDefaults(ctx)
	// On Cloud Run it is the address of a Google account, of which Knative takes only the name.
	account := &service.Spec.Template.Spec.ServiceAccountName
	*account, _, _ = strings.Cut(*account, "@")
	// Not its warnings: they are of a security context, which Cloud Run does not have.
	if err := service.Validate(ctx).Filter(apis.ErrorLevel); err != nil {
		return err
	}
	return nil
}
