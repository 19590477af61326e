// Parses a Terraform module and prints what it declares as JSON: variables, outputs, resources, providers, and the names
// that its expressions refer to without there being such a thing. Providers' own schemas are not known here.
// Usage: terraform FOLDER
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

type module struct {
	Declared []string `json:"declared"`
	// References to what is not declared, each with its place.
	Unknown []string `json:"unknown"`
	// Declared variables and locals that nothing refers to.
	Unused []string `json:"unused"`
}

func main() {
	result, err := read(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	out, _ := json.MarshalIndent(result, "", "  ")
	fmt.Println(string(out))
}

func read(folder string) (*module, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.tf"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no file of Terraform", folder)
	}
	parser := hclparse.NewParser()
	declared := map[string]bool{}
	var bodies []*hclsyntax.Body
	for _, file := range files {
		parsed, problems := parser.ParseHCLFile(file)
		if problems.HasErrors() {
			return nil, problems
		}
		body := parsed.Body.(*hclsyntax.Body)
		bodies = append(bodies, body)
		declare(body, declared)
	}
	used := map[string]bool{}
	unknown := []string{}
	for _, body := range bodies {
		hclsyntax.VisitAll(body, func(node hclsyntax.Node) hcl.Diagnostics {
			expression, ok := node.(*hclsyntax.ScopeTraversalExpr)
			if !ok {
				return nil
			}
			name := address(expression.Traversal)
			used[name] = true
			if name != "" && !declared[name] {
				unknown = append(unknown, fmt.Sprintf("%s at %s", name, expression.Range()))
			}
			return nil
		})
	}
	return &module{sorted(declared, nil), unknown, sorted(declared, used)}, nil
}

func declare(body *hclsyntax.Body, declared map[string]bool) {
	for _, block := range body.Blocks {
		switch block.Type {
		case "variable":
			declared["var."+block.Labels[0]] = true
		case "resource":
			declared[strings.Join(block.Labels, ".")] = true
		case "data":
			declared["data."+strings.Join(block.Labels, ".")] = true
		case "locals":
			for name := range block.Body.Attributes {
				declared["local."+name] = true
			}
		}
	}
}

// The part of a reference that names a thing; empty for each.*, iterators and variables of `for`.
func address(traversal hcl.Traversal) string {
	root := traversal.RootName()
	parts := []string{root}
	for _, step := range traversal[1:] {
		attribute, ok := step.(hcl.TraverseAttr)
		if !ok {
			break
		}
		parts = append(parts, attribute.Name)
	}
	length := 2
	switch {
	case root == "var" || root == "local":
	case root == "data":
		length = 3
	case strings.HasPrefix(root, "google_"):
	default:
		return ""
	}
	if len(parts) < length {
		return strings.Join(parts, ".")
	}
	return strings.Join(parts[:length], ".")
}

// Without `used`: all names; with it: the variables and locals that are not in it.
func sorted(names map[string]bool, used map[string]bool) []string {
	result := []string{}
	for name := range names {
		isInput := strings.HasPrefix(name, "var.") || strings.HasPrefix(name, "local.")
		if used == nil || (isInput && !used[name]) {
			result = append(result, name)
		}
	}
	sort.Strings(result)
	return result
}
