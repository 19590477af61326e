#!/usr/bin/env bash
# Brings both services to Azure Container Apps with the Azure CLI, step by step, and prints each command before it runs.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: deploy/container-apps/deploy.sh [options] step...

Steps, in this order; each can be run again:
  prepare    registers the resource providers, makes the resource group
  platform   platform.bicep: registry, identities, vault, Redis, Event Hubs, logs, environment
  images     builds both images in the registry
  secrets    puts what is missing into the vault: clientState secret, password of the admin pages
  graph      gives the worker's identity its permissions at Microsoft Graph
  apps       apps.bicep: receiver and worker
  all        all of these
Also:
  what-if    shows what platform and apps would change, and changes nothing

Options:
  --resource-group NAME      needed
  --location REGION          needed by prepare: westeurope
  --name NAME                begins the names of all resources; 3 to 10 of a-z and 0-9, a letter first (g2k)
  --tag TAG                  of the images; needed by images, apps and what-if
  --permissions LIST         needed by graph: Calendars.Read,Mail.Read; for what, docs/operations.md says
  --kafka-sign-in WAY        managedIdentity (default) or connectionString
  --secrets-from PLACE       keyVault (default), or app: CLIENT_STATE_SECRETS and ADMIN_PASSWORD of the environment
  --graph-client-id ID       app registration with a client secret, GRAPH_CLIENT_SECRET, instead of the managed identity
  --dry-run                  prints the commands, and runs none
  --help

Environment:
  OPERATOR_ID, OPERATOR_TYPE who may set secrets of the vault, by object id, instead of who is signed in;
                             User (default), Group or ServicePrincipal

Needs: az (2.60 or later, signed in with `az login`), openssl, subscriptions.yaml in the repository.
TEXT
}

fail() {
  printf 'deploy.sh: %s\n' "$1" >&2
  exit 2
}

say() {
  printf '\n# %s\n' "$1" >&2
}

# As it could be typed. On standard error, since standard output may be an answer.
print_command() {
  local word line=''
  for word in "$@"; do
    if [[ ! $word =~ ^[A-Za-z0-9_./:=@,+-]+$ ]]; then word="'${word//\'/\'\\\'\'}'"; fi
    line+="$word "
  done
  printf '%s\n' "${line% }" >&2
}

run() {
  print_command "$@"
  if ! $dry_run; then "$@"; fi
}

# ask WHAT COMMAND...: the command's answer; in a dry run WHAT stands for it.
ask() {
  local what=$1
  shift
  print_command "$@"
  if $dry_run; then printf '%s' "$what"; else "$@"; fi
}

# Rights that were just given take a while to hold everywhere.
patiently() {
  local try
  for try in {1..20}; do
    if "$@"; then return 0; fi
    printf 'deploy.sh: try %s of 20 failed; again in 15 s\n' "$try" >&2
    sleep 15
  done
  fail "gave up: $1"
}

need() {
  if [[ -z $2 ]]; then fail "$3 needs $1"; fi
}

platform_output() {
  ask "<$1>" az deployment group show --resource-group "$resource_group" --name "$NAME-platform" \
    --query "properties.outputs.$1.value" --output tsv
}

prepare() {
  say 'Resource providers: what Azure may be asked for in this subscription'
  local provider
  for provider in App OperationalInsights ContainerRegistry ManagedIdentity KeyVault Cache EventHub; do
    run az provider register --namespace "Microsoft.$provider" --wait
  done
  say 'The resource group: everything is in it, and goes with it'
  run az group create --name "$resource_group" --location "$location" --output none
}

find_operator() {
  if [[ -z ${OPERATOR_ID:-} ]]; then
    OPERATOR_ID=$(ask '<operatorId>' az ad signed-in-user show --query id --output tsv)
  fi
  export OPERATOR_ID
}

platform() {
  say 'Who is signed in may set the secrets of the vault, unless OPERATOR_ID names somebody else'
  find_operator
  say "Everything that both services stand on; parameters: platform.bicepparam"
  run az deployment group create --resource-group "$resource_group" --name "$NAME-platform" \
    --parameters "$here/platform.bicepparam" --output none
}

