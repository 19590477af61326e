#!/usr/bin/env bash
# Checks the Helm chart, the manifests of Cloud Run and the Terraform module, each with the tools and types of whoever
# defines it. Usage: manifests.sh [tools | helm | cloud-run | terraform]...; without one all of them.
# `tools` only gets what is needed, into .local/validate/manifests: some minutes the first time, with Go and Python.
# Exit code 77: the tools cannot be had here.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
tools=$root/.local/validate/manifests
schemas=$tools/schemas
rendered=$tools/rendered
helm_version=v3.22.0
kubernetes_validate_version=1.37.0
# Where the CustomResourceDefinitions and the description of Cloud Run's API come from.
keda=github.com/kedacore/keda/v2@v2.21.0
prometheus_operator=github.com/prometheus-operator/prometheus-operator@v0.85.0
google_api=google.golang.org/api@v0.311.0
# The oldest version that the chart is for, one between, and the newest that is known.
kubernetes_versions=(1.27 1.33 1.37)

unavailable() {
  printf 'manifests.sh: %s\n' "$1" >&2
  exit 77
}

if [[ -x /usr/local/go/bin/go ]]; then PATH=$PATH:/usr/local/go/bin; fi

# copy MODULE FILE NAME: a file of a Go module to the schemas, under another name.
copy() {
  local folder
  folder=$(go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  install -m 644 "$folder/$2" "$schemas/$3" || unavailable "$1 cannot be had"
}

get_tools() {
  local stamp
  stamp=$(
    {
      printf '%s\n' "$helm_version" "$kubernetes_validate_version" "$keda" "$prometheus_operator" "$google_api"
      cat "$here"/manifests/go.sum "$here"/manifests/*/main.go
    } | sha256sum
  )
  if [[ -f $tools/stamp && $(cat "$tools/stamp") == "$stamp" ]]; then return; fi
  command -v go >/dev/null || unavailable 'Go is not installed'
  command -v python3 >/dev/null || unavailable 'python3 is not installed'
  mkdir -p "$tools/bin" "$schemas" "$rendered"
  python3 -m venv --clear "$tools/python" >&2 || unavailable 'python3 cannot make a virtual environment'
  "$tools/python/bin/pip" install --quiet --disable-pip-version-check \
    "kubernetes-validate==$kubernetes_validate_version" >&2 || unavailable 'pip cannot install kubernetes-validate'
  GOBIN=$tools/bin go install "helm.sh/helm/v3/cmd/helm@$helm_version" || unavailable 'helm cannot be built'
  (cd "$here/manifests" && GOBIN=$tools/bin go install ./...) || unavailable 'the validators cannot be built'
  copy "$keda" config/crd/bases/keda.sh_scaledobjects.yaml scaledobject.yaml
  copy "$prometheus_operator" example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml \
    servicemonitor.yaml
  copy "$google_api" run/v1/run-api.json run-v1.json
  printf '%s\n' "$stamp" >"$tools/stamp"
}

check_helm() {
  local chart=$root/deploy/helm/graph2kafka values name version
  for values in "$root"/deploy/helm/examples/*.yaml; do
    name=$(basename "$values")
    "$tools/bin/helm" lint --strict --quiet --kube-version 1.33.0 --values "$values" "$chart"
    "$tools/bin/helm" template graph2kafka "$chart" --namespace graph --kube-version 1.33.0 --values "$values" \
      >"$rendered/$name"
    for version in "${kubernetes_versions[@]}"; do
      "$tools/python/bin/kubernetes-validate" --strict --quiet --no-warn -k "$version" "$rendered/$name"
    done
    "$tools/python/bin/python" "$here/manifests-schemas.py" "$schemas" "$rendered/$name"
  done
  "$tools/python/bin/kubernetes-validate" --strict --quiet --no-warn "$root"/deploy/helm/trial/*.yaml
}

check_cloud_run() {
  "$tools/bin/knative" "$root"/deploy/cloud-run/{receiver,admin}.yaml
  "$tools/python/bin/python" "$here/manifests-schemas.py" "$schemas" "$root"/deploy/cloud-run/*.yaml
}

# Providers' schemas are not to be had without their registry: `terraform validate` remains for whoever has it.
check_terraform() {
  local found
  found=$("$tools/bin/terraform" "$root/deploy/cloud-run/terraform")
  if grep -Eq '"(unknown|unused)": \[$' <<<"$found"; then
    printf '%s\n' "$found" >&2
    return 1
  fi
  if command -v terraform >/dev/null; then terraform fmt -check -diff "$root/deploy/cloud-run/terraform"; fi
}

# One at a time: tests of several files begin with this.
mkdir -p "$tools"
exec {lock}>"$tools/lock"
flock "$lock"
get_tools
flock --unlock "$lock"
for what in "${@:-all}"; do
  case $what in
    tools) ;;
    helm) check_helm ;;
    cloud-run) check_cloud_run ;;
    terraform) check_terraform ;;
    all)
      check_helm
      check_cloud_run
      check_terraform
      ;;
    *)
      printf 'manifests.sh: %s is nothing that is checked here\n' "$what" >&2
      exit 2
      ;;
  esac
done
