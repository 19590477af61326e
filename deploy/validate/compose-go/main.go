// Loads a Compose file as Compose itself does, and prints what it makes of it as JSON: one project with all profiles.
// Usage: compose-go FILE [PROFILE…]; variables of the environment are interpolated.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	options, err := cli.NewProjectOptions(os.Args[1:2], cli.WithOsEnv, cli.WithProfiles(os.Args[2:]))
	if err == nil {
		if project, problem := options.LoadProject(context.Background()); problem != nil {
			err = problem
		} else {
			err = json.NewEncoder(os.Stdout).Encode(project)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