images() {
  local registry service
  registry=$(platform_output registryName)
  say 'Images, built in the registry: no Docker is needed here'
  for service in receiver worker; do
    run az acr build --registry "$registry" --image "graph2kafka/$service:$IMAGE_TAG" \
      --file "$root/services/$service/Dockerfile" "$root"
  done
}

# set_secret VAULT NAME VALUE, unless there is one. The value passes in a file: command lines can be seen by others.
set_secret() {
  local found
  found=$(ask '' az keyvault secret list --vault-name "$1" --query "[?name=='$2'].name" --output tsv) || return 1
  if [[ -n $found ]]; then
    printf '%s is there, and stays\n' "$2" >&2
    return 0
  fi
  if ! $dry_run; then printf '%s' "$3" >"$secret_file"; fi
  run az keyvault secret set --vault-name "$1" --name "$2" --file "$secret_file" --encoding utf-8 --output none
}

secrets() {
  if [[ $SECRETS_FROM == app ]]; then
    say 'Secrets come from the environment, with the apps'
    return 0
  fi
  local vault
  vault=$(platform_output vaultName)
  say 'Secrets that nobody has to know; those of Redis and Event Hubs came with the platform'
  patiently set_secret "$vault" client-state-secrets "${CLIENT_STATE_SECRETS:-$(openssl rand -hex 32)}"
  patiently set_secret "$vault" admin-password "${ADMIN_PASSWORD:-$(openssl rand -hex 16)}"
  if [[ -n $GRAPH_CLIENT_ID ]]; then
    patiently set_secret "$vault" graph-client-secret "$GRAPH_CLIENT_SECRET"
  fi
}

graph() {
  if [[ -n $GRAPH_CLIENT_ID ]]; then
    say "App registration $GRAPH_CLIENT_ID has its permissions already: az ad app permission list --id $GRAPH_CLIENT_ID"
    return 0
  fi
  # Microsoft Graph has this id in every tenant.
  local app=00000003-0000-0000-c000-000000000000 url=https://graph.microsoft.com/v1.0/servicePrincipals
  local worker service_principal permission role held
  worker=$(platform_output workerPrincipalId)
  say "What the worker's identity may read, without any secret; needs Privileged Role Administrator"
  service_principal=$(ask '<graph>' az ad sp show --id "$app" --query id --output tsv)
  for permission in ${permissions//,/ }; do
    role=$(ask "<$permission>" az ad sp show --id "$app" \
      --query "appRoles[?value=='$permission' && contains(allowedMemberTypes, 'Application')].id | [0]" --output tsv)
    if [[ -z $role ]]; then fail "Microsoft Graph has no application permission $permission"; fi
    held=$(ask '' az rest --method GET --url "$url/$worker/appRoleAssignments" \
      --query "value[?appRoleId=='$role'].id | [0]" --output tsv)
    if [[ -n $held ]]; then
      printf '%s is given already\n' "$permission" >&2
      continue
    fi
    run az rest --method POST --url "$url/$worker/appRoleAssignments" --output none \
      --body "{\"principalId\": \"$worker\", \"resourceId\": \"$service_principal\", \"appRoleId\": \"$role\"}"
  done
}

apps() {
  say 'Receiver and worker; parameters: apps.bicepparam'
  run az deployment group create --resource-group "$resource_group" --name "$NAME-apps" \
    --parameters "$here/apps.bicepparam" --output none
  say 'Where Graph will send notifications to'
  run az deployment group show --resource-group "$resource_group" --name "$NAME-apps" \
    --query properties.outputs.notificationUrl.value --output tsv
}

what_if() {
  find_operator
  local file
  for file in platform apps; do
    say "What $file.bicep would change"
    run az deployment group what-if --resource-group "$resource_group" --parameters "$here/$file.bicepparam"
  done
}

# What a step needs is looked at before the first one begins: the platform takes a while.
check() {
  case $1 in
    prepare) need --location "$location" prepare ;;
    images) need --tag "$IMAGE_TAG" images ;;
    graph) if [[ -z $GRAPH_CLIENT_ID ]]; then need --permissions "$permissions" graph; fi ;;
    secrets | apps | what_if)
      if [[ $1 != secrets ]]; then
        need --tag "$IMAGE_TAG" "${1/_/-}"
        if [[ ! -f $root/subscriptions.yaml ]]; then
          fail 'there is no subscriptions.yaml: cp subscriptions.example.yaml subscriptions.yaml, and fill it in'
        fi
      fi
      check_secrets "$1"
      ;;
  esac
}

check_secrets() {
  local name
  local -a names=()
  if [[ $SECRETS_FROM == app ]]; then names+=(CLIENT_STATE_SECRETS ADMIN_PASSWORD); fi
  if [[ -n $GRAPH_CLIENT_ID && ($SECRETS_FROM == app || $1 == secrets) ]]; then names+=(GRAPH_CLIENT_SECRET); fi
  for name in "${names[@]}"; do
    need "$name in the environment" "${!name:-}" "${1/_/-}"
  done
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
resource_group='' location='' permissions='' dry_run=false steps=()
NAME=g2k IMAGE_TAG='' KAFKA_SIGN_IN=managedIdentity SECRETS_FROM=keyVault GRAPH_CLIENT_ID=''

while (($#)); do
  case $1 in
    --help)
      usage
      exit 0
      ;;
    --dry-run) dry_run=true ;;
    --resource-group | --location | --name | --tag | --permissions | --kafka-sign-in | --secrets-from | --graph-client-id)
      if [[ -z ${2:-} || $2 == --* ]]; then fail "$1 needs a value"; fi
      case $1 in
        --resource-group) resource_group=$2 ;;
        --location) location=$2 ;;
        --name) NAME=$2 ;;
        --tag) IMAGE_TAG=$2 ;;
        --permissions) permissions=$2 ;;
        --kafka-sign-in) KAFKA_SIGN_IN=$2 ;;
        --secrets-from) SECRETS_FROM=$2 ;;
        --graph-client-id) GRAPH_CLIENT_ID=$2 ;;
      esac
      shift
      ;;
    prepare | platform | images | secrets | graph | apps) steps+=("$1") ;;
    all) steps+=(prepare platform images secrets graph apps) ;;
    what-if) steps+=(what_if) ;;
    *) fail "there is no step or option $1; see --help" ;;
  esac
  shift
done

if ((${#steps[@]} == 0)); then fail 'which step? see --help'; fi
need --resource-group "$resource_group" 'every step'
if [[ ! $NAME =~ ^[a-z][a-z0-9]{2,9}$ ]]; then fail '--name must be 3 to 10 of a-z and 0-9, a letter first'; fi
if [[ ! $KAFKA_SIGN_IN =~ ^(managedIdentity|connectionString)$ ]]; then
  fail '--kafka-sign-in must be managedIdentity or connectionString'
fi
if [[ ! $SECRETS_FROM =~ ^(keyVault|app)$ ]]; then fail '--secrets-from must be keyVault or app'; fi
if [[ -n $IMAGE_TAG && ! $IMAGE_TAG =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$ ]]; then fail '--tag must be a tag of an image'; fi
if [[ ! $permissions =~ ^([A-Za-z0-9.-]+(,[A-Za-z0-9.-]+)*)?$ ]]; then fail '--permissions must be names, comma-separated'; fi
if ! $dry_run && ! command -v az >/dev/null; then fail 'az is not installed: learn.microsoft.com/cli/azure/install-azure-cli'; fi

# Read by the .bicepparam files.
export NAME IMAGE_TAG KAFKA_SIGN_IN SECRETS_FROM GRAPH_CLIENT_ID

umask 077
secret_file=$(mktemp)
trap 'rm -f "$secret_file"' EXIT

for step in "${steps[@]}"; do check "$step"; done
for step in "${steps[@]}"; do "$step"; done
